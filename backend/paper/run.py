"""Every system on every task: what was answered before is read, the rest is asked, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Item
from backend.paper.answers import Answers, Kept, joined, key
from backend.paper.examples import Example, ExamplesError, Nearest, Pool, pool, random, scored_clusters
from backend.paper.systems import FAULTS, LABELS, System, truth
from backend.paper.task import Task
from backend.stats.f1 import Marks

RANDOM, NEAREST = "random", "nearest"
Report = Callable[[int, int], None]  # texts done, texts in all
Forecast = Callable[
    [System, Sequence[tuple["Scored", int]]], None
]  # the system; for each task how many texts it is asked


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of every system. `shots` are total numbers of examples; `seeds` draws of random ones; `limit`
    texts of a task are drawn with `seed` where there are more.
    """

    split: str = "test"
    shots: tuple[int, ...] = (0,)
    examples: str = RANDOM
    seeds: tuple[int, ...] = (0,)
    decode: str = LABELS
    paraphrases: bool = False
    limit: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `shots` is None for a system that is shown no examples."""

    system: str
    shots: int | None
    examples: str = ""
    decode: str = LABELS


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The texts of a task that are scored: `truth` [n, K], `clusters` [n] of near-duplicates."""

    task: Task
    items: tuple[Item, ...]
    truth: Marks
    clusters: NDArray[np.int64]


Variant = tuple[int, int]  # seed of the draw of examples, number of the wording
Cells = dict[tuple[Row, str], dict[Variant, Answers] | str]  # by row and task: the answers, or why there are none


def scored(task: Task, plan: Plan) -> Scored:
    """The texts of the plan's split, or a random part of them, in their order."""
    split = task.split(plan.split)
    places: NDArray[np.intp] = np.arange(len(split))
    if plan.limit is not None and len(split) > plan.limit:
        places = np.sort(np.random.default_rng([plan.seed, 1]).permutation(len(split))[: plan.limit])
    items, answers = tuple(split.items[i] for i in places), [split.answers[i] for i in places]
    return Scored(task, items, truth(task.question, answers), scored_clusters(split)[places])


@dataclass(slots=True)
class _Shelf:
    """Examples of each task, chosen once for all systems."""

    plan: Plan
    pools: dict[str, Pool | str] = field(default_factory=dict)
    chosen: dict[tuple[str, int, int], Sequence[list[Example]]] = field(default_factory=dict)

    def of(self, one: Scored, shots: int, seed: int) -> Sequence[list[Example]]:
        """The examples of each item; one list where all are shown the same. `ExamplesError`."""
        known = self._pool(one.task)
        place = (one.task.name, shots, seed)
        if place not in self.chosen:
            if self.plan.examples == NEAREST:
                self.chosen[place] = list(Nearest(known).of(one.items, shots))
            else:
                self.chosen[place] = [random(one.task.question, known, shots, seed)]
        return self.chosen[place]

    def _pool(self, task: Task) -> Pool:
        if task.name not in self.pools:
            try:
                self.pools[task.name] = pool(task, self.plan.split)
            except ExamplesError as error:
                self.pools[task.name] = str(error)
        found = self.pools[task.name]
        if isinstance(found, str):
            raise ExamplesError(found)
        return found


@dataclass(slots=True)
class _Slice:
    """Items `start` to `stop` of a cell, under the key of their answers."""

    start: int
    stop: int
    key: str
    shown: list[str] | None


@dataclass(slots=True)
class _Cell:
    """One system's answers to one task, in one variant."""

    row: Row
    one: Scored
    variant: Variant
    slices: list[_Slice]
    fault: str = ""


def rows(system: System, plan: Plan) -> list[Row]:
    """The lines that a system has in the table."""
    if not system.shows:
        return [Row(system.name, None, decode=plan.decode)]
    return [Row(system.name, k, plan.examples if k else "", plan.decode) for k in plan.shots]


