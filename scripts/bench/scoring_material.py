"""What label scoring is measured on: a Llama of random weights, a vocabulary of numbered words, texts and label sets.

The shape is that of the workload in question: an instruction of 117 tokens, texts of 39 on average, labels of one or
two tokens (8 labels: of two to six).
"""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.engines.causal import CausalEngine
from backend.engines.weights import Weights
from labelstudio_config.codebook import Control, Field, Kind, Label, Question

INSTRUCTION = 117  # tokens that all prompts begin with
TEXT = 39  # tokens of a text, on average
SHAPES = {
    "small": {"vocab_size": 8000, "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 4},
    "tiny": {"vocab_size": 8000, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1},
    "medium": {"vocab_size": 32000, "hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 11},
    "7b": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32},
}
HEADS = {"small": 8, "tiny": 2, "medium": 12, "7b": 32}
LABELS = {
    4: ("w10", "w11", "w12 w13", "w14 w15"),
    8: ("w20 w21", "w20 w22", "w20 w28 w29", "w24 w25", "w24 w27", "w24 w31", "w32 w33", "w32 w33 w34 w35 w36 w37"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """An instruction of a given length, in numbered words."""

    words_long: int
    digest: str = "numbered words"

    def instruction(self, _: Question) -> str:
        return " ".join(f"w{100 + n}" for n in range(self.words_long))

    def words(self, question: Question) -> tuple[str, ...]:
        return tuple(label.wording for label in question.labels)


def question(labels: int) -> Question:
    """A question with so many labels, see LABELS."""
    made = tuple(Label(f"label{n}", f"label{n}", word) for n, word in enumerate(LABELS[labels]))
    return Question("bench", "bench", Kind.SINGLE, Control.CHOICES, (Field("text", "text"),), made)


def texts(n: int, seed: int = 0) -> list[str]:
    """Texts of numbered words: 39 on average, a few of them long, as posts are."""
    rng = random.Random(seed)
    lengths = [min(160, max(4, round(rng.lognormvariate(3.54, 0.5)))) for _ in range(n)]
    return [" ".join(f"w{rng.randrange(40, 7000)}" for _ in range(length)) for length in lengths]


def engine(folder: Path, shape: str, device: str, *, model: Any = None) -> CausalEngine:
    """The engine over a model of this shape: `model`, or one of random weights that never touches the disk."""
    config = settings(shape)
    folder.mkdir(parents=True)
    _tokenizer(config.vocab_size).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}), encoding="utf-8")
    weights = Weights(folder, f"random {shape} Llama", shape, "numbered words", 2048)
    made = CausalEngine(weights, wording=Told(INSTRUCTION - 3), device=device, ready=False)
    made.model.base = model if model is not None else random_model(config, made)
    return made


def random_model(config: Any, engine: CausalEngine) -> Any:
    """A model of random weights for this engine, which never touches the disk."""
    import torch
    from transformers import AutoModelForCausalLM

    from backend.engines.packs import register

    torch.manual_seed(0)
    with torch.device(engine.model.device):
        dtype = getattr(torch, engine.model.dtype)
        return AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=register()).eval()


def settings(shape: str, words: int | None = None) -> Any:
    """transformers' settings of a Llama of this shape, with a vocabulary of so many `words` if not the shape's own."""
    from transformers import LlamaConfig

    heads = HEADS[shape]
    size = {"vocab_size": words} if words else {}
    return LlamaConfig(
        **SHAPES[shape] | size,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=4096,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


def _tokenizer(size: int) -> Any:
    words = ["<unk>", "<s>", "</s>", "Instruction:", "Input:", "Output:", *(f"w{n}" for n in range(size - 6))]
    model = {"type": "WordLevel", "vocab": {word: n for n, word in enumerate(words)}, "unk_token": "<unk>"}
    return from_json({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": model})


def from_json(parts: dict[str, Any]) -> Any:
    """A tokenizer with Llama's special tokens, of the parts that its tokenizer.json would have."""
    from transformers import PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        path.write_text(json.dumps({"version": "1.0", "added_tokens": []} | parts), encoding="utf-8")
        return PreTrainedTokenizerFast(
            tokenizer_file=str(path), bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<unk>"
        )
