"""Small labelled texts, written to folders of CSV."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

NOUNS = ("harbour", "violin", "glacier", "market", "orchard", "tunnel", "lantern", "meadow", "printer", "saddle")
VERBS = ("crosses", "paints", "forgets", "repairs", "measures", "borrows", "follows", "washes", "counts", "hides")


def sentence(number: int) -> str:
    """A sentence that is no near-duplicate of another number's."""
    some = random.Random(f"sentence {number}")
    letters = "".join(some.choices("bcdfghklmnprstvw", k=6))
    return (
        f"The {some.choice(NOUNS)} {some.choice(VERBS)} {letters} while {number} {some.choice(NOUNS)}s wait {letters}"
    )


def table(path: Path, rows: Sequence[Sequence[object]], columns: Sequence[str] = ("text", "label")) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)


def labelled(start: int, n: int, labels: Sequence[str]) -> list[tuple[str, str]]:
    """So many sentences, the labels in turn."""
    return [(sentence(start + k), labels[k % len(labels)]) for k in range(n)]
