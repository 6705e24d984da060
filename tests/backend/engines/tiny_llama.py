"""A Llama of random weights and a vocabulary of its own, in a folder, and in the layout of the hub's shared cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = "the joy anger sadness biased not offensive humor Instruction Input Output text is a label of one"


def tiny_llama(folder: Path, *, pickled: int = 0, seed: int = 3, **config: Any) -> Path:
    """The model's folder as save_pretrained writes it; `pickled` is the number of .bin files it has instead."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True)
    size = _tokenizer(folder)
    torch.manual_seed(seed)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2} | config
    model = LlamaForCausalLM(LlamaConfig(vocab_size=size, max_position_embeddings=512, **shape))
    model.save_pretrained(folder)
    if pickled:
        (folder / "model.safetensors").unlink()
        _pickle(folder, {name: tensor.clone() for name, tensor in model.state_dict().items()}, pickled)
    return folder


def hub_cache(cache: Path, repo: str, source: Path, *, revision: str = "c" * 40, kind: str = "model") -> Path:
    """The files of a folder as the hub's cache keeps them, under `main`; the folder of the snapshot."""
    root = cache / f"{kind}s--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / revision
    for folder in (snapshot, root / "blobs", root / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision, encoding="utf-8")
    for path in source.iterdir():
        blob = root / "blobs" / f"{revision[:4]}-{path.name}"
        blob.write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(blob)
    return snapshot


def _tokenizer(folder: Path) -> int:
    """Write tokenizer.json with words and single bytes; the size of the vocabulary."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", add_bos_token=True
    )
    fast.save_pretrained(folder)
    return len(fast)


def _pickle(folder: Path, tensors: dict[str, Any], shards: int) -> None:
    import torch

    if shards == 1:
        torch.save(tensors, folder / "pytorch_model.bin")
        return
    names = list(tensors)
    where: dict[str, str] = {}
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
        part = {name: tensors[name] for name in names[number::shards]}
        torch.save(part, folder / file)
        where |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 0}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
