"""Three small tasks that a tiny Llama can learn, and tuning it on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.engines.causal import CausalEngine
from backend.engines.models import find_causal
from backend.tuners.instruct import Made, Taught, instruct
from backend.tuners.presets import Recipe, recipe
from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from tests.backend.engines.questions import MOODS, TEXT

SIGNS = {"joy": "aaa", "anger": "zzz", "sadness": "!!!", "yes": "ppp", "no": "qqq", "low": "ttt", "high": "vvv"}
SMALL = recipe("packed", rate=0.02, epochs=3, batch=8, together=4, dropout=0.0, rank=4, patience=9)
WHOLE = recipe("packed", weights="all", rate=0.005, epochs=3, batch=8, together=4, patience=9)


def asked(name: str, labels: Sequence[str], kind: Kind = Kind.SINGLE, fields: int = 1) -> Question:
    made = tuple(Label(one, one, one, f"Texts that are {one}.") for one in labels)
    return Question(name, name, kind, Control.CHOICES, (TEXT, Field("reply", "reply"))[:fields], made)


MOOD = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), MOODS)
POLITE = asked("polite", ("yes", "no"), fields=2)
TOPICS = asked("topics", ("low", "high"), Kind.MULTIPLE)
UNSEEN = asked("unseen", ("no", "yes"))


def taught(question: Question, n: int = 12, *, start: int = 0, **more: Any) -> Taught:
    """Texts with a sign of their label's."""
    ids = question.label_ids
    labels = [ids[k % len(ids)] for k in range(start, start + n)]
    items = tuple(
        tuple(f"{SIGNS[label]} {k} {field.name}" for field in question.fields) for k, label in enumerate(labels, start)
    )
    return Taught(question.name, question, items, tuple(frozenset({label}) for label in labels), **more)


def three(n: int = 12, start: int = 0) -> list[Taught]:
    return [taught(question, n, start=start) for question in (MOOD, POLITE, TOPICS)]


def engine(folder: Path, **more: Any) -> CausalEngine:
    return CausalEngine(find_causal(str(folder)), device="cpu", ready=False, **more)


def tune(model: Path, folder: Path, used: Recipe = SMALL, **more: Any) -> Made:
    """What is made of the model in a folder; checkpoints lie beside it."""
    values: dict[str, Any] = {"work": folder.with_name(f"{folder.name}-work"), "report": lambda _: None}
    values |= {"watched": [taught(UNSEEN, 4)]} | more
    return instruct(engine(model), three(), three(4, 30), used, folder, **values)
