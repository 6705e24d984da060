"""A table as a text file (CSV, TSV): UTF-8 without a mark before it, cells with separators, quotes or line ends quoted.

A mark (BOM) would make Excel see that the file is UTF-8, but R's `read.csv` would take it for a part of the first
column's name. Excel reads .xlsx without asking.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Literal, TextIO

from backend.corpus.tables.cells import Cell, harmless, plain
from backend.corpus.tables.columns import Column

_OTHER = set(";\t|,")  # in the name of a column they must not look like the file's separator


class _Delimited:
    def __init__(self, file: TextIO, separator: str, name: str) -> None:
        self._writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
        self._behind = 0
        self._name = name

    @property
    def remarks(self) -> list[str]:
        if not self._behind:
            return []
        return [
            f"{self._behind:,} cells of {self._name} begin as a formula does, and stand behind an apostrophe so that "
            "no spreadsheet runs them. Write .xlsx or .parquet to have them as they are."
        ]

    def writerow(self, row: Sequence[Cell], /) -> object:
        cells = [harmless(cell) if isinstance(cell, str) else plain(cell) for cell in row]
        self._behind += sum(ours != cell for ours, cell in zip(cells, row, strict=True) if isinstance(cell, str))
        return self._writer.writerow(cells)


def delimited(file: TextIO, columns: Sequence[Column], separator: str, name: str) -> _Delimited:
    """A writer of rows below the columns' names."""
    names = [harmless(one.name) for one in columns]
    doubtful = any(_OTHER & set(one) for one in names)
    quoting: Literal[0, 1] = csv.QUOTE_ALL if doubtful else csv.QUOTE_MINIMAL
    csv.writer(file, delimiter=separator, lineterminator="\r\n", quoting=quoting).writerow(names)
    return _Delimited(file, separator, name)
