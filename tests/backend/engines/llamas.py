"""Llamas of random weights, made on the spot, and tokenizers for them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from backend.engines.weights import Weights
from scripts.bench.scoring_material import from_json

LLAMA2 = Path("tokenizer") / "llama2_tokenizer.model"  # the real vocabulary, in the shared material


def real_tokenizer(shared: Path, folder: Path) -> Any:
    """Llama-2's own tokenizer."""
    from transformers import LlamaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shared / LLAMA2, folder / "tokenizer.model")
    return LlamaTokenizer.from_pretrained(folder)


def tiny_tokenizer(*, merges: list[tuple[str, str]] | None = None) -> Any:
    """Letters, signs and a few merges, in the manner of Llama's: blanks are '▁', and words may merge across them."""
    letters = [chr(c) for c in range(33, 127)] + ["▁", "\n", "é"]
    joined = [("▁", "n"), ("▁n", "o"), ("▁no", "t"), ("i", "n"), ("▁", "a"), ("t", "e"), ("▁", "▁"), *(merges or [])]
    words = ["<unk>", "<s>", "</s>", *letters, *("".join(pair) for pair in joined)]
    vocabulary = {word: n for n, word in enumerate(dict.fromkeys(words))}
    blanks = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    bpe = {"type": "BPE", "vocab": vocabulary, "merges": joined, "unk_token": "<unk>"}
    return from_json({"pre_tokenizer": blanks, "decoder": blanks, "model": bpe})


def llama(
    folder: Path,
    tokenizer: Any,
    *,
    key_values: int = 4,
    seed: int = 5,
    window: int = 256,
    family: str = "llama",
    **more: Any,
) -> Weights:
    """A small model saved with its tokenizer; fewer `key_values` than 4 make its queries share them."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": key_values,
        "head_dim": more.get("hidden_size", 32) // 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": None,
    }
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **shape | more))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return weights(folder, window)


def weights(folder: Path, window: int = 256) -> Weights:
    """What the engine is told of a folder's model."""
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    tokenizer = hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return Weights(folder, f"random {config['model_type']}", digest, tokenizer, window)