def run(
    systems: Sequence[System],
    tasks: Sequence[Scored],
    plan: Plan,
    folder: Path,
    *,
    bar: Callable[[str], Report],
    forecast: Forecast = lambda system, missing: None,
) -> Cells:
    """The answers of all systems, of which `folder` keeps what was had before; one system is in memory at a time.

    A run that is stopped loses the slice that it was at. What changed (a text, a model, an example) is asked anew.
    """
    shelf, kept = _Shelf(plan), Kept(folder)
    found: Cells = {}
    for system in systems:
        cells = list(_cells(system, tasks, plan, shelf, found))
        try:
            _ask(system, cells, kept, plan, bar, forecast)
        finally:
            system.free()
        for cell in cells:
            place = (cell.row, cell.one.task.name)
            if cell.fault:
                found[place] = cell.fault
            elif not isinstance(known := found.setdefault(place, {}), str):
                known[cell.variant] = joined([_there(kept, cell, part) for part in cell.slices])
    return found


def _there(kept: Kept, cell: _Cell, part: _Slice) -> Answers:
    found = kept.get(part.key, part.stop - part.start, cell.one.truth.shape[1])
    if found is None:
        raise OSError(f"The answers {part.key[:12]} that were written are not there any more. Run it again.")
    return found


def _cells(system: System, tasks: Sequence[Scored], plan: Plan, shelf: _Shelf, found: Cells) -> Iterator[_Cell]:
    """What is to be answered; a cell that cannot be gets its reason at once."""
    for one in tasks:
        for row in rows(system, plan):
            reason = "" if one.items else f"The task '{one.task.name}' has no texts in its {plan.split} split."
            reason = reason or system.why_not(one.task, plan.decode) or ""
            try:
                if reason:
                    found[row, one.task.name] = reason
                else:
                    yield from _variants(system, one, row, plan, shelf)
            except ExamplesError as error:
                found[row, one.task.name] = str(error)


def _variants(system: System, one: Scored, row: Row, plan: Plan, shelf: _Shelf) -> Iterator[_Cell]:
    seeds = plan.seeds if row.shots and row.examples == RANDOM else plan.seeds[:1]
    for seed in seeds:
        examples = shelf.of(one, row.shots, seed) if row.shots else None
        for wording in range(system.wordings(one.task) if plan.paraphrases and seed == seeds[0] else 1):
            shown = None if examples is None else _shown(system, one, examples, wording)
            depends = system.depends(one.task, plan.decode, wording)
            yield _Cell(row, one, (seed, wording), list(_slices(system, one, depends, shown)))


def _shown(system: System, one: Scored, examples: Sequence[list[Example]], wording: int) -> list[str]:
    lines = [system.lines(one.task.question, each, wording) for each in examples]
    return lines * len(one.items) if len(lines) == 1 else lines


def _slices(system: System, one: Scored, depends: Mapping[str, object], shown: list[str] | None) -> Iterator[_Slice]:
    for start in range(0, len(one.items), system.slice):
        stop = min(start + system.slice, len(one.items))
        mine = None if shown is None else shown[start:stop]
        yield _Slice(start, stop, key(one.task.question, one.items[start:stop], depends, mine), mine)


def _ask(
    system: System,
    cells: Sequence[_Cell],
    kept: Kept,
    plan: Plan,
    bar: Callable[[str], Report],
    forecast: Forecast,
) -> None:
    """Ask for what is not kept. A cell whose system fails on it with a sentence gets that as its reason."""
    lacking = [
        (cell, part)
        for cell in cells
        for part in cell.slices
        if kept.get(part.key, part.stop - part.start, cell.one.truth.shape[1]) is None
    ]
    if not lacking:
        return
    texts = {cell.one.task.name: 0 for cell, _ in lacking}
    for cell, part in lacking:
        texts[cell.one.task.name] += part.stop - part.start
    tasks = {cell.one.task.name: cell.one for cell, _ in lacking}
    forecast(system, [(one, texts[name]) for name, one in tasks.items()])
    report, done, total = bar(system.name), 0, sum(texts.values())
    report(0, total)
    for cell, part in lacking:
        if not cell.fault:
            items = cell.one.items[part.start : part.stop]
            try:
                answers = system.answers(cell.one.task, items, part.shown, plan.decode, cell.variant[1])
                kept.put(part.key, answers)
            except FAULTS as error:
                cell.fault = str(error)
        done += part.stop - part.start
        report(done, total)
