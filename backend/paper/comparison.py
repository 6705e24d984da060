"""Systems side by side: a figure for each on each task, means over groups of tasks, and tests against a reference."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.paper.answers import Answers
from backend.paper.figures import (
    ACCURACY,
    LABELS,
    MACRO,
    SWAPS,
    LabelFigures,
    Sensitivity,
    by_label,
    exchanged,
    holm,
    interval,
    p_value,
    resampled,
    sensitivity,
)
from backend.paper.run import Cells, Plan, Row, Scored, Variant
from backend.paper.saw import Saw
from backend.paper.systems import System
from backend.stats.bootstrap import Array
from backend.stats.f1 import Marks
from backend.stats.interval import LEVEL, Interval
from backend.stats.promise import FEW, GROUPS

T = TypeVar("T", "Figure", "Mean")
ALL, SEEN, RELATED = "all tasks", "seen tasks", "related tasks"


@dataclass(frozen=True, slots=True)
class Test:
    """A difference of macro F1 to the reference, on the same texts; `adjusted` is p after Holm's correction."""

    reference: Row
    difference: Interval
    p: float
    adjusted: float = float("nan")


@dataclass(frozen=True, slots=True)
class Seed:
    """What one draw of examples came to; `labels` are the figures of each label, with the interval of its F1."""

    seed: int
    macro: Interval
    accuracy: Interval
    labels: tuple[tuple[LabelFigures, Interval], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table on a task: figures of its `n` texts in `groups` clusters, or the reason why there are none.

    `macro` and `accuracy` are means over the seeds; `unparsed` are answers that were none of the labels, in all seeds;
    `cut` texts that were not read to their end. `thin` says why an interval deserves less trust.
    """

    row: Row
    task: str
    saw: Saw
    about: Mapping[str, str]
    n: int = 0
    groups: int = 0
    macro: Interval | None = None
    accuracy: Interval | None = None
    seeds: tuple[Seed, ...] = ()
    unparsed: int = 0
    cut: int = 0
    sensitivity: Sensitivity | None = None
    test: Test | None = None
    thin: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Mean:
    """A row's mean macro F1 over a group of tasks, each counting the same; or why there is none.

    `spread` is the standard deviation of this mean over the seeds; NaN where there is one.
    """

    row: Row
    group: str
    tasks: int
    macro: Interval | None = None
    spread: float = float("nan")
    test: Test | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a table says; `groups` are tasks by name of the group."""

    plan: Plan
    level: float
    rows: tuple[Row, ...]
    tasks: tuple[Scored, ...]
    figures: Mapping[tuple[Row, str], Figure]
    groups: Mapping[str, tuple[str, ...]]
    means: Mapping[tuple[Row, str], Mean]
    references: Mapping[Row, Row]


@dataclass(slots=True)
class _Drawn:
    """Resamples [1 + draws] of the macro F1 of a row by task, those of each seed, and exchanges by task."""

    macro: dict[tuple[Row, str], Array] = field(default_factory=dict)
    seeds: dict[tuple[Row, str], Array] = field(default_factory=dict)
    exchanges: dict[tuple[Row, str], Array] = field(default_factory=dict)


def compare(
    systems: Sequence[System],
    tasks: Sequence[Scored],
    cells: Cells,
    plan: Plan,
    *,
    reference: str,
    level: float = LEVEL,
) -> Comparison:
    """The comparison of what all systems answered; `reference` is the name of one of them."""
    by_name = {system.name: system for system in systems}
    rows = tuple(dict.fromkeys(row for row, _ in cells))
    references = _references(rows, reference)
    drawn, figures = _Drawn(), dict[tuple[Row, str], Figure]()
    for one in tasks:
        name = one.task.name
        there: dict[Row, Mapping[Variant, Answers]] = {}
        for row in rows:
            system, given = by_name[row.system], cells[row, name]
            figure = Figure(row, name, system.saw(one.task), system.about(one.task))
            if isinstance(given, str):
                figures[row, name] = replace(figure, missing=given)
            else:
                figures[row, name], there[row] = figure, given
        for row, found in _figured(one, there, figures, plan, level, drawn).items():
            figures[row, name] = found
        for row, other in references.items():
            if row in there and other in there:
                test = _tested(one, there, (row, other), plan, level, drawn)
                figures[row, name] = replace(figures[row, name], test=test)
    _adjust(rows, [one.task.name for one in tasks], figures)
    groups = _groups(tasks)
    means = {
        (row, name): _mean(row, name, group, drawn, references, level) for row in rows for name, group in groups.items()
    }
    _adjust(rows, list(groups), means)
    return Comparison(plan, level, rows, tuple(tasks), figures, groups, means, references)


def _references(rows: Sequence[Row], reference: str) -> dict[Row, Row]:
    """What each row is tested against: the reference with as many examples, else its first row; not itself."""
    known = [row for row in rows if row.system == reference]
    if not known:
        return {}
    by_shots = {row.shots: row for row in known}
    found = {row: by_shots.get(row.shots, known[0]) for row in rows}
    return {row: other for row, other in found.items() if row != other}


def drawing(plan: Plan, task: str) -> int:
    """The seed of a task's resamples: they are drawn for each task by itself."""
    return int.from_bytes(hashlib.sha256(f"{plan.seed} {task}".encode()).digest()[:6], "big")


def _figured(
    one: Scored,
    there: Mapping[Row, Mapping[Variant, Answers]],
    figures: Mapping[tuple[Row, str], Figure],
    plan: Plan,
    level: float,
    drawn: _Drawn,
) -> dict[Row, Figure]:
    """The figures of each row that has answers, all from the same resamples."""
    own = {row: _seeds(given) for row, given in there.items()}
    flat = [marks for by_seed in own.values() for marks in by_seed.values()]
    if not flat:
        return {}
    name, at, found = one.task.name, 0, {}
    computed = resampled(one.truth, np.stack(flat, axis=1), one.clusters, drawing(plan, name))
    for row, by_seed in own.items():
        mine = computed[:, at : at + len(by_seed)]
        at += len(by_seed)
        drawn.macro[row, name], drawn.seeds[row, name] = mine[:, :, MACRO].mean(axis=1), mine[0, :, MACRO]
        seeds = [_seed(seed, one.truth, said, mine[:, n], level) for n, (seed, said) in enumerate(by_seed.items())]
        answers = [answers for (_, wording), answers in there[row].items() if not wording]
        found[row] = replace(
            figures[row, name],
            n=len(one.items),
            groups=len(np.unique(one.clusters)),
            macro=interval(drawn.macro[row, name], level),
            accuracy=interval(mine[:, :, ACCURACY].mean(axis=1), level),
            seeds=tuple(seeds),
            unparsed=sum(int(one.unparsed.sum()) for one in answers),
            cut=int((answers[0].cut > 0).sum()),
            sensitivity=_sensitivity(one.truth, there[row]),
            thin=_thin(one, np.stack([*by_seed.values()], axis=1)),
        )
    return found


def _seeds(given: Mapping[Variant, Answers]) -> dict[int, Marks]:
    """Seed -> what was said, asked in the system's own wording."""
    return {seed: answers.marks for (seed, wording), answers in given.items() if not wording}


def _seed(seed: int, truth: Marks, marks: Marks, drawn: Array, level: float) -> Seed:
    each = by_label(truth, marks)
    intervals = [interval(drawn[:, LABELS + k], level) for k in range(len(each))]
    macro, accuracy = (interval(drawn[:, place], level) for place in (MACRO, ACCURACY))
    return Seed(seed, macro, accuracy, tuple(zip(each, intervals, strict=True)))


def _sensitivity(truth: Marks, given: Mapping[Variant, Answers]) -> Sensitivity | None:
    first = next(iter(given))[0]
    said = [answers.marks for (seed, _), answers in given.items() if seed == first]
    return sensitivity(truth, np.stack(said, axis=1)) if len(said) > 1 else None


def _thin(one: Scored, said: NDArray[np.bool_]) -> str:
    """Why a percentile interval of these texts is likely too narrow; see `backend.stats.promise`."""
    groups = len(np.unique(one.clusters))
    if groups < GROUPS:
        return f"only {groups} texts, or groups of near-duplicates"
    occurring = one.truth.any(axis=0) | said.any(axis=(0, 1))
    fewest = min((len(np.unique(one.clusters[column])) for column in one.truth.T[occurring]), default=0)
    return f"only {fewest} texts have the rarest label" if fewest < FEW else ""


def _tested(
    one: Scored,
    there: Mapping[Row, Mapping[Variant, Answers]],
    pair: tuple[Row, Row],
    plan: Plan,
    level: float,
    drawn: _Drawn,
) -> Test:
    """A row against another; where only one of them has several seeds, each of them meets the other's one."""
    name, (row, other) = one.task.name, pair
    sides = [[*_seeds(there[each]).values()] for each in pair]
    pairs = max(map(len, sides))
    mine, theirs = (np.stack((side * pairs)[:pairs], axis=1) for side in sides)
    found = exchanged(one.truth, mine, theirs, one.clusters, drawing(plan, name), swaps=SWAPS)
    drawn.exchanges[row, name] = found
    return Test(other, interval(drawn.macro[row, name] - drawn.macro[other, name], level), p_value(found))


def _groups(tasks: Sequence[Scored]) -> dict[str, tuple[str, ...]]:
    """Name -> tasks of each group of two or more: all, those that SOCIALITE saw, those it did not, each family."""
    named = {ALL: [one.task.name for one in tasks]}
    for name, tuning in ((SEEN, "seen"), (RELATED, "related")):
        named[name] = [one.task.name for one in tasks if one.task.tuning == tuning]
    for one in tasks:
        if one.task.family:
            named.setdefault(one.task.family, []).append(one.task.name)
    return {name: tuple(group) for name, group in named.items() if len(group) > 1}


def _mean(
    row: Row, name: str, group: Sequence[str], drawn: _Drawn, references: Mapping[Row, Row], level: float
) -> Mean:
    """The resamples are of the texts of each task by itself; which tasks there are is taken as given."""
    there = [task for task in group if (row, task) in drawn.macro]
    if len(there) < len(group):
        return Mean(row, name, len(group), missing=f"answers {len(there)} of {len(group)} tasks")
    found = np.mean([drawn.macro[row, task] for task in group], axis=0)
    seeds = np.mean([np.resize(drawn.seeds[row, task], _most(row, group, drawn)) for task in group], axis=0)
    test = None
    if row in references and all((row, task) in drawn.exchanges for task in group):
        other = references[row]
        theirs = np.mean([drawn.macro[other, task] for task in group], axis=0)
        p = p_value(np.mean([drawn.exchanges[row, task] for task in group], axis=0))
        test = Test(other, interval(found - theirs, level), p)
    spread = float(seeds.std(ddof=1)) if len(seeds) > 1 else float("nan")
    return Mean(row, name, len(group), interval(found, level), spread, test)


def _most(row: Row, group: Sequence[str], drawn: _Drawn) -> int:
    return max(len(drawn.seeds[row, task]) for task in group)


def _adjust(rows: Sequence[Row], names: Sequence[str], found: dict[tuple[Row, str], T]) -> None:
    """Holm's correction of each row's tests, over these names."""
    for row in rows:
        tests = [(name, test) for name in names if (test := found[row, name].test) is not None]
        for (name, test), p in zip(tests, holm([test.p for _, test in tests]), strict=True):
            found[row, name] = replace(found[row, name], test=replace(test, adjusted=p))
