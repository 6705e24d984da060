"""A table in a sheet of an Excel workbook (.xlsx), read row by row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from backend.corpus.tables.cells import plain
from backend.corpus.tables.sheet_text import continued, is_full, read
from backend.corpus.tables.sheets import Book
from backend.corpus.tables.table import BadRow, Table, TableError, Tally, fitted

_BROKEN = (
    BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    SyntaxError,
    AttributeError,
    IndexError,
    NotImplementedError,
)


@dataclass(frozen=True, slots=True)
class Workbook(Table):
    """A sheet. `header`: its columns as they stand there; `joins`: index of a column -> index of the one whose texts
    go on in it, since a cell of Excel holds no more than 32,767 characters.
    """

    sheet: str
    header: tuple[str, ...]
    joins: tuple[tuple[int, int], ...]

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        further = {at for at, _ in self.joins}
        kept = [at for at in range(len(self.header)) if at not in further]
        for line, row in _below(self.path, self.sheet, len(self.header)):
            if not isinstance(row, BadRow):
                for at, into in self.joins:
                    row[into] += row[at]
                yield line, [row[at] for at in kept]


def open_workbook(path: Path, sheet: str = "") -> Workbook:
    """The table in a sheet, the first when none is named. TableError, OSError."""
    names, chosen, header = _look(path, sheet)
    joins = dict(continued(header))
    tally = Tally()
    seen: set[int] = set()
    for _, row in _below(path, chosen, len(header)):
        tally.add(row)
        if isinstance(row, BadRow):
            continue
        for at, (_, before) in list(joins.items()):
            if row[at]:
                seen.add(at)
                if not is_full(row[before]):
                    del joins[at]
    tally.check(path.name)
    pairs = _whole_chains({at: pair for at, pair in joins.items() if at in seen})
    further = {at for at, _ in pairs}
    remarks = []
    if len(names) > 1 and not sheet:
        remarks.append(f"{path.name} has {len(names)} sheets; '{chosen}' is read.")
    return Workbook(
        path=path,
        columns=tuple(name for at, name in enumerate(header) if at not in further),
        n=tally.good,
        remarks=tuple(remarks),
        bad=tuple(tally.first),
        n_bad=tally.bad,
        sheet=chosen,
        header=tuple(header),
        joins=pairs,
    )


def _whole_chains(joins: dict[int, tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Column -> the column that its texts belong to, where all columns between the two are joined too."""
    firsts: dict[int, int] = {}
    for at, (into, before) in sorted(joins.items()):
        if before == into or before in firsts:
            firsts[at] = into
    return tuple(sorted(firsts.items()))


def _look(path: Path, sheet: str) -> tuple[list[str], str, list[str]]:
    """The names of the sheets, of the one to read, and of its columns."""
    with _book(path) as book:
        names = book.sheets
        if not names or (sheet and sheet not in names):
            raise TableError(f"{path.name} has no sheet '{sheet}'. Its sheets are: {', '.join(names)}.")
        chosen = sheet or names[0]
        header = next(_filled(book, chosen), (0, []))[1]
    columns = [_text(cell) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise TableError(f"The sheet '{chosen}' of {path.name} is empty. Its first row must name the columns.")
    return names, chosen, columns


def _below(path: Path, sheet: str, width: int) -> Iterator[tuple[int, list[str] | BadRow]]:
    with _book(path) as book:
        rows = _filled(book, sheet)
        next(rows)
        for line, row in rows:
            fit = fitted([_text(cell) for cell in row], width)
            yield line, BadRow(line, f"{fit}. Give each of its columns a name.") if isinstance(fit, str) else fit


def _filled(book: Book, sheet: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """Number and cells of each row that is not blank."""
    return ((line, row) for line, row in book.rows(sheet) if any(cell is not None for cell in row))


@contextmanager
def _book(path: Path) -> Iterator[Book]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Book(path) as book:
                yield book
    except _BROKEN:
        raise TableError(
            f"{path.name} is no workbook that can be read, or not all of one. What to do: open it in Excel or "
            "LibreOffice, and save it as .xlsx again."
        ) from None


def _text(cell: Any) -> str:
    """A date without a time of day is only that; what has been worked out last stands for a formula."""
    if isinstance(cell, str):
        return read(cell)
    if isinstance(cell, datetime):
        day = cell.date()
        return day.isoformat() if cell == datetime.combine(day, time(), cell.tzinfo) else plain(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return plain(cell)
