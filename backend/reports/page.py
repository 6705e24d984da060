"""Facts and tables under titles, as plain text for a terminal and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 100  # columns of a terminal


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head, and sentences below them."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Named facts, one under the other, then tables."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


def text(sections: Sequence[Section]) -> str:
    """Lines of at most `WIDTH` columns, as far as the tables' cells are short enough; the first title is the page's."""
    lines: list[str] = []
    for n, section in enumerate(sections):
        title = wrapped(section.title)
        lines += [*[""] * bool(n), *title, ("-" if n else "=") * max(map(len, title))]
        wide = max((len(name) for name, _ in section.facts), default=0)
        lines += [line for name, value in section.facts for line in wrapped(value, f"  {name:<{wide}}  ")]
        for table in section.tables:
            lines += ["", *aligned(table)]
    return "\n".join(lines) + "\n"


def aligned(table: Table) -> list[str]:
    """The lines of a table, its columns under each other."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.head))]
    lines = ["  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True)) for row in rows]
    return [f"  {line}".rstrip() for line in lines] + [line for note in table.notes for line in wrapped(note, "  ")]


def wrapped(value: str, head: str = "") -> list[str]:
    """`value` behind `head`, its further lines under it."""
    first, *rest = textwrap.wrap(value, WIDTH - len(head), break_on_hyphens=False) or [""]
    return [f"{head}{first}".rstrip(), *(" " * len(head) + line for line in rest)]


def markdown(sections: Sequence[Section]) -> str:
    """The same as Markdown: the first title a second-level heading, the others third-level ones."""
    lines: list[str] = []
    for n, section in enumerate(sections):
        lines += [f"{'###' if n else '##'} {_plain(section.title)}", ""]
        lines += [f"- {name}: {_plain(value)}" for name, value in section.facts] + [""] * bool(section.facts)
        for table in section.tables:
            lines += [_row(table.head), _row(["---"] * len(table.head)), *map(_row, table.rows), ""]
            lines += [line for note in table.notes for line in (_plain(note), "")]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(value: str) -> str:
    """The value without what Markdown would take for a sign of its own."""
    for sign in "\\|*_<`[":
        value = value.replace(sign, f"\\{sign}")
    return value
