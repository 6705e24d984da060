"""Rows of a task as they stream by: labels mapped, what cannot be used counted, and no more kept than is wanted."""

from __future__ import annotations

import random
from collections import Counter

from backend.engines.protocol import Item
from backend.paper.offer import Gathered, How, Row, SourceError
from backend.paper.spelling import Spelling
from backend.paper.task import SPLITS

SHOWN = 5  # labels that a sentence names


class Gathering:
    """What is kept of one task. Of a split with a cap it is a uniform sample of all usable rows (Vitter 1985, algorithm
    R), the same for the same seed."""

    def __init__(self, into: Gathered, spelling: Spelling, how: How) -> None:
        self.into, self._spelling, self._how = into, spelling, how
        self._kept: dict[str, list[tuple[int, Row]]] = {split: [] for split in SPLITS}
        self._met: Counter[str] = Counter()
        self._draws = {split: random.Random(f"{how.seed} {into.name} {split}") for split in SPLITS}
        self.rows = 0
        self.lost: Counter[str] = Counter()  # reason -> rows
        self.unknown: Counter[str] = Counter()  # label as spelled -> rows

    def add(self, split: str, item: Item | None, label: str, why_not: str = "cannot be split into two texts") -> None:
        """A row of a split; `item` is None where the source could not say what its texts are, `why_not` says why."""
        self.rows += 1
        if not label.strip():
            self.lost["have no label"] += 1
        elif item is None:
            self.lost[why_not] += 1
        elif not all(text.strip() for text in item):
            self.lost["have an empty text"] += 1
        else:
            answer = self._spelling.read(label)
            if answer is None:
                self.unknown[label.strip()] += 1
            else:
                self._keep(split, (item, answer))

    def lose(self, reason: str) -> None:
        """A row that its source knows to be of no use."""
        self.rows += 1
        self.lost[reason] += 1

    def done(self) -> Gathered:
        """What was kept, with a sentence on each sort of rows that was not. SourceError when that is most of them."""
        unknown = sum(self.unknown.values())
        if 2 * unknown > self.rows:
            raise SourceError(
                f"Most labels of '{self.into.name}' ({unknown:,} of {self.rows:,} rows from {self.into.source}) are "
                f"none of its codebook's: {_named(self.unknown)}. Its labels are: "
                f"{', '.join(label.code for label in self.into.question.labels)}. Give a codebook that has the labels."
            )
        if self.rows and not any(self._kept.values()):
            raise SourceError(
                f"No row of '{self.into.name}' from {self.into.source} can be used: of {self.rows:,} rows "
                f"{', '.join(f'{n:,} {reason}' for reason, n in self.lost.items())}. Use another source for this task."
            )
        for split, kept in self._kept.items():
            self.into.rows[split] += [row for _, row in sorted(kept, key=lambda one: one[0])]
            if self._met[split] > len(kept):
                self.into.remarks.append(
                    f"{len(kept):,} of {self._met[split]:,} {split} texts were drawn with seed {self._how.seed}."
                )
        if unknown:
            self.into.remarks.append(
                f"{unknown:,} of {self.rows:,} rows have a label that the codebook does not have and were left out: "
                f"{_named(self.unknown)}."
            )
        for reason, n in self.lost.items():
            self.into.remarks.append(f"{n:,} of {self.rows:,} rows {reason} and were left out.")
        return self.into

    def _keep(self, split: str, row: Row) -> None:
        place, cap = self._met[split], self._how.caps.of(split)
        self._met[split] += 1
        kept = self._kept[split]
        if cap is None or len(kept) < cap:
            kept.append((place, row))
            return
        drawn = self._draws[split].randrange(place + 1)
        if drawn < cap:
            kept[drawn] = (place, row)


def _named(labels: Counter[str]) -> str:
    """'"yes" (12), "no" (3) and 2 more'."""
    most = labels.most_common(SHOWN)
    said = ", ".join(f"'{label[:40]}' ({n:,})" for label, n in most)
    return f"{said} and {len(labels) - len(most)} more" if len(labels) > len(most) else said
