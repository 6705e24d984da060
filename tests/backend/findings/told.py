"""Cells of a section's tables, by name."""

from __future__ import annotations

from backend.findings.report import Cell, Section, Table


def table(section: Section, key: str, question: str = "") -> Table:
    """The section's only table of that key and question."""
    (found,) = [one for one in section.tables if (one.key, one.question) == (key, question)]
    return found


def column(table: Table, name: str) -> dict[str, Cell]:
    """Row -> cell of a column."""
    place = [one.name for one in table.columns].index(name)
    return {row: cells[place] for row, cells in zip(table.rows, table.cells, strict=True)}
