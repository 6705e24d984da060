"""Writing a table, whatever its format, to a file that gets its name only when all is written."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TextIO

from backend.corpus.tables.cells import Cell, plain
from backend.corpus.tables.table import TableError


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
    """Takes rows, as csv.writer does; a cell is of its column's kind, or None."""

    def writerow(self, row: Sequence[Cell], /) -> object: ...


@contextmanager
def new_table(path: Path, columns: Sequence[str | Column], *, overwrite: bool) -> Iterator[Writer]:
    """A writer of rows to a file of the format that its name's ending says; see `check_output`."""
    with new_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([one.name if isinstance(one, Column) else one for one in columns])
        yield _Plain(writer)


class _Plain:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def writerow(self, row: Sequence[Cell], /) -> object:
        return self._writer.writerow([plain(cell) for cell in row])


def check_output(path: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """TableError when the file is there already, is the table that is read, or its folder is not there."""
    if source is not None and path.exists() and path.samefile(source):
        raise TableError(f"{path} is the input itself. Take another name for the output.")
    if path.exists() and not overwrite:
        raise TableError(f"{path} exists already. Take another name, or replace it with --overwrite.")
    if not path.parent.is_dir():
        raise TableError(f"There is no folder {path.parent}. Make it first, or take another name for the output.")


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """A file (UTF-8, line ends as they are given) that gets its name only when all is written; see `check_output`."""
    check_output(path, overwrite=overwrite)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise TableError(f"{path} cannot be written ({error.strerror}). Check the folder's permissions.") from None
    finally:
        part.unlink(missing_ok=True)
