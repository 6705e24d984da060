"""Folders of labelled texts, a sign in each for its label, that are unlike each other."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SIGNS = {
    "emotion": {"anger": "zzz", "joy": "aaa", "optimism": "ooo", "sadness": "!!!"},
    "humor": {"non-humorous": "nnn", "humorous": "hhh"},
    "complaints": {"not complaint": "ccc", "complaint": "ppp"},
    "irony": {"not ironic": "iii", "ironic": "rrr"},
}


def rows(task: str, n: int, seed: int = 0) -> list[tuple[str, str]]:
    """So many texts of letters with their labels, each label in turn."""
    random = np.random.default_rng([seed, *task.encode()])
    labels = list(SIGNS[task])
    made = []
    for k in range(n):
        label = labels[k % len(labels)]
        noise = ["".join(random.choice(list("bdefgjklmqstuvwxy"), size=5)) for _ in range(3)]
        made.append((f"{SIGNS[task][label]} {' '.join(noise)}", label))
    return made


def folders(place: Path, tasks: Sequence[str] = tuple(SIGNS), *, train: int = 24, test: int = 8) -> Path:
    """A folder for each task, with train.csv and test.csv."""
    for task in tasks:
        made = rows(task, train + test)
        (place / task).mkdir(parents=True)
        for name, part in (("train", made[:train]), ("test", made[train:])):
            with (place / task / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([("text", "label"), *part])
    return place
