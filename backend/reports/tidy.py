"""All numbers of a report as rows of one table, a row a number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from backend.corpus.tables.cells import harmless
from backend.findings.report import Report
from backend.learning.estimate import Estimate
from backend.reports.plain import finite

COLUMNS = (
    "section",
    "table",
    "question",
    "row",
    "column",
    "unit",
    "value",
    "lower",
    "upper",
    "n",
    "origin",
    "missing",
)


def rows(report: Report) -> Iterator[tuple[str, ...]]:
    """`COLUMNS` of each number, in the order of the report; shares and differences of shares as parts of 1. Where
    there is no number, `missing` says why; cells that hold words, or nothing, are left out.
    """
    for section in report.sections:
        for table in section.tables:
            where = (section.key, table.key, table.question)
            for name, cells in zip(table.rows, table.cells, strict=True):
                for column, cell in zip(table.columns, cells, strict=True):
                    if cell is None or isinstance(cell, str):
                        continue
                    value, lower, upper, n, missing = _number(cell)
                    words = (*where, name, column.name, column.unit or "number")
                    numbers = ("" if x is None else str(x) for x in (value, lower, upper, n))
                    yield (*map(harmless, words), *numbers, harmless(table.origin), harmless(missing))


def text(report: Report) -> str:
    """The rows under their columns, as CSV (RFC 4180)."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(report))
    return file.getvalue()


def _number(cell: Estimate | int | float) -> tuple[float | None, float | None, float | None, int | None, str]:
    if isinstance(cell, Estimate):
        return finite(cell.value), finite(cell.lower), finite(cell.upper), cell.n, cell.missing
    return finite(cell), None, None, None, ""
