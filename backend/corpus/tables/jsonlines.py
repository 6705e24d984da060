"""A table as JSON lines: one object a line, a key a column."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from backend.corpus.tables.cells import BROKEN, MARKED, Cell, plain, whole
from backend.corpus.tables.columns import Column, Kind, Writer
from backend.corpus.tables.encodings import marked
from backend.corpus.tables.table import BadRow, Table, TableError, Tally


@dataclass(frozen=True, slots=True)
class JsonLines(Table):
    """A text file of JSON objects. Its columns are the keys of all of them, in the order in which they appear."""

    encoding: str

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        for line, row in _objects(self.path, self.encoding):
            if not isinstance(row, BadRow):
                yield line, [row.get(name, "") for name in self.columns]


def open_jsonlines(path: Path, encoding: str = "") -> JsonLines:
    """The table in a file of JSON lines. TableError, OSError."""
    encoding = encoding or marked(path) or "utf-8"
    columns: dict[str, None] = {}
    tally = Tally()
    for _, row in _objects(path, encoding):
        tally.add(row)
        if not isinstance(row, BadRow):
            columns.update(dict.fromkeys(row))
    if not tally.good and not tally.bad:
        raise TableError(f"{path.name} is empty. It needs one JSON object a line.")
    tally.check(path.name)
    return JsonLines(path, tuple(columns), tally.good, (), tuple(tally.first), tally.bad, encoding)


def _objects(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, str] | BadRow]]:
    """Each line that is not blank, with its number: keys and texts, or why not."""
    with path.open(encoding=encoding, errors=MARKED) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                row = _row(line, encoding)
                yield number, BadRow(number, row) if isinstance(row, str) else row


def _row(line: str, encoding: str) -> dict[str, str] | str:
    """Keys and texts of a line, or what is wrong with it."""
    if BROKEN in line:
        return f"It holds bytes that are no {encoding}."
    try:
        found = json.loads(line, parse_float=_number, parse_int=str, parse_constant=_constant)
    except ValueError as error:
        at = f" (character {error.pos + 1})" if isinstance(error, json.JSONDecodeError) else ""
        return f"It is no JSON{at}. Each line must be one object."
    except RecursionError:
        return "It is nested too deeply."
    if not isinstance(found, dict):
        return 'It is no JSON object. Each line must be one: {"column": "cell", ...}.'
    for key, value in found.items():
        if isinstance(value, dict | list):
            return f"'{whole(key)[:60]}' holds {'an object' if isinstance(value, dict) else 'a list'}, not one value."
    return {whole(key): whole(plain(value)) for key, value in found.items()}


def _number(digits: str) -> str:
    return plain(float(digits))


def _constant(name: str) -> str:
    return plain(float(name))


class _Lines:
    remarks: list[str]

    def __init__(self, file: TextIO, columns: Sequence[Column]) -> None:
        self._file = file
        self._columns = columns
        self.remarks = []

    def writerow(self, row: Sequence[Cell], /) -> object:
        cells = {one.name: _value(one.kind, cell) for one, cell in zip(self._columns, row, strict=True)}
        return self._file.write(json.dumps(cells, ensure_ascii=False, allow_nan=False) + "\n")


@contextmanager
def jsonlines(part: Path, columns: Sequence[Column], name: str) -> Iterator[Writer]:
    """A writer of typed JSON values; a number that JSON has not (infinity) is written as text, NaN is null."""
    with part.open("w", encoding="utf-8", errors=MARKED, newline="") as file:
        yield _Lines(file, columns)


def _value(kind: Kind, cell: Cell) -> str | int | float | bool | None:
    if kind is Kind.TRUTH and cell is not None:
        return bool(cell)
    if isinstance(cell, datetime):
        return plain(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return plain(cell) or None
    return cell
