"""Which rows belong to a project: every table is covered, or named as shared; so are ids without a foreign key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer

from db import owned
from db.base import Base

NUMBERS = {  # whole numbers that are no ids of rows here
    "adapter": set(),
    "answer": {"annotation_id"},
    "calibration": {"version"},
    "codebook_revision": {"number"},
    "coder": {"ls_user"},
    "draw": {"number", "seed", "population", "audit", "control"},
    "gate_decision": {"look_number", "n"},
    "inbox": {"attempts"},
    "job": {"progress", "total", "attempts"},
    "ls_project": {"ls_id", "ls_created", "backend_id", "webhook_id"},
    "ls_task": {"task_id"},
    "placement": {"rank"},
    "prediction": {"cut"},
    "project": {"seed"},
    "run": {"seed"},
    "tombstone": {"annotation_id"},
    "unit": {"row"},
}


def test_every_table_belongs_to_a_project_or_is_named_as_shared() -> None:
    covered = {table.name for table in owned.tables()}
    assert covered | owned.SHARED.keys() == set(Base.metadata.tables)
    assert covered & owned.SHARED.keys() == set()


def test_parents_come_first() -> None:
    seen: set[str] = set()
    for table in owned.tables():
        wanted = {name for column in table.columns if (name := owned.target(column)) not in (None, table.name)}
        assert wanted - owned.SHARED.keys() <= seen
        seen.add(table.name)


def test_every_whole_number_is_a_key_or_named_as_a_number() -> None:
    """A column that holds a row's id without a foreign key belongs into `owned.LOOSE`, or a restored project breaks."""
    unknown = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, (Integer, BigInteger))
        and column.name != "id"
        and owned.target(column) is None
        and column.name not in NUMBERS.get(table.name, set())
    ]
    assert unknown == []
