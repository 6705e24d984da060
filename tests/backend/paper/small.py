"""Small tasks with texts written for the tests."""

from __future__ import annotations

import numpy as np

from backend.paper.task import Split, Task
from labelstudio_config.codebook import Control, Field, Kind, Label, Provenance, Question

TEXT = Field("text", "text")
WORDS = ("river", "window", "yellow", "carpet", "engine", "garden", "winter", "letter", "market", "silver", "bottle")
MARKS = ("terrible awful", "lovely wonderful", "ordinary table")


def question(
    name: str, labels: int = 2, kind: Kind = Kind.SINGLE, family: str = "feeling", tuning: str = ""
) -> Question:
    control = Control.CHOICES
    made = tuple(Label(f"l{i}", f"label {i}", f"label {i}", f"It is {MARKS[i]}.") for i in range(labels))
    about = Provenance(task=name.upper(), family=family, tuning=tuning)
    return Question(name, name, kind, control, (TEXT,), made, instruction=f"What is {name}?", provenance=about)


def split(seed: int, n: int, labels: int = 2, right: float = 0.8) -> Split:
    """Texts in which a word of the label mostly stands; no two are alike."""
    rng = np.random.default_rng(seed)
    items, answers = [], []
    for i in range(n):
        label = int(rng.integers(labels))
        mark = label if rng.random() < right else int(rng.integers(labels))
        about = " ".join(rng.choice(WORDS, size=9))
        items.append((f"{about} {MARKS[mark]} {seed * 1000 + i} {' '.join(rng.choice(WORDS, size=5))}",))
        answers.append(frozenset([f"l{label}"]))
    return Split(tuple(items), tuple(answers))


def task(name: str, seed: int = 0, *, labels: int = 2, train: int = 40, test: int = 30, **about: str) -> Task:
    return Task(
        name,
        question(name, labels, **about),  # type: ignore[arg-type]
        split(10 * seed + 1, train, labels),
        split(10 * seed + 2, 8, labels),
        split(10 * seed + 3, test, labels),
        source="made for a test",
        licence="CC0",
    )
