"""A report as text for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from backend.findings.report import Examples, Report, Section, Table
from backend.learning.estimate import LEVEL
from backend.reports import page
from backend.reports.sheet import Written, lettered, sheet

INTERVALS = f"In brackets: {100 * LEVEL:.0f} % intervals."


def text(report: Report) -> str:
    """For a terminal: at most 100 columns wide, as far as single cells are short enough."""
    return page.text(list(_pages(report)))


def markdown(report: Report) -> str:
    return page.markdown(list(_pages(report)))


def _pages(report: Report) -> Iterator[page.Section]:
    yield page.Section(report.title, tuple(report.facts.items()), text=(INTERVALS,))
    for section in report.sections:
        yield _section(section)
        for examples in section.examples:
            yield from _examples(examples)


def _section(section: Section) -> page.Section:
    words = section.text + ((section.missing,) if section.missing else ())
    return page.Section(section.title, tables=tuple(map(_table, section.tables)), text=words)


def _table(table: Table) -> page.Table:
    """A number that lacks something is marked with a letter that the notes explain."""
    found = sheet(table)
    marks = lettered(cell.reason for row in found.cells for cell in row)
    head = (table.head, *(f"{name} ({unit})" if unit else name for name, unit in found.columns))
    rows = tuple((name, *(_cell(one, marks) for one in row)) for name, row in zip(table.rows, found.cells, strict=True))
    notes = (*(f"({mark}) {reason}" for reason, mark in marks.items()), *table.notes, f"Origin: {table.origin}")
    return page.Table(head, rows, notes, titled(table.title, table.question))


def titled(title: str, question: str) -> str:
    """'F1 by label, humor'; the question is said once."""
    return title if not question or question in title else f"{title}, {question}"


def _cell(cell: Written, marks: dict[str, str]) -> str:
    parts = (cell.value, cell.bounds, f"({cell.n})" if cell.n else "", f"({marks[cell.reason]})" if cell.reason else "")
    return " ".join(part for part in parts if part)


def _examples(examples: Examples) -> Iterator[page.Section]:
    """A section for the group, which says how they were chosen, and one a text."""
    yield page.Section(titled(examples.title, examples.question), text=examples.notes)
    for n, one in enumerate(examples.texts, 1):
        yield page.Section(f"{n}. {one.external_id}", (*one.said.items(),), text=one.fields)
