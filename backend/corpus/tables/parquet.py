"""A table as a Parquet file: typed columns, in groups of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.corpus.tables.cells import Cell, plain, whole
from backend.corpus.tables.columns import Column, Kind, Writer
from backend.corpus.tables.table import Table, TableError

_BATCH = 1000  # rows that are read at a time
_GROUP_ROWS, _GROUP_CHARACTERS = 20_000, 16_000_000  # of a group of rows that is written
_MEANING = b"meaning"
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Parquet(Table):
    """A Parquet file; a row's line is its number."""

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        number = 0
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH, use_threads=False):
                columns = [_texts(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, list(cells)


def open_parquet(path: Path) -> Parquet:
    """The table in a Parquet file. TableError, OSError."""
    try:
        with pq.ParquetFile(path) as file:
            schema, n = file.schema_arrow, file.metadata.num_rows
    except pa.ArrowInvalid:
        raise TableError(f"{path.name} is no Parquet file, or not all of one. Write it again.") from None
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise TableError(
            f"{path.name} has columns whose cells are lists or records ({', '.join(nested[:5])}). What to do: leave "
            "them out, or make a column of each of their values."
        )
    if not n:
        raise TableError(f"{path.name} has no rows.")
    return Parquet(path, tuple(schema.names), n, (), (), 0)


def _texts(column: Any) -> list[str]:
    """The cells of a column of a batch."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        known = column.is_valid().to_pylist()
        numbers = column.to_numpy(zero_copy_only=False)
        return [plain(float(str(x))) if there else "" for x, there in zip(numbers, known, strict=True)]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ["" if cell is None else cell for cell in column.to_pylist()]
    return [_text(cell) for cell in column.to_pylist()]


def _text(cell: Any) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace")
    if isinstance(cell, Cell):
        return plain(cell)
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


class _Groups:
    """Takes rows, and writes a group when there are enough."""

    def __init__(self, file: Any, columns: Sequence[Column], name: str) -> None:
        self.remarks: list[str] = []
        self._file = file
        self._kinds = [one.kind for one in columns]
        self._name = name
        self._columns: list[list[Cell]] = [[] for _ in columns]
        self._characters = 0

    def writerow(self, row: Sequence[Cell], /) -> object:
        for cells, kind, cell in zip(self._columns, self._kinds, row, strict=True):
            if isinstance(cell, str):
                self._characters += len(cell)
                cell = whole(cell)
            elif kind is Kind.TRUTH and cell is not None:
                cell = bool(cell)
            elif kind is Kind.TEXT and cell is not None:
                cell = plain(cell)
            cells.append(cell)
        if len(self._columns[0]) >= _GROUP_ROWS or self._characters >= _GROUP_CHARACTERS:
            self.flush()
        return None

    def flush(self) -> None:
        if not self._columns[0]:
            return
        schema = self._file.schema
        try:
            arrays = [pa.array(cells, field.type) for cells, field in zip(self._columns, schema, strict=True)]
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise TableError(f"{self._name} cannot hold a cell of a row: {error}") from None
        self._file.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._columns = [[] for _ in self._columns]
        self._characters = 0


@contextmanager
def parquet(part: Path, columns: Sequence[Column], name: str) -> Iterator[Writer]:
    """A writer of typed columns; what a column means is in the metadata of its field."""
    fields = [
        pa.field(whole(one.name), _TYPES[one.kind], metadata={_MEANING: one.meaning} if one.meaning else None)
        for one in columns
    ]
    with pq.ParquetWriter(part, pa.schema(fields)) as file:
        groups = _Groups(file, columns, name)
        yield groups
        groups.flush()
