"""A table in a text file (CSV, TSV), read row by row: its encoding, its separator, its columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from backend.corpus.tables.table import Table, TableError

LONGEST_CELL = 10_000_000  # characters; behind a quote that is never closed the rest of a file is one cell
_SAMPLE = 1 << 16
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


class _LooseQuoteError(Exception):
    """A quote inside of a quoted cell is not doubled."""


@dataclass(frozen=True, slots=True)
class Delimited(Table):
    """A text file every byte of which decodes."""

    encoding: str
    separator: str

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        width = len(self.columns)
        with _text(self.path, self.encoding) as file:
            records = _records(file, self.separator)
            next(records)
            for n, record in enumerate(records, 2):
                yield n, (record + [""] * width)[:width]


def open_delimited(path: Path) -> Delimited:
    """The table in a text file. TableError, OSError."""
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
    return Delimited(path, tuple(header), n, remarks, (), encoding, separator)


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
