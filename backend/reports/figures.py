"""Where the marks of a figure stand, in per cent of its width and height; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10

from backend.findings.report import Cell, Table, Unit
from backend.learning.estimate import Estimate
from backend.reports.estimates import SPOKEN, number

STEPS = 4  # about so many steps has an axis
ALIKE = 1e-6  # numbers that are closer to each other are shown as one
DRAWABLE: tuple[Unit, ...] = ("share", "difference", "coefficient", "steps", "number")
ANCHORS: dict[Unit, tuple[float, ...]] = {"coefficient": (0.0, 1.0)}  # what intervals in rows are seen against, else 0
Triple = tuple[float, float | None, float | None]  # value, lower, upper


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, which are whole multiples of the step."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Where the value stands, in per cent from `low`; what is beyond an end stands there."""
        return round(100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low))), 2)

    @property
    def zero(self) -> float | None:
        """Where nothing stands, if there is something on both sides of it."""
        return self.at(0.0) if self.low < 0 < self.high else None

    def ticks(self) -> list[float]:
        return [self.low + k * self.step for k in range(round((self.high - self.low) / self.step) + 1)]


@dataclass(frozen=True, slots=True)
class Mark:
    """A number and its interval on an axis; `lower` and `upper` are None where the interval is withheld."""

    at: float
    lower: float | None
    upper: float | None
    across: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A column over the rows. `ticks`: height and words; `lines` join marks of neighbouring rows."""

    name: str
    unit: str
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    first: str
    last: str

    @property
    def lines(self) -> list[tuple[Mark, Mark]]:
        return list(pairwise(self.marks))


@dataclass(frozen=True, slots=True)
class Diagonal:
    """A reliability diagram: the first column of shares across, the second one up."""

    across: str
    up: str
    marks: tuple[Mark, ...]


def axis(values: Iterable[float], anchors: Iterable[float] = ()) -> Axis:
    """An axis that holds all values and anchors, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    held = [value for value in (*values, *anchors) if isfinite(value)] or [0.0, 1.0]
    low, high = min(held), max(held)
    wide = high - low
    if wide < ALIKE:
        wide = abs(high) if abs(high) > ALIKE else 1.0
    power = 10.0 ** floor(log10(wide / STEPS))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power * STEPS >= wide * (1 - 1e-9))
    bottom, top = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Axis(bottom * step, max(top, bottom + 1) * step, step)


def strips(table: Table) -> list[Axis | None]:
    """The axis of each column that its intervals are drawn on; columns of one unit have one axis."""
    found: dict[Unit, list[float]] = {}
    for row in table.cells:
        for cell, column in zip(row, table.columns, strict=True):
            if column.unit in DRAWABLE and isinstance(cell, Estimate):
                found.setdefault(column.unit, []).extend(_values(cell))
    axes = {unit: axis(values, ANCHORS.get(unit, (0.0,))) for unit, values in found.items() if values}
    return [axes.get(column.unit) if column.unit else None for column in table.columns]


def ends(unit: Unit, of: Axis) -> tuple[str, str]:
    """The words at both ends of an axis."""
    return number(of.low, unit), number(of.high, unit)


def mark(cell: Cell, on: Axis, across: float = 0.0) -> Mark | None:
    """A cell on an axis, None where it has no number."""
    triple = _triple(cell)
    if triple is None:
        return None
    value, *bounds = triple
    lower, upper = (None if bound is None else on.at(bound) for bound in bounds)
    return Mark(on.at(value), lower, upper, across)


def panels(table: Table) -> tuple[Panel, ...]:
    """A panel for each column of numbers that can be drawn, from the first row to the last; columns of one unit have
    one axis.
    """
    units = {k: column.unit for k, column in enumerate(table.columns) if column.unit in DRAWABLE}
    values: dict[Unit, list[float]] = {}
    for k, unit in units.items():
        assert unit is not None
        values.setdefault(unit, []).extend(value for row in table.cells for value in _values(row[k]))
    axes = {unit: axis(found) for unit, found in values.items() if found}
    return tuple(_panel(table, k, unit, axes[unit]) for k, unit in units.items() if unit in axes)


def _panel(table: Table, k: int, unit: Unit, on: Axis) -> Panel:
    last = max(1, len(table.rows) - 1)
    across = [100 * n / last if len(table.rows) > 1 else 50.0 for n in range(len(table.rows))]
    marks = (mark(row[k], on, round(x, 2)) for row, x in zip(table.cells, across, strict=True))
    ticks = tuple((round(100 - on.at(value), 2), number(value, unit)) for value in on.ticks())
    found = tuple(one for one in marks if one is not None)
    return Panel(table.columns[k].name, SPOKEN.get(unit, ""), ticks, found, table.rows[0], table.rows[-1])


def diagonal(table: Table) -> Diagonal | None:
    """The diagram; None where a table has no two columns of shares, or no row with both."""
    shares = [k for k, column in enumerate(table.columns) if column.unit == "share"]
    if len(shares) < 2:
        return None
    across, up = shares[:2]
    unit = Axis(0.0, 1.0, 0.25)
    found = []
    for row in table.cells:
        said = _triple(row[across])
        if said is not None and (made := mark(row[up], unit, unit.at(said[0]))) is not None:
            found.append(made)
    return Diagonal(table.columns[across].name, table.columns[up].name, tuple(found)) if found else None


def shades(table: Table) -> list[list[float | None]]:
    """How dark each cell of a confusion is, 0 to 1: its part of the row's sum. None where there is no number."""
    return [_parts([triple and triple[0] for triple in map(_triple, row)]) for row in table.cells]


def _parts(values: Sequence[float | None]) -> list[float | None]:
    whole = sum(value for value in values if value is not None)
    return [None if value is None else round(value / whole, 3) if whole else 0.0 for value in values]


def _triple(cell: Cell) -> Triple | None:
    if isinstance(cell, Estimate):
        return None if cell.value is None else (cell.value, cell.lower, cell.upper)
    return (float(cell), None, None) if isinstance(cell, int | float) else None


def _values(cell: Cell) -> Iterator[float]:
    triple = _triple(cell)
    yield from (value for value in triple or () if value is not None)
