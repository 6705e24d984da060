"""A table of the report as people read it: numbers in their units, each with its n, and where there is none, why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase

from backend.findings.report import Cell, Column, Table
from backend.learning.estimate import Estimate
from backend.reports.estimates import NOBODY, SPOKEN, bounds, number

N = "n"


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a cell: `value` is a dash where there is none. `n` is '' where a column of its own says it,
    `reason` where nothing is missing.
    """

    value: str
    bounds: str = ""
    n: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`head` and `rows` as in `Table`; each of `columns` is a name and how its numbers are read ('%', 'points', or ''
    where that needs no word). The last column is `N` where no column of the table says it.
    """

    columns: tuple[tuple[str, str], ...]
    cells: tuple[tuple[Written, ...], ...]


def sheet(table: Table) -> Sheet:
    """The table in words. A row whose numbers are all of as many texts says so once, if every row does."""
    counts = [sorted({cell.n for cell in row if isinstance(cell, Estimate)}) for row in table.cells]
    alike = any(counts) and all(len(found) <= 1 for found in counts)
    said = any(
        column.unit == "count" and all(found in ([], [row[k]]) for found, row in zip(counts, table.cells, strict=True))
        for k, column in enumerate(table.columns)
    )
    added, beside = alike and not said, not alike
    cells = tuple(
        tuple(written(cell, column, beside) for cell, column in zip(row, table.columns, strict=True))
        + ((Written(f"{found[0]:,}" if found else NOBODY),) if added else ())
        for row, found in zip(table.cells, counts, strict=True)
    )
    columns = tuple((column.name, SPOKEN.get(column.unit, "") if column.unit else "") for column in table.columns)
    return Sheet(columns + (((N, ""),) if added else ()), cells)


def written(cell: Cell, column: Column, beside: bool) -> Written:
    """A cell in words; `beside`: with the n of an estimate."""
    if cell is None or cell == "":
        return Written(NOBODY)
    if isinstance(cell, str):
        return Written(cell)
    unit = column.unit or "number"
    if not isinstance(cell, Estimate):
        return Written(number(cell, unit))
    n = f"n = {cell.n:,}" if beside else ""
    if cell.value is None:
        return Written(NOBODY, "", n, cell.missing or "no number")
    return Written(number(cell.value, unit), bounds(cell, unit), n, cell.missing)


def lettered(reasons: Iterable[str]) -> dict[str, str]:
    """A mark for each different reason, in the order they come: reason -> 'a' ... 'z', 'aa' ..."""
    marks = ("".join(letters) for size in (1, 2, 3) for letters in product(ascii_lowercase, repeat=size))
    return dict(zip(dict.fromkeys(reason for reason in reasons if reason), marks, strict=False))
