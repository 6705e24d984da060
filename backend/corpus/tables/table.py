"""A table as it is read, whatever its file's format: named columns, and rows of cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class TableError(Exception):
    """The table cannot be read or written."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is left out: the line of the file it begins at (for a format without lines: its row), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table(ABC):
    """A file that was read through once, so that what is wrong with it is known. `n`: rows that are good, the header
    not counted; `remarks`: what a person should know of how the file was read; `bad`: rows that `numbered` leaves out.
    """

    path: Path
    columns: tuple[str, ...]
    n: int
    remarks: tuple[str, ...]
    bad: tuple[BadRow, ...]

    @abstractmethod
    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """The good rows in order, each with its line in the file and as long as the header; missing cells are empty."""

    def rows(self) -> Iterator[list[str]]:
        """The good rows in order."""
        return (cells for _, cells in self.numbered())

    def column(self, name: str, *, option: str = "") -> int:
        """Index of the column called `name`; TableError lists the columns there are."""
        hits = [i for i, column in enumerate(self.columns) if column == name]
        if len(hits) == 1:
            return hits[0]
        what = f"{self.path.name} has no column '{name}'" if not hits else f"{self.path.name} has '{name}' twice"
        cure = f"name another with {option}" if option else "rename one"
        raise TableError(f"{what}. Its columns are: {', '.join(self.columns)}. What to do: {cure}.")
