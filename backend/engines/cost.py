"""How long scoring will take, told before it starts: on a CPU a large model needs hours where a GPU needs minutes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from backend.engines import models
from backend.engines.causal import CausalEngine
from backend.engines.protocol import Engine, Item
from backend.engines.scorable import checked
from labelstudio_config.codebook import Question

MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
SHARE = 0.5  # of the rate of bare matrix products that scoring reaches; see scripts/BENCHMARKS.md
SAMPLE = 200  # items that stand for all


def forecast(engine: Engine, asked: Iterable[tuple[Question, Sequence[Item]]], texts: int) -> str:
    """How long scoring so many texts will take, in a sentence, where a causal model runs on a processor; else ''.

    `asked` are the questions, each with some of the texts as a sample. The model need not be loaded.
    """
    if not isinstance(engine, CausalEngine) or engine.model.device != "cpu":
        return ""
    took = sum(seconds(engine, question, sample, texts) for question, sample in asked)
    return f"About {duration(took)} for {texts:,} texts on this processor."


def duration(seconds: float) -> str:
    """The time in its two largest units, rounded: '2 d 3 h', '3 h 20 min', '5 min', '40 s'."""
    if seconds < 1.5 * MINUTE:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < DAY // MINUTE:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / HOUR)
    return f"{hours // 24} d {hours % 24} h"


def seconds(engine: CausalEngine, question: Question, items: Sequence[Item], texts: int | None = None) -> float:
    """About how long `engine.score` takes for these items, from their tokens and this machine's speed just now.

    Where `texts` are given, the items stand for so many.
    """
    checked(question, items)
    if not items:
        return 0.0
    some = items[:: max(1, len(items) // SAMPLE)]
    times = (len(items) if texts is None else texts) / len(some)
    tokens = 0.0
    for frame in engine.frames(question):
        prefix, answers = len(frame.seams.prefix), len(frame.trie.tokens)
        ids = engine.tokens.encode(frame.ask, frame.seams, some).ids
        tokens += prefix + sum(len(text) - prefix + answers for text in ids) * times
    return tokens * 2 * _weights(engine) / (SHARE * rate(engine.model.device))


def _weights(engine: CausalEngine) -> int:
    """Weights that every token is multiplied with: those of the layers, where the files' names tell them."""
    folder = engine.weights.folder
    return models.parameters(folder, named=".layers.") or models.parameters(folder)


def rate(device: str, width: int = 1024) -> float:
    """Floating-point operations a second of matrix products on the device, in the numbers it scores in."""
    import torch

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    a, b = (torch.ones(width, width, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(4):
        started = time.perf_counter()
        _ = float((a @ b)[0, 0])  # reading a number waits for a GPU
        best = max(best, 2 * width**3 / max(time.perf_counter() - started, 1e-9))
    return best
