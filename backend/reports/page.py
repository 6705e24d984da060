"""Facts, sentences and tables under titles, as plain text for a terminal and as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 100  # columns of a terminal
NAME = 30  # of them for the name of a row
_SIGNS = re.compile(r"([\\|*_<`\[~&])")  # what Markdown reads as more than itself, wherever it stands
_FIRST = re.compile(r"^(\d*)([-+=>#.)])")  # and what only at the beginning of a line, as in '- ' and '1. '

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # what a terminal would obey


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head, and sentences below them."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Named facts, one under the other, then sentences, then tables."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    text: tuple[str, ...] = ()


def text(sections: Sequence[Section]) -> str:
    """Lines of at most `WIDTH` columns, as far as single cells are short enough; the first title is the page's."""
    lines: list[str] = []
    for n, section in enumerate(sections):
        title = wrapped(section.title)
        lines += [*[""] * bool(n), *title, ("-" if n else "=") * max(map(len, title))]
        wide = max((len(name) for name, _ in section.facts), default=0)
        lines += [line for name, value in section.facts for line in wrapped(value, f"  {name:<{wide}}  ")]
        paragraphs = [line for words in section.text for line in ("", *wrapped(words))]
        lines += paragraphs if section.facts else paragraphs[1:]
        for table in section.tables:
            lines += ["", *wrapped(table.title)] if table.title else [""]
            lines += aligned(table)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", "\n".join(lines)) + "\n"


def aligned(table: Table) -> list[str]:
    """The lines of a table, its columns under each other; what is too wide goes on below, behind the first column."""
    head = [short(cell) for cell in table.head]
    rows = [head, *([short(row[0]), *(" ".join(cell.split()) for cell in row[1:])] for row in table.rows)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.head))]
    lines: list[str] = []
    for block in _blocks(widths):
        lines += [""] * bool(lines)
        lines += [f"  {'  '.join(f'{row[k]:<{widths[k]}}' for k in block)}".rstrip() for row in rows]
    return lines + [line for note in table.notes for line in wrapped(note, "  ")]


def short(name: str) -> str:
    """The name of a row or a column on one line, cut where it is long."""
    name = " ".join(name.split())
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def _blocks(widths: list[int]) -> list[list[int]]:
    """Columns that stand side by side; the first column begins each block."""
    blocks, room = [[0]], WIDTH - 2 - widths[0]
    left = room
    for k, wide in enumerate(widths[1:], 1):
        if left < wide + 2 and len(blocks[-1]) > 1:
            blocks.append([0])
            left = room
        blocks[-1].append(k)
        left -= wide + 2
    return blocks


def wrapped(value: str, head: str = "") -> list[str]:
    """`value` behind `head`, its further lines under it."""
    first, *rest = textwrap.wrap(value, WIDTH - len(head), break_on_hyphens=False) or [""]
    return [f"{head}{first}".rstrip(), *(" " * len(head) + line for line in rest)]


def markdown(sections: Sequence[Section]) -> str:
    """The same as Markdown: the first title a second-level heading, the others third-level ones."""
    lines: list[str] = []
    for n, section in enumerate(sections):
        lines += [f"{'###' if n else '##'} {_plain(section.title)}", ""]
        lines += [f"- {_plain(name)}: {_plain(value)}" for name, value in section.facts] + [""] * bool(section.facts)
        lines += [line for words in section.text for line in (_plain(words), "")]
        for table in section.tables:
            lines += [f"#### {_plain(table.title)}", ""] if table.title else []
            lines += [_row(table.head), _row(["---"] * len(table.head)), *map(_row, table.rows), ""]
            lines += [line for note in table.notes for line in (_plain(note), "")]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_signless(cell) for cell in cells)} |"


def _plain(value: str) -> str:
    """The value on one line, without what Markdown would take for a sign of its own."""
    return _FIRST.sub(r"\1\\\2", _signless(value))


def _signless(value: str) -> str:
    return _SIGNS.sub(r"\\\1", " ".join(value.split()))
