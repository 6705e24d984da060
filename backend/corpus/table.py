"""A table in a text file, read row by row: its encoding, its separator, its columns, and how many rows there are."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

LONGEST_CELL = 10_000_000  # characters; behind a quote that is never closed the rest of a file is one cell
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SAMPLE = 1 << 16
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


class TableError(Exception):
    """The table cannot be read or written."""


class _LooseQuoteError(Exception):
    """A quote inside of a quoted cell is not doubled."""


class Writer(Protocol):
    """Takes rows, as csv.writer does."""

    def writerow(self, row: Sequence[str], /) -> object: ...


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read through once: every byte decodes, and no row has more cells than the header."""

    path: Path
    encoding: str
    separator: str
    columns: tuple[str, ...]
    n: int  # rows, the header not counted
    remarks: tuple[str, ...] = ()  # what a person should know of how the file was read

    def rows(self) -> Iterator[list[str]]:
        """The rows in order, each as long as the header; missing cells are empty."""
        width = len(self.columns)
        with _text(self.path, self.encoding) as file:
            records = _records(file, self.separator)
            next(records)
            for record in records:
                yield (record + [""] * width)[:width]

    def column(self, name: str, *, option: str = "") -> int:
        """Index of the column called `name`; TableError lists the columns there are."""
        hits = [i for i, column in enumerate(self.columns) if column == name]
        if len(hits) == 1:
            return hits[0]
        what = f"{self.path.name} has no column '{name}'" if not hits else f"{self.path.name} has '{name}' twice"
        cure = f"name another with {option}" if option else "rename one"
        raise TableError(f"{what}. Its columns are: {', '.join(self.columns)}. What to do: {cure}.")


def open_table(path: Path) -> Table:
    """Reads the whole file once to find out how it is written. TableError says what is wrong and in which row."""
    if not path.is_file():
        raise TableError(f"There is no file {path}. Give the path of a CSV file.")
    try:
        return _open(path)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None


def _open(path: Path) -> Table:
    encoding, remarks = _encoding(path)
    with _text(path, encoding) as file:
        sample = file.read(_SAMPLE)
    separator = _separator(sample)
    try:
        header, n = _measured(path, encoding, separator, strict=True)
    except _LooseQuoteError:
        header, n = _measured(path, encoding, separator, strict=False)
        remarks += (f"{path.name} has quotes inside of cells that are not doubled; check the rows that hold them.",)
    if separator != "," and len(header) > 1:
        remarks += (f"The cells of {path.name} are separated by a {_SPOKEN[separator]}.",)
    return Table(path, encoding, separator, tuple(header), n, remarks)


def _measured(path: Path, encoding: str, separator: str, *, strict: bool) -> tuple[list[str], int]:
    """The header, and the number of rows below it, none of which has more cells."""
    n = 0
    with _text(path, encoding) as file:
        records = _records(file, separator, strict=strict)
        header = next(records, None)
        if not header:
            raise TableError(f"{path.name} is empty. The first row of a table holds the names of its columns.")
        for record in records:
            n += 1
            if any(record[len(header) :]):
                raise TableError(
                    f"Row {n} of {path.name} has {len(record)} cells, the header {len(header)} (separator: "
                    f"{_SPOKEN[separator]}). What to do: put quotes around cells that hold the separator."
                )
    return header, n


def check_output(path: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """TableError when the file is there already, is the table that is read, or its folder is not there."""
    if source is not None and path.exists() and path.samefile(source):
        raise TableError(f"{path} is the input itself. Take another name for the output.")
    if path.exists() and not overwrite:
        raise TableError(f"{path} exists already. Take another name, or replace it with --overwrite.")
    if not path.parent.is_dir():
        raise TableError(f"There is no folder {path.parent}. Make it first, or take another name for the output.")


def is_number(cell: str) -> bool:
    """Whether statistics programs read the cell as a number."""
    return _NUMBER.fullmatch(cell) is not None


def harmless(cell: str) -> str:
    """The cell behind an apostrophe where a spreadsheet would run it as a formula; a number stays one."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not is_number(cell) else cell


@contextmanager
def new_table(path: Path, columns: Sequence[str], *, overwrite: bool) -> Iterator[Writer]:
    """A writer of rows (UTF-8, RFC 4180) to a file, as `new_file` makes it."""
    with new_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        yield writer


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


def _text(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _records(file: TextIO, separator: str, *, strict: bool = False) -> Iterator[list[str]]:
    """The records of a file without its blank lines."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(file, delimiter=separator, strict=strict)
    n = 0
    try:
        for record in reader:
            if record:
                yield record
                n += 1
    except csv.Error as error:
        if "expected after" in str(error):
            raise _LooseQuoteError from None
        raise TableError(
            f"Row {n} holds a cell that never ends: a quote is opened there and not closed. "
            "What to do: close it, and double the quotes that are part of a cell."
        ) from None


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """The file's encoding and what to say about it: UTF-8 if all of it is, else what Windows writes in the West."""
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if marked and _decodes(path, marked):
        return marked, ()
    if _decodes(path, "utf-8"):
        return "utf-8", ()
    guess = "cp1252" if _decodes(path, "cp1252") else "latin-1"
    return guess, (f"{path.name} is not UTF-8; it is read as {guess}. Save it as UTF-8 if letters look wrong.",)


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with _text(path, encoding) as file:
            while file.read(_SAMPLE):
                pass
    except UnicodeError:
        return False
    return True


def _separator(sample: str) -> str:
    """The separator under which most of the sample's rows are as wide as the header, and the header is widest."""

    def merit(separator: str) -> tuple[bool, float, int]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        records = [record for record in islice(reader, 200) if record]
        width = len(records[0]) if records else 0
        alike = sum(len(record) == width for record in records) / max(1, len(records))
        return width > 1, alike, width

    return max(_SEPARATORS, key=merit)
