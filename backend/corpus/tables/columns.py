"""The columns of a table that is written, and what takes its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from backend.corpus.tables.cells import Cell

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")
_STR = re.compile(r"str\d+")
_RESERVED = {
    *("_all", "_b", "_coef", "_cons", "_n", "_N", "_pi", "_pred", "_rc", "_se", "_skip", "byte", "double", "float"),
    *("if", "in", "int", "long", "strL", "using", "with"),
}


class Kind(StrEnum):
    """What the cells of a column are, so that a format that knows types gives them theirs."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TRUTH = "truth"  # 1 or 0
    TIME = "time"  # aware, written in UTC


@dataclass(frozen=True, slots=True)
class Column:
    """A column to write. `meaning`: a sentence for who reads the table; a format that can hold it does."""

    name: str
    kind: Kind = Kind.TEXT
    meaning: str = ""


class Writer(Protocol):
    """Takes rows, as csv.writer does; a cell is of its column's kind, or None. `remarks`: what a person should know of
    the file once it is written.
    """

    @property
    def remarks(self) -> list[str]: ...

    def writerow(self, row: Sequence[Cell], /) -> object: ...


def is_variable(name: str) -> bool:
    """Whether Stata takes the name for a variable."""
    return _VARIABLE.fullmatch(name) is not None and _STR.fullmatch(name) is None and name not in _RESERVED


def named(columns: Sequence[str | Column]) -> list[Column]:
    """The columns; a bare name is a column of texts."""
    return [one if isinstance(one, Column) else Column(one) for one in columns]
