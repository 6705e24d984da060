"""A made-up coding task whose labels only labelled texts can teach: one word of a text decides, the rest is noise."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from scripts.bench.coding_tasks import Row, Task

SAID = {"plus": ("window", "pencil", "bucket", "ladder"), "minus": ("carpet", "hammer", "kettle", "saddle")}
LETTERS = list("abcdefghijklmnopqrstuvwxyz")


def rows(n: int, seed: int) -> list[Row]:
    """So many distinct texts with their label ids, half of them of each."""
    random = np.random.default_rng(seed)
    made: list[Row] = []
    for number in range(n):
        label = list(SAID)[number % 2]
        noise = ["".join(random.choice(LETTERS, 5)) for _ in range(6)]
        made.append(((f"{random.choice(SAID[label])} {' '.join(noise)}",), label))
    return made


def task(train: int, test: int) -> Task:
    question = Question(
        id="moods",
        name="moods",
        kind=Kind.SINGLE,
        control=Control.CHOICES,
        fields=(Field("text", "text"),),
        labels=tuple(Label(name, name, name) for name in SAID),
    )
    return Task("moods", question, tuple(rows(train, 1)), tuple(rows(test, 2)))


def written(folder: Path, *, train: int, test: int) -> Path:
    """A folder of tasks that holds this one."""
    (folder / "moods").mkdir(parents=True)
    for part, n, seed in (("train", train, 1), ("test", test, 2)):
        with (folder / "moods" / f"{part}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([["text", "label"], *([text, label] for (text,), label in rows(n, seed))])
    return folder
