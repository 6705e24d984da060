"""A table as a file of Stata (.dta), all of it in memory."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.stata import StataReader, StataWriterUTF8

from backend.corpus.tables.cells import Cell, moment, plain, whole
from backend.corpus.tables.columns import Column, Kind, Writer
from backend.corpus.tables.table import Table, TableError

_BATCH = 1000
_LONGEST_LABEL = 80
_LONGEST_STR = 2045  # bytes; longer texts are strL
_WHOLE = 2**53  # beyond it a double does not hold every whole number


@dataclass(frozen=True, slots=True)
class Stata(Table):
    """A file of Stata; a row's line is its number. Values, not the labels of values."""

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        number = 0
        with _reader(self.path, chunksize=_BATCH) as reader:
            for frame in reader:
                columns = [_texts(frame.iloc[:, at]) for at in range(frame.shape[1])]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, list(cells)


def open_stata(path: Path) -> Stata:
    """The table in a file of Stata. TableError, OSError."""
    try:
        with _reader(path) as reader:
            names, n = list(reader.variable_labels()), reader._nobs
    except ValueError:
        raise TableError(f"{path.name} is no file of Stata 7 or later. Export a .csv from it.") from None
    if not n:
        raise TableError(f"{path.name} has no rows.")
    return Stata(path, tuple(names), n, (), (), 0)


def _reader(path: Path, chunksize: int | None = None) -> StataReader:
    return StataReader(path, convert_categoricals=False, chunksize=chunksize, preserve_dtypes=True)


def _texts(column: Any) -> list[str]:
    if column.dtype == "float32":  # 0.1 is 0.1, not the nearest of half as many digits
        column = [float(str(cell)) for cell in column.to_numpy()]
    return [_text(cell) for cell in column]


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None or pd.isna(cell):
        return ""
    if isinstance(cell, datetime):
        return moment(cell)
    return plain(cell.item() if hasattr(cell, "item") else cell)


class _Rows:
    """Takes rows, and keeps them."""

    def __init__(self, columns: Sequence[Column], name: str) -> None:
        self.remarks: list[str] = []
        self._kinds = [one.kind for one in columns]
        self._name = name
        self._nuls = 0
        self.columns: list[list[Any]] = [[] for _ in columns]

    def writerow(self, row: Sequence[Cell], /) -> object:
        for cells, kind, cell in zip(self.columns, self._kinds, row, strict=True):
            cells.append(self._value(kind, cell))
        return None

    def _value(self, kind: Kind, cell: Cell) -> str | int | float | None:
        if kind in (Kind.TEXT, Kind.TIME):
            text = whole(plain(cell))
            if "\x00" in text:
                self._nuls += 1
                self.remarks[:] = [f"{self._nuls:,} cells of {self._name} lost their NUL characters: Stata has none."]
            return text.replace("\x00", "")
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return None
        if isinstance(cell, int) and abs(cell) <= _WHOLE:
            return int(cell)
        if isinstance(cell, float) and math.isfinite(cell):
            return cell
        raise TableError(f"Stata cannot hold the number {cell} of {self._name}. Write .csv or .parquet.")


@contextmanager
def stata(part: Path, columns: Sequence[Column], name: str) -> Iterator[Writer]:
    """A writer of a file for Stata 14 and later. Texts are str, long ones strL; a time is text (Stata's own are whole
    milliseconds); what a column means is the variable's label.
    """
    rows = _Rows(columns, name)
    yield rows
    series = [_series(one.kind, cells) for one, cells in zip(columns, rows.columns, strict=True)]
    frame = pd.DataFrame(dict(enumerate(series))).set_axis([one.name for one in columns], axis="columns")
    long = [one.name for one, cells in zip(columns, series, strict=True) if _is_long(one.kind, cells)]
    labels = {one.name: whole(one.meaning)[:_LONGEST_LABEL] for one in columns if one.meaning}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        StataWriterUTF8(part, frame, write_index=False, variable_labels=labels, convert_strl=long).write_file()


def _series(kind: Kind, cells: list[Any]) -> Any:
    if kind in (Kind.TEXT, Kind.TIME):
        return pd.Series(cells, dtype=object)
    known = [cell for cell in cells if cell is not None]
    if kind is Kind.NUMBER or len(known) < len(cells) or any(abs(cell) > 2**31 - 101 - 1 for cell in known):
        return pd.Series(cells, dtype="float64")
    return pd.Series(cells, dtype="int8" if kind is Kind.TRUTH else "int32")


def _is_long(kind: Kind, cells: Any) -> bool:
    return kind in (Kind.TEXT, Kind.TIME) and any(len(cell.encode()) > _LONGEST_STR for cell in cells)
