"""A table in a text file (CSV, TSV), read row by row: its encoding, its separator, its columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from backend.corpus.tables.cells import BROKEN, MARKED
from backend.corpus.tables.encodings import Encoding, encoding_of
from backend.corpus.tables.records import LONGEST_CELL, SPOKEN, Records
from backend.corpus.tables.table import BadRow, Table, TableError, Tally

_SAMPLE = 1 << 16
_SAID = re.compile(r"sep=(.)(?=[\r\n])", re.I)  # Excel's own first line
_TABS = (".tsv", ".tab")


@dataclass(frozen=True, slots=True)
class Delimited(Table):
    """A text file. `told`: its first line is none of the table but says the separator."""

    encoding: str
    separator: str
    told: bool

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        with _records(self.path, self.encoding, self.separator, self.told) as records:
            records.header()
            for line, row in records.below(len(self.columns)):
                if not isinstance(row, BadRow):
                    yield line, row


def open_delimited(path: Path, encoding: str = "", separator: str = "") -> Delimited:
    """The table in a text file. TableError, OSError."""
    csv.field_size_limit(LONGEST_CELL)
    found = Encoding(encoding, 0) if encoding else encoding_of(path)
    with path.open(encoding=found.name, errors=MARKED, newline="") as file:
        sample = file.read(_SAMPLE)
    told = _SAID.match(sample)
    separator = separator or (told[1] if told else _separator(sample, "\t" if path.suffix.lower() in _TABS else ","))
    tally = Tally()
    with _records(path, found.name, separator, told is not None) as records:
        header = records.header()
        if not header:
            raise TableError(_no_header(path, sample))
        if any(BROKEN in name for name in header):
            raise TableError(f"The names of the columns of {path.name} are no {found.name}. Save the file as UTF-8.")
        for _, row in records.below(len(header)):
            tally.add(row)
    tally.check(path.name)
    remarks = [found.remark] * bool(found.remark)
    if records.loose:
        remarks.append(f"{path.name} has quotes inside of cells that are not doubled; check the rows that hold them.")
    if separator != "," and len(header) > 1:
        remarks.append(f"The cells of {path.name} are separated by a {SPOKEN.get(separator, separator)}.")
    return Delimited(
        path=path,
        columns=tuple(header),
        n=tally.good,
        remarks=tuple(remarks),
        bad=tuple(tally.first),
        n_bad=tally.bad,
        encoding=found.name,
        separator=separator,
        told=told is not None,
    )


@contextmanager
def _records(path: Path, encoding: str, separator: str, told: bool) -> Iterator[Records]:
    with path.open(encoding=encoding, errors=MARKED, newline="") as file:
        records = Records(file, separator, encoding)
        if told:
            records.leave_out_a_line()
        yield records


def _no_header(path: Path, sample: str) -> str:
    if not sample.strip():
        return f"{path.name} is empty. The first row of a table holds the names of its columns."
    return f"A quote in the first row of {path.name}, the names of its columns, is not closed. Close it."


def _separator(sample: str, usual: str) -> str:
    """The separator under which most of the sample's rows are as wide as the header, and the header is widest; of
    several the one that is usual.
    """

    def merit(separator: str) -> tuple[bool, float, int, bool]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        records = [record for record in islice(reader, 200) if record]
        width = len(records[0]) if records else 0
        alike = sum(len(record) == width for record in records) / max(1, len(records))
        return width > 1, alike, width, separator == usual

    return max(SPOKEN, key=merit)
