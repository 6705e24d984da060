"""Labelled texts that a tiny encoder can learn, and tuning it on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.adapter import Manifest
from backend.engines.encoder import EncoderEngine
from backend.tuners.encoder_lora import tune_encoder
from backend.tuners.training import Labelled, Options, Step
from labelstudio_config.codebook import Kind, Question
from tests.backend.engines.questions import question, tiny_encoder

WORDS = {"joy": ("aaa", "bab", "abb"), "anger": ("kkk", "lkl", "kll"), "sadness": ("xxx", "yxy", "xyy")}
LORA = Options(seed=3, encoder="lora", epochs=3, batch=8)


def tiny(folder: Path) -> EncoderEngine:
    """A BERT of random weights as an engine."""
    path = folder if folder.exists() else tiny_encoder(folder)
    return EncoderEngine(str(path), device="cpu")


def labelled(n: int = 48, *, fields: int = 1, held: int = 8, kind: Kind = Kind.SINGLE, seed: int = 0) -> Labelled:
    """Texts of letters, each with a word of its label's; the last `held` are the validation part."""
    random, moods = np.random.default_rng(seed), list(WORDS)
    items, answers = [], []
    for row in range(n):
        mood = moods[row % 3]
        noise = [" ".join(random.choice(list("cdefghij"), size=4)) for _ in range(fields)]
        items.append(tuple(f"{random.choice(WORDS[mood])} {text}" for text in noise))
        also = {"joy"} if kind is Kind.MULTIPLE and row % 4 == 0 else set()
        answers.append(frozenset({mood} | also))
    shares = np.array([[float(mood in answer) for mood in moods] for answer in answers])
    return Labelled(items, answers, shares, np.arange(n) >= n - held, np.arange(n))


def tune(
    engine: EncoderEngine,
    folder: Path,
    texts: Labelled | None = None,
    options: Options = LORA,
    asked: Question | None = None,
    report: Callable[[Step], None] = lambda _: None,
    **more: Any,
) -> Manifest:
    """An adapter in `folder`; its checkpoints lie beside it."""
    values: dict[str, Any] = {"work": folder.with_name(f"{folder.name}-work"), "snapshot": "abc", "parent": None}
    return tune_encoder(
        engine, asked or question(), texts or labelled(), folder, options, report=report, **values | more
    )
