"""What a Label Studio task's data says: the texts that are coded, and the row's other columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.corpus.tasks import MARK
from db.texts import TaskRow
from labelstudio_config.codebook import Field

UNNAMED = "$undefined$"  # the column of a one-column import, where Label Studio has not put its name in yet
MOST_COLUMNS = 200

Scalar = str | int | float | bool


def columns(data: Any) -> dict[str, Scalar]:
    """The columns that hold a word or a number; lists and nested objects are not texts, and are left out."""
    if not isinstance(data, dict):
        return {}
    plain = {str(name): value for name, value in data.items() if isinstance(value, (str, int, float))}
    return dict(list(plain.items())[:MOST_COLUMNS])


def texts(data: Any, fields: Sequence[Field]) -> tuple[str, ...] | None:
    """The texts of a task in the codebook's order; None when a column is missing or holds no text."""
    row = columns(data)
    if len(fields) == 1 and fields[0].column not in row and UNNAMED in row:
        row = {fields[0].column: row[UNNAMED]}
    if any(field.column not in row or isinstance(row[field.column], bool) for field in fields):
        return None
    return tuple(str(row[field.column]) for field in fields)


def mark(meta: Any) -> dict[str, str] | None:
    """Which row of which source a task of ours shows, as its `meta` says; None for a task that somebody else made."""
    found = meta.get(MARK) if isinstance(meta, dict) else None
    if not isinstance(found, dict):
        return None
    named = {name: value for name in ("source", "id") if isinstance(value := found.get(name), str)}
    return named if len(named) == 2 else None


def task_row(ls_project_id: int, task_id: int, data: Any, fields: Sequence[Field]) -> TaskRow | None:
    """A task that somebody made in Label Studio, as a row of the corpus; None when it has no text."""
    found = texts(data, fields)
    if found is None:
        return None
    used = {field.column for field in fields} | {UNNAMED}
    other = {name: value for name, value in columns(data).items() if name not in used}
    return TaskRow(task_id=task_id, external_id=f"{ls_project_id}/{task_id}", fields=found, other=other or None)
