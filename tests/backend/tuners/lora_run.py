"""A small run of the causal tuner, here and in a process that can be killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.adapter import Manifest
from backend.engines.causal import CausalEngine
from backend.tuners.training import Labelled, Options, Step
from backend.tuners.tune import tune
from labelstudio_config.codebook import Question
from tests.backend.engines.llamas import weights
from tests.backend.engines.questions import question

WORDS = {"joy": "aaa", "anger": "zzz", "sadness": "!!!"}
OPTIONS = Options(rate=0.01, epochs=5, batch=4, patience=5, dropout=0.1)


def engine(folder: Path) -> CausalEngine:
    return CausalEngine(weights(folder, 900), device="cpu")


def labelled(n: int = 18, *, held: int = 6, **more: Any) -> Labelled:
    """Texts whose word tells their label; the last `held` are the validation part."""
    labels = [list(WORDS)[k % 3] for k in range(n)]
    values: dict[str, Any] = {
        "items": [(f"{WORDS[label]} {k // 3}",) for k, label in enumerate(labels)],
        "answers": [frozenset({label}) for label in labels],
        "shares": np.eye(3)[np.arange(n) % 3],
        "held": np.arange(n) >= n - held,
        "clusters": np.arange(n),
    }
    return Labelled(**values | more)


def run(
    scorer: CausalEngine,
    folder: Path,
    *,
    given: Labelled | None = None,
    options: Options = OPTIONS,
    asked: Question | None = None,
    **more: Any,
) -> Manifest:
    values: dict[str, Any] = {"work": folder.with_name(f"{folder.name}-work"), "snapshot": "s" * 64, "parent": None}
    values |= {"report": lambda _: None} | more
    return tune(scorer, asked or question(), labelled() if given is None else given, folder, options, **values)


def child(model: str, folder: str) -> None:
    """Run in a process of its own, a line for each step."""

    def tell(step: Step) -> None:
        print(step.stage, step.done, flush=True)

    run(engine(Path(model)), Path(folder), report=tell)
