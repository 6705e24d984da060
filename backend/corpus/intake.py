"""What of a table is a corpus: which columns hold texts and what belongs to them; and what a task shows of a row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from backend.corpus.tables.table import Table, TableError
from db.texts import UnitRow
from labelstudio_config.codebook import Codebook, Question

_SHOWN = re.compile(r"\$([A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Labels:
    """The columns of labels that were given before, to which question, and what they are: in which phase they were
    given, and whether they are the truth.
    """

    question: Question
    label: int
    coder: int | None = None
    time: int | None = None
    phase: str = "training"
    ground_truth: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what: the codebook's texts in their order, and what a person named besides."""

    texts: tuple[int, ...]
    id: int | None
    group: int | None
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """The rows of a table, to be read. `source` is the name under which they are remembered, `other` the columns that
    are carried along: their places and names.
    """

    table: Table
    columns: Columns
    source: str
    other: tuple[tuple[int, str], ...]


class Keys(Protocol):
    """What the store calls the questions and labels of a codebook: `questions` by id, `labels` by both ids."""

    @property
    def questions(self) -> Mapping[str, int]: ...
    @property
    def labels(self) -> Mapping[tuple[str, str], int]: ...


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


def read_corpus(table: Table, columns: Columns, source: str | None = None) -> Corpus:
    """The corpus that a table is; the columns that hold something of their own are not carried along, so that nobody
    sees a label, or who gave it, in the task.
    """
    labels = columns.labels
    used = {*columns.texts, columns.group, *((labels.label, labels.coder, labels.time) if labels else ())}
    other = tuple((place, name) for place, name in enumerate(table.columns) if place not in used)
    return Corpus(table, columns, source or table.path.name, other)


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
