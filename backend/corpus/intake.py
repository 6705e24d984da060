"""From a table to a corpus: its rows as units and texts in the store, and what a Label Studio task shows of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.corpus.tables.table import Table, TableError
from db import texts
from db.store import Store, chunks
from db.texts import UnitRow
from labelstudio_config.codebook import Codebook

Report = Callable[[int, int], None]
_SHOWN = re.compile(r"\$([A-Za-z0-9_]+)")
CHUNK = 300  # rows of a transaction, each of which makes three


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what: the codebook's texts in their order, and what a person named besides."""

    texts: tuple[int, ...]
    id: int | None
    group: int | None


@dataclass(frozen=True, slots=True)
class Corpus:
    """The rows of a table that have a text. `text_ids` are filled in by `remember`."""

    source: str
    rows: tuple[UnitRow, ...]
    empty: int  # rows without a text, left out
    text_ids: tuple[int, ...] = ()
    changed: int = 0  # rows whose text differs from what was taken in before


def text_columns(book: Codebook, table: Table, text: str | None, pair: str | None) -> tuple[int, ...]:
    """Indices of the columns that hold the codebook's texts. TableError lists the columns there are."""
    fields = book.fields
    if len(fields) > 2:
        raise TableError(f"The codebook '{book.key}' is about {len(fields)} texts; a table can give it one, or a pair.")
    if len(fields) == 1 and pair:
        raise TableError(f"The codebook '{book.key}' is about one text; leave out --pair-column.")
    first, *second = fields
    default = first.column if first.column in table.columns else "text"
    found = [table.column(text or default, option="--text-column")]
    found += [table.column(pair or f.column, option="--pair-column") for f in second]
    return tuple(found)


def read_corpus(table: Table, columns: Columns) -> Corpus:
    """The rows with a text in every column that needs one; TableError when two rows have the same id."""
    used = {*columns.texts, columns.group}
    rows: list[UnitRow] = []
    seen: dict[str, int] = {}
    for number, cells in enumerate((_without_nul(row) for row in table.rows()), start=1):
        external_id = cells[columns.id].strip() if columns.id is not None else str(number)
        if not external_id or seen.setdefault(external_id, number) != number:
            raise TableError(_bad_id(table, columns.id, external_id, number))
        fields = tuple(cells[i] for i in columns.texts)
        if not all(field.strip() for field in fields):
            continue
        group = cells[columns.group].strip() or None if columns.group is not None else None
        other = {name: cells[i] for i, name in enumerate(table.columns) if i not in used}
        rows.append(UnitRow(external_id, fields, number, other, group))
    if not rows:
        raise TableError(f"No row of {table.path.name} has a text.")
    return Corpus(table.path.name, tuple(rows), table.n - len(rows))


def remember(store: Store, project_id: int, corpus: Corpus, report: Report) -> Corpus:
    """The corpus with its text ids, stored. A row that was taken in before keeps the text it had then, and is left out
    if it changed.
    """
    with store.reading() as s:
        known = texts.unit_texts(s, project_id, corpus.source)
        ids = texts.find(s, project_id, [row.fields for row in corpus.rows])
    rows = [row for row, text in zip(corpus.rows, ids, strict=True) if known.get(row.external_id, text) == text]
    found: list[int] = []
    report(0, len(rows))
    for part in chunks(rows, CHUNK):
        with store.writing() as s:
            found += texts.remember_units(s, project_id, part, corpus.source)
        report(len(found), len(rows))
    return Corpus(corpus.source, tuple(rows), corpus.empty, tuple(found), len(corpus.rows) - len(rows))


def task_data(book: Codebook, xml: str, row: UnitRow) -> dict[str, Any]:
    """What a task shows: the texts under the codebook's columns, other columns that the screen asks for, and the row's
    id.

    Nothing else of the row goes there: a column may hold a label, and every coder can see a task's data.
    """
    other = row.other or {}
    shown = {name: other[name] for name in columns_shown(xml) if name in other}
    data = {"id": row.external_id} | shown
    return data | dict(zip((f.column for f in book.fields), row.fields, strict=True))


def columns_shown(xml: str) -> set[str]:
    """The columns of a task that a labelling screen shows."""
    return set(_SHOWN.findall(xml))


def _bad_id(table: Table, column: int | None, external_id: str, number: int) -> str:
    name = table.columns[column] if column is not None else "row"
    what = f"has the id '{external_id[:40]}' a second time" if external_id else "has no id"
    cure = "Each row needs one of its own, or leave out --id-column."
    return f"Row {number} of {table.path.name} {what} in '{name}'. {cure}"


def _without_nul(cells: Sequence[str]) -> list[str]:
    """Cells without the one character that PostgreSQL, and so a Label Studio on it, cannot store."""
    return [cell.replace("\x00", "") for cell in cells]
