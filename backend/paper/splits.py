"""Splits that are apart: no text of train says nearly what a text of validation or test says."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.assist.near_duplicates import clusters
from backend.paper.offer import Gathered, How, Row
from backend.paper.task import SPLITS, Split, Task

HELD = 0.1  # share of the training texts that is the validation part where the data has none
FIRST = ("test", "validation", "train")  # a text in two of them stays in the first
Places = Mapping[str, Sequence[int]]  # split -> the cluster of each of its rows


def finished(parts: Sequence[Gathered], how: How) -> Task:
    """One task of what one or several sources gathered for the same question."""
    first = parts[0]
    remarks = [remark if len(parts) == 1 else f"{part.source}: {remark}" for part in parts for remark in part.remarks]
    rows, places = _apart(parts, remarks)
    if rows["train"] and not rows["validation"]:
        rows["train"], rows["validation"] = held_out(rows["train"], places["train"], HELD, how.seed)
        remarks.append(
            f"The data has no validation part: {len(rows['validation']):,} training texts, near-duplicates together "
            f"and each label with its share, were held out with seed {how.seed}."
        )
    splits = {split: _split(_capped(rows[split], how.caps.of(split), f"{how.seed} {split}")) for split in SPLITS}
    return Task(
        name=first.name,
        question=first.question,
        source=", ".join(dict.fromkeys(part.source for part in parts)),
        licence="; ".join(dict.fromkeys(part.licence for part in parts if part.licence)),
        remarks=tuple(remarks),
        **splits,
    )


@dataclass(slots=True)
class _Met:
    """Where a cluster was met first."""

    split: str
    part: int


def _apart(parts: Sequence[Gathered], remarks: list[str]) -> tuple[dict[str, list[Row]], Places]:
    """The rows of all parts without those whose like is in a split that goes first, or in an earlier part's."""
    where = [(split, n, row) for split in FIRST for n, part in enumerate(parts) for row in part.rows[split]]
    roots = clusters({place: row[0] for place, (_, _, row) in enumerate(where)}) if where else {}
    met: dict[int, _Met] = {}
    rows: dict[str, list[Row]] = {split: [] for split in SPLITS}
    places: dict[str, list[int]] = {split: [] for split in SPLITS}
    near: dict[tuple[str, str], int] = defaultdict(int)
    twice = 0
    for place, (split, part, row) in enumerate(where):
        first = met.setdefault(roots[place], _Met(split, part))
        if first.split != split:
            near[split, first.split] += 1
        elif first.part != part:
            twice += 1
        else:
            rows[split].append(row)
            places[split].append(roots[place])
    remarks += [
        f"{n:,} {split} texts are the same as {other} texts, or nearly, and were left out."
        for (split, other), n in near.items()
    ]
    if twice:
        remarks.append(f"{twice:,} texts came from a second source too, or nearly so, and were counted once.")
    return rows, places


def held_out(rows: Sequence[Row], places: Sequence[int], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """What stays, and what is held out: of each answer about this share of its texts, by whole clusters, but never the
    last one. `places`: the cluster of each row."""
    members: dict[int, list[int]] = defaultdict(list)
    for n, place in enumerate(places):
        members[place].append(n)
    by_answer: dict[tuple[str, ...], list[list[int]]] = defaultdict(list)
    for together in members.values():
        by_answer[tuple(sorted(rows[together[0]][1]))].append(together)
    out: set[int] = set()
    for answer in sorted(by_answer):
        sets = by_answer[answer]
        random.Random(f"{seed} {answer}").shuffle(sets)
        wanted, taken = round(share * sum(map(len, sets))), 0
        for together in sets[:-1]:
            if taken + len(together) <= wanted:
                out.update(together)
                taken += len(together)
    train = [row for n, row in enumerate(rows) if n not in out]
    return train, [row for n, row in enumerate(rows) if n in out]


def _capped(rows: Sequence[Row], cap: int | None, seed: str) -> Sequence[Row]:
    """A sample of the rows in their order, where there are more than wanted."""
    if cap is None or len(rows) <= cap:
        return rows
    return [rows[n] for n in sorted(random.Random(seed).sample(range(len(rows)), cap))]


def _split(rows: Sequence[Row]) -> Split:
    return Split(tuple(item for item, _ in rows), tuple(answer for _, answer in rows))
