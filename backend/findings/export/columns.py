"""Columns of an exported table: each with what it means, and the corpus' own among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.corpus.long_table import OTHER, joined, text_names
from backend.corpus.tables import cells
from backend.corpus.tables.cells import Cell, is_number
from backend.corpus.tables.names import Names, slug
from backend.corpus.tables.writing import Column, Kind
from backend.findings.export.source import rows
from labelstudio_config.codebook import Codebook

CHANCE = (
    "chance that the text is in the random sample that estimates of this question use; 0: it is out of reach of the "
    "draw, or not of this part; empty: there is no sample"
)
STREAM = "audit: coded blind; control: random, coded with suggestions; work: in any order; empty: not drawn"
ROLE = "of an audit text: gate (used in development) or test (kept for the end)"
EXPOSURES = "none, assisted (ticked) or beside (in words)"
LONGEST_NUMBER = 15  # characters, all of whose digits every program keeps


@dataclass(frozen=True, slots=True)
class Described:
    """A column and what the dictionary says of it beside its meaning: ids of a question and a label, and what may stand
    in its cells.
    """

    column: Column
    question: str = ""
    label: str = ""
    values: str = ""


def described(name: str, kind: Kind, meaning: str, question: str = "", label: str = "", values: str = "") -> Described:
    return Described(Column(name, kind, meaning), question, label, values)


def texts(book: Codebook, given: Names) -> tuple[Described, ...]:
    """The columns of the codebook's texts, in its order."""
    pairs = zip(text_names(book, given), book.fields, strict=True)
    return tuple(described(name, Kind.TEXT, f"text '{each.title or each.name}'") for name, each in pairs)


@dataclass(frozen=True, slots=True)
class Other:
    """A column of the corpus that is no text: its key there, what it becomes here, and what makes a cell of a word."""

    key: str
    described: Described
    make: Callable[[str], Cell]

    def cell(self, other: Mapping[str, object]) -> Cell:
        """The cell of a row with these values; None for an empty one."""
        word = plain(other.get(self.key))
        return self.make(word) if word else None


def others(s: Session, project_id: int, given: Names) -> tuple[Other, ...]:
    """The corpus' other columns, in the order in which they came. One whose cells are all numbers, as a program would
    write them, is a column of numbers; one with '007' is none.
    """
    kinds: dict[str, Kind | None] = {}
    for part in rows(s, project_id):
        for row in part:
            for key, value in row.other.items():
                kinds[key] = _wider(kinds.get(key), plain(value))
    return tuple(_other(key, kind or Kind.TEXT, given) for key, kind in kinds.items())


def _wider(known: Kind | None, cell: str) -> Kind | None:
    """The kind of column that holds this cell beside those before it; None as long as all are empty."""
    if known is Kind.TEXT or not cell:
        return known
    kind = kind_of(cell)
    return kind if known is None or Kind.TEXT is kind else known if known is kind else Kind.NUMBER


def kind_of(cell: str) -> Kind:
    """What a cell is: a number only if a program would write it so, and no digit of it can get lost."""
    if len(cell) > LONGEST_NUMBER or cell[0] not in "-0123456789" or not cell.isascii():
        return Kind.TEXT
    if cell.removeprefix("-").isdigit():
        return Kind.INTEGER if str(number(cell)) == cell else Kind.TEXT
    return Kind.NUMBER if is_number(cell) and cells.plain(number(cell)) == cell else Kind.TEXT


def _other(key: str, kind: Kind, given: Names) -> Other:
    letters = slug(OTHER + key).removeprefix(OTHER.strip("_"))
    name = given.fresh(OTHER + (key if letters else "v"))
    make = number if kind in (Kind.INTEGER, Kind.NUMBER) else str
    return Other(key, described(name, kind, f"column '{key}' of the corpus"), make)


def plain(value: object) -> str:
    """A value of the corpus as a cell, never as JSON: of a list its parts, of an object its names and values."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return joined(plain(one) for one in value)
    if isinstance(value, dict):
        return joined(f"{name}: {plain(one)}" for name, one in value.items())
    return cells.plain(value) if value is None or isinstance(value, float) else str(value)


def number(cell: str) -> int | float:
    """The number of a cell, whole where it is written so."""
    return int(cell) if cell.removeprefix("-").isdigit() else float(cell)
