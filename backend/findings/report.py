"""What a report is: sections of tables whose every number has its n, its interval and the origin of its labels.

Nothing here knows how it is shown. `backend.reports` makes a page, Markdown, JSON or a tidy CSV file of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backend.learning.estimate import Estimate

# How a number is read: a share of 1 (shown in per cent), a difference of two shares (in points), a coefficient, a
# number of texts or the like, steps between ordered labels, seconds, or as it is.
Unit = Literal["share", "difference", "coefficient", "count", "steps", "seconds", "number"]
Cell = Estimate | int | float | str | None  # None: there is nothing to say, as on the diagonal of a table of pairs
# How a table may be drawn beside its numbers: intervals in rows, a line a column over the rows (which are in the order
# of time), a reliability diagram, a shaded confusion.
Drawn = Literal["", "intervals", "time", "reliability", "confusion"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and how its numbers are read; None where it holds words."""

    name: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of one question, or of the whole project where `question` is ''.

    `key` names the table for programs: small letters, digits and hyphens, the same in every report. `head` says what
    the rows are ("label", "coder"). `cells` [rows][columns]. `origin`: whose labels of which texts, and whether they
    were given blind ("gate texts, coded blind by 3 coders"). `notes` are sentences below it.
    """

    key: str
    title: str
    question: str
    head: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, ...], ...]
    origin: str
    notes: tuple[str, ...] = ()
    drawn: Drawn = ""

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.rows) or any(len(row) != len(self.columns) for row in self.cells):
            raise ValueError(f"The table '{self.key}' has cells that are in no row or column.")


@dataclass(frozen=True, slots=True)
class Example:
    """A text that is shown to a person, never of the audit before the test is opened: its id in the corpus, its fields,
    and what was said of it (named facts, such as 'coders': 'joy', 'suggested': 'anger').
    """

    external_id: str
    fields: tuple[str, ...]
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts under a title; `notes` say how they were chosen."""

    title: str
    question: str
    texts: tuple[Example, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. `key` as in `Table`. `text`: paragraphs, whole sentences for a person who knows no
    statistics beyond a first course. `missing`: why there is nothing, and what to do; '' where there is something.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    examples: tuple[Examples, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`facts`: what the report is about, name -> value: project, phase, codebook, release, model, date, seed ..."""

    title: str
    facts: Mapping[str, str]
    sections: tuple[Section, ...] = field(default_factory=tuple)
