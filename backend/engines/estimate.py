"""How long a causal model will take on a processor, before it starts: its weights, the texts' tokens, this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from backend.engines import models, tokens, trie
from backend.engines.prompts import Wording, asks
from backend.engines.protocol import Item
from backend.engines.weights import Weights
from labelstudio_config.codebook import Question

SHARE = 0.5  # of the rate that matrix products reach here, which scoring reaches (measured, scripts/BENCHMARKS.md)
SIDE, LEAST = 1024, 0.2  # a product's rows and columns, and the seconds that are measured
MINUTE, HOUR, DAY = 60, 3600, 86400


def seconds(
    weights: Weights, wording: Wording, shots: int, asked: Iterable[tuple[Question, Sequence[Item]]], texts: int
) -> float:
    """Seconds that scoring `texts` texts takes; `asked` are the questions, each with some of the texts as a sample."""
    each = sum(_tokens(weights, wording, shots, question, sample) for question, sample in asked if sample)
    return 2.0 * models.parameters(weights.folder) * each * texts / (SHARE * rate())


def sentence(seconds: float, texts: int) -> str:
    """'About 3 h 20 min for 10,000 texts on this processor.'"""
    return f"About {duration(seconds)} for {texts:,} texts on this processor."


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


def rate() -> float:
    """Floating-point operations a second of matrix products in float32 here, measured now."""
    import torch

    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    left @ right
    start, done = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < LEAST or not done:
        left @ right
        done += 1
    return 2.0 * SIDE**3 * done / took


def _tokens(weights: Weights, wording: Wording, shots: int, question: Question, sample: Sequence[Item]) -> float:
    """Tokens that are run for one text on average: its own, and those of the answers, for each thing that is asked."""
    used = tokens.load(weights.folder, weights.window)
    total = 0.0
    for ask in asks(question, wording, shots):
        seams = used.seams(ask)
        encoded = used.encode(ask, seams, sample)
        own = sum(len(ids) - len(seams.prefix) for ids in encoded.ids) / len(sample)
        total += own + len(trie.build(seams.answers).tokens)
    return total
