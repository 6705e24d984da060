"""How long scoring will take, told before it starts: on a CPU a large model needs hours where a GPU needs minutes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from backend.engines.causal import CausalEngine
from backend.engines.protocol import Item
from backend.engines.scorable import checked
from labelstudio_config.codebook import Question

SHARE = 0.5  # of the rate of bare matrix products that scoring reaches; see scripts/BENCHMARKS.md
SAMPLE = 200  # items that stand for all


def seconds(engine: CausalEngine, question: Question, items: Sequence[Item]) -> float:
    """About how long `engine.score` takes for these items, from their tokens and this machine's speed just now."""
    checked(question, items)
    if not items:
        return 0.0
    some = items[:: max(1, len(items) // SAMPLE)]
    tokens = 0.0
    for frame in engine.frames(question):
        prefix, answers = len(frame.seams.prefix), len(frame.trie.tokens)
        ids = engine.tokens.encode(frame.ask, frame.seams, some).ids
        tokens += prefix + sum(len(text) - prefix + answers for text in ids) * len(items) / len(some)
    return tokens * 2 * _weights(engine) / (SHARE * _rate(engine))


def _weights(engine: CausalEngine) -> int:
    """Weights that every token is multiplied with."""
    return sum(part.numel() for part in engine.model.base.get_decoder().layers.parameters())


def _rate(engine: CausalEngine, width: int = 1024) -> float:
    """Floating-point operations a second of matrix products on the engine's device, in its numbers."""
    import torch

    base = engine.model.base
    a, b = (torch.ones(width, width, device=base.device, dtype=base.dtype) for _ in range(2))
    best = 0.0
    for _ in range(4):
        started = time.perf_counter()
        _ = float((a @ b)[0, 0])  # reading a number waits for a GPU
        best = max(best, 2 * width**3 / max(time.perf_counter() - started, 1e-9))
    return best
