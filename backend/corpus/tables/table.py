"""A table as it is read, whatever its file's format: named columns, and rows of cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

KEPT = 1000  # bad rows that are kept; the others are counted
SHOWN = 20


class TableError(Exception):
    """The table cannot be read or written."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is left out: the line of the file it begins at (for a format without lines: its row), and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Tally:
    """Rows as they are read through: how many are good, how many bad, and the first of the bad ones."""

    good: int = 0
    bad: int = 0
    first: list[BadRow] = field(default_factory=list)

    def add(self, row: object) -> None:
        """A row: BadRow, or anything else when it is good."""
        if not isinstance(row, BadRow):
            self.good += 1
            return
        self.bad += 1
        if len(self.first) < KEPT:
            self.first.append(row)

    def check(self, name: str) -> None:
        """TableError when no row is good."""
        if self.good:
            return
        if not self.bad:
            raise TableError(f"{name} has no rows, only the names of columns.")
        raise TableError(f"No row of {name} can be read. Line {self.first[0].line}: {self.first[0].reason}")


@dataclass(frozen=True, slots=True)
class Table(ABC):
    """A file that was read through once, so that what is wrong with it is known. `n`: rows that are good, the header
    not counted; `remarks`: what a person should know of how the file was read; `bad`: rows that `numbered` leaves out,
    the first thousand of `n_bad`.
    """

    path: Path
    columns: tuple[str, ...]
    n: int
    remarks: tuple[str, ...]
    bad: tuple[BadRow, ...]
    n_bad: int

    @abstractmethod
    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """The good rows in order, each with its line in the file and as long as the header; missing cells are empty."""

    def rows(self) -> Iterator[list[str]]:
        """The good rows in order."""
        return (cells for _, cells in self.numbered())

    def said(self, shown: int = SHOWN) -> list[str]:
        """What a person should know of how the file was read: the remarks, and its bad rows."""
        said = [*self.remarks]
        said += [f"{self.path.name}, line {row.line}, left out: {row.reason}" for row in self.bad[:shown]]
        if self.n_bad > shown:
            said.append(f"{self.path.name}: {self.n_bad - shown:,} more rows like these are left out.")
        return said

    def column(self, name: str, *, option: str = "") -> int:
        """Index of the column called `name`; TableError lists the columns there are."""
        hits = [i for i, column in enumerate(self.columns) if column == name]
        if len(hits) == 1:
            return hits[0]
        what = f"{self.path.name} has no column '{name}'" if not hits else f"{self.path.name} has '{name}' twice"
        cure = f"name another with {option}" if option else "rename one"
        raise TableError(f"{what}. Its columns are: {', '.join(self.columns)}. What to do: {cure}.")


def fitted(cells: Sequence[str], width: int) -> list[str] | str:
    """The cells as many as the header's, missing ones empty; or why not: there are more."""
    if any(cells[width:]):
        return f"It has {len(cells)} cells, the header {width}"
    return [*cells[:width], *[""] * (width - len(cells))]
