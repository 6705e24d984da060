"""A report as one HTML page that needs nothing else: no script, no network, figures as SVG inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.findings.report import Report, Section, Table
from backend.reports import figures
from backend.reports.estimates import NOBODY
from backend.reports.figures import Axis, Diagonal, Mark, Panel
from backend.reports.sheet import Sheet, Written, lettered, sheet
from backend.reports.written import INTERVALS, titled

WIDE = 8  # columns from which on a table is printed across the page


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `ends`: the words at both ends of the axis its intervals are drawn on, or None."""

    name: str
    unit: str
    numbers: bool
    ends: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of the page, over `span` columns; `letter` stands for a reason below the table, `mark` is the number on
    `axis`.
    """

    written: Written
    numbers: bool
    span: int = 1
    letter: str = ""
    axis: Axis | None = None
    mark: Mark | None = None
    shade: float | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A table of the page; `anchor` is its place in the page, `reasons` are letters and what they stand for."""

    anchor: str
    table: Table
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, tuple[Box, ...]], ...]
    reasons: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]
    diagonal: Diagonal | None
    wide: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the page: its tables by question, in the order of the report."""

    section: Section
    parts: tuple[tuple[str, tuple[Leaf, ...]], ...]


def html(report: Report) -> str:
    """The page; every text in it is escaped."""
    taken = dict.fromkeys(["contents", *(section.key for section in report.sections)], 1)
    chapters = [_chapter(section, taken) for section in report.sections]
    return environment().get_template("report.html").render(report=report, chapters=chapters, intervals=INTERVALS)


@cache
def environment() -> Environment:
    """What fills the templates of this room; every text is escaped."""
    made = Environment(
        loader=PackageLoader("backend.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters["minus"] = _minus
    made.filters["titled"] = titled
    return made


def _minus(words: str) -> str:
    """Numbers with the sign that is as wide as a plus, and that is read aloud."""
    return words.replace("-", "\N{MINUS SIGN}")


def _chapter(section: Section, taken: dict[str, int]) -> Chapter:
    leaves = [_leaf(table, _anchor(f"{section.key}-{table.key}", taken)) for table in section.tables]
    grouped = groupby(leaves, key=lambda leaf: leaf.table.question)
    return Chapter(section, tuple((question, tuple(group)) for question, group in grouped))


def _anchor(name: str, taken: dict[str, int]) -> str:
    """A name that nothing else in the page has."""
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}-{taken[name]}"


def _leaf(table: Table, anchor: str) -> Leaf:
    found = sheet(table)
    axes = figures.strips(table) if table.drawn == "intervals" else [None] * len(table.columns)
    reasons = lettered(cell.reason for row in found.cells for cell in row if cell.value != NOBODY)
    return Leaf(
        anchor,
        table,
        _heads(table, found, axes),
        tuple(zip(table.rows, map(_joined, _boxes(table, found, axes, reasons)), strict=True)),
        tuple((letter, reason) for reason, letter in reasons.items()),
        figures.panels(table) if table.drawn == "time" and table.rows else (),
        figures.diagonal(table) if table.drawn == "reliability" else None,
        wide=len(found.columns) >= WIDE,
    )


def _heads(table: Table, found: Sheet, axes: Sequence[Axis | None]) -> tuple[Head, ...]:
    heads = [
        Head(name, spoken, column.unit is not None, figures.ends(column.unit, axis) if column.unit and axis else None)
        for (name, spoken), column, axis in zip(found.columns, table.columns, axes, strict=False)
    ]
    return (*heads, *(Head(name, spoken, True, None) for name, spoken in found.columns[len(heads) :]))


def _boxes(
    table: Table, found: Sheet, axes: Sequence[Axis | None], reasons: Mapping[str, str]
) -> Iterator[tuple[Box, ...]]:
    shades = figures.shades(table) if table.drawn == "confusion" else None
    for k, (cells, written) in enumerate(zip(table.cells, found.cells, strict=True)):
        boxes = [
            Box(
                one,
                numbers=column.unit is not None,
                letter=reasons.get(one.reason, ""),
                axis=axis,
                mark=figures.mark(cell, axis) if axis else None,
                shade=shades[k][j] if shades else None,
            )
            for j, (one, cell, column, axis) in enumerate(zip(written, cells, table.columns, axes, strict=False))
        ]
        yield (*boxes, *(Box(one, numbers=True) for one in written[len(boxes) :]))


def _joined(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Neighbours that lack their numbers for the same reason say so once."""
    joined: list[Box] = []
    for box in boxes:
        last = joined[-1] if joined else None
        if last is not None and box.written.reason and box.written.value == NOBODY and last.written == box.written:
            joined[-1] = replace(last, span=last.span + 1)
        else:
            joined.append(box)
    return tuple(joined)
