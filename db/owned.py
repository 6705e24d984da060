"""Which rows of the store belong to a project: worked out from the tables' foreign keys, so that a new table is covered
without a word about it.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Column, ColumnElement, Select, Table, or_, select

from db.base import Base
from db.models import Adapter, Run, Scorer

SHARED = {
    "ls_server": "a server of Label Studio may hold several projects",
    "adapter": "the same files may answer in several projects",
    "scorer": "what scores texts is the same wherever it does",
    "calibration": "it belongs to a scorer",
    "lease": "it says who works just now",
}
# Columns that hold another row's id without a foreign key: table -> column -> the table meant. Ids inside JSON are in
# `db.restored`.
LOOSE = {"text": {"cluster": "text"}}


def tables() -> list[Table]:
    """The tables whose rows belong to a project, `project` first, each after those it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name == "project" or table.name in _ways()]


def shared() -> list[Table]:
    """The shared tables that a project's rows may refer to, each after those it refers to."""
    names = SHARED.keys() - {"lease"}
    return [table for table in Base.metadata.sorted_tables if table.name in names]


@cache
def _ways() -> dict[str, Column[int]]:
    """Table -> the foreign key that leads, over other tables or not, to `project`."""
    found: dict[str, Column[int]] = {}
    reached = {"project"}
    while True:
        new: dict[str, Column[int]] = {}
        for table in Base.metadata.sorted_tables:
            if table.name in reached or table.name in SHARED:
                continue
            keys = [c for c in table.columns if target(c) in reached and (not c.nullable or target(c) == "project")]
            if keys:
                new[table.name] = min(keys, key=lambda column: bool(column.nullable))
        if not new:
            return found
        found |= new
        reached |= new.keys()


def target(column: Column[int]) -> str | None:
    """The table whose id this column holds; None for other columns."""
    named = LOOSE.get(column.table.name, {}).get(column.name)
    return named or next((key.column.table.name for key in column.foreign_keys), None)


def of(table: Table, project_id: int) -> ColumnElement[bool]:
    """Whether a row of this table belongs to the project."""
    if table.name == "project":
        return table.c.id == project_id
    key = _ways()[table.name]
    parent = next(iter(key.foreign_keys)).column.table
    if parent.name == "project":
        return key == project_id
    return key.in_(select(parent.c.id).where(of(parent, project_id)))


def referred(table: Table, project_id: int) -> ColumnElement[bool]:
    """Whether a project's rows refer to this row of a shared table."""
    if table.name == "adapter":
        return _adapters(project_id)
    ways = [
        select(column).where(referred(other, project_id) if other.name in SHARED else of(other, project_id))
        for other in (*tables(), *shared())
        if other.name != table.name
        for column in other.columns
        if target(column) == table.name
    ]
    return or_(*(table.c.id.in_(way) for way in ways))


def _adapters(project_id: int) -> ColumnElement[bool]:
    """Adapters are the project's own, or answer in it, or came from a run of it."""
    scorer = Base.metadata.tables["scorer"]
    serving = select(Scorer.adapter_digest).where(referred(scorer, project_id), Scorer.adapter_digest != "")
    made = select(Run.adapter_id).where(Run.project_id == project_id, Run.adapter_id.is_not(None))
    return or_(Adapter.project_id == project_id, Adapter.digest.in_(serving), Adapter.id.in_(made))


def rows(table: Table, project_id: int) -> Select[tuple[object, ...]]:
    """The project's rows of a table, or those it refers to of a shared one, in the order of their keys."""
    mine = referred(table, project_id) if table.name in SHARED else of(table, project_id)
    return select(table).where(mine).order_by(*table.primary_key.columns)
