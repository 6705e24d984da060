"""Putting a project's rows into a store where they get other ids: every reference is turned to the new ones."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Table, UniqueConstraint, insert, select, update
from sqlalchemy.orm import Session

from db import owned
from db.base import Base, now
from db.dialect import chunks
from db.erasing import hidden_key
from db.models import Adapter, Calibration, LsProject, LsServer, Project, Run
from db.plain import typed
from db.projects import IMPORTED
from db.store import Store

ROWS = 250  # of a transaction
Rows = Callable[[str], Iterable[Mapping[str, Any]]]  # the plain rows of a table, by their keys
Report = Callable[[int], None]


class Ids:
    """Old id -> new id of a table's rows, both in rising order of the old ones: 16 bytes a row."""

    def __init__(self) -> None:
        self._old, self._new = array("q"), array("q")

    def add(self, old: int, new: int) -> None:
        if self._old and old <= self._old[-1]:
            raise ValueError(f"the rows are not in order at {old}")
        self._old.append(old)
        self._new.append(new)

    def __getitem__(self, old: int) -> int:
        """ValueError when there is none."""
        new = self.get(old)
        if new is None:
            raise ValueError(f"a row refers to {old}, which is not there")
        return new

    def get(self, old: int | None) -> int | None:
        """None where there is none."""
        at = bisect_left(self._old, old) if old is not None else len(self._old)
        return self._new[at] if at < len(self._old) and self._old[at] == old else None


class Restoring:
    """One project on its way into a store, hidden until `show`."""

    def __init__(self, store: Store, rows: Rows, key: str) -> None:
        """`rows` gives what a backup holds; `key` is what the project will be called here."""
        self.store, self.rows, self.key = store, rows, key
        self.ids: dict[str, Ids] = {name: Ids() for name in Base.metadata.tables}
        self.new_adapters: dict[str, int] = {}  # digest -> id of those this store did not have
        self._of_tables: set[int] | None = None
        self._known_adapters: list[int] = []  # ids of those it had
        (self._project,) = [typed(_table("project"), row) for row in rows("project")]

    def begin(self) -> int:
        """The id of the new project."""
        hidden = {"key": hidden_key(self.key), "archived_at": now()}
        with self.store.writing() as s:
            project = Project(**{k: v for k, v in self._project.items() if k != "id"} | hidden)
            s.add(project)
            s.flush()
            self.ids["project"].add(self._project["id"], project.id)
            return project.id

    def fill(self, report: Report) -> None:
        """Put in all rows but the project's own; ValueError when one cannot be read. `report(rows)` after each part."""
        for table in owned.shared():
            with self.store.writing() as s:
                for row in self.rows(table.name):
                    self._share(s, table, typed(table, row))
        done = 0
        last = ("inbox",)  # what an event is about must be there
        for table in sorted(owned.tables()[1:], key=lambda one: one.name in last):
            own = any(owned.target(column) == table.name for column in table.columns if column.foreign_keys)
            for part in chunks((typed(table, row) for row in self.rows(table.name)), 1 if own else ROWS):
                with self.store.writing() as s:
                    self._put(s, table, part)
                done += len(part)
                report(done)
        for name, columns in owned.LOOSE.items():
            self._tie(_table(name), columns)

    def show(self) -> None:
        """The project is there from now on, whole. IntegrityError when another took its key meanwhile."""
        with self.store.writing() as s:
            project = s.get_one(Project, self.ids["project"][self._project["id"]])
            project.key, project.archived_at = self.key, self._project["archived_at"]
            nobody_s = (Adapter.id.in_(self._known_adapters), Adapter.project_id.is_(None))
            s.execute(update(Adapter).where(*nobody_s).values(project_id=project.id))

    def _share(self, s: Session, table: Table, row: dict[str, Any]) -> None:
        """A shared row: the one that is here already, or a new one."""
        old = row.pop("id")
        if table.name == "adapter":
            row["parent_id"] = self.ids["adapter"].get(row["parent_id"])
            row["project_id"] = self.ids["project"][self._project["id"]]
        else:
            self._turn(table, row)
        found = s.scalar(select(table.c.id).where(*(table.c[name] == row[name] for name in _natural(table))))
        if found is not None and table.name == "calibration":
            found, row["version"] = _calibration(s, row)
        if found is None:
            found = s.execute(insert(table).values(**row).returning(table.c.id)).scalar_one()
            if table.name == "adapter":
                self.new_adapters[row["digest"]] = found
        elif table.name == "adapter":
            self._known_adapters.append(found)
        self.ids[table.name].add(old, found)

    def _put(self, s: Session, table: Table, part: list[dict[str, Any]]) -> None:
        """A part of a table's rows, with new ids."""
        olds = [row.pop("id", None) for row in part]
        for row in part:
            self._turn(table, row)
            self._turn_inside(s, table, row)
        if "id" not in table.columns:
            s.execute(insert(table), part)
            return
        query = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        for old, new, row in zip(olds, s.scalars(query, part).all(), part, strict=True):
            self.ids[table.name].add(old, new)
            if table.name == "run" and row["metrics"] and "run" in row["metrics"].get("card", {}):
                card = row["metrics"]["card"] | {"run": new}
                s.execute(update(Run).where(Run.id == new).values(metrics=row["metrics"] | {"card": card}))

    def _turn(self, table: Table, row: dict[str, Any]) -> None:
        """Turn the columns that refer to other rows; those without a foreign key are tied when all rows are there."""
        loose = owned.LOOSE.get(table.name, {})
        for column in table.columns:
            name = owned.target(column)
            if column.name in loose:
                row[column.name] = None
            elif name is not None and row.get(column.name) is not None:
                row[column.name] = self.ids[name][row[column.name]]

    def _turn_inside(self, s: Session, table: Table, row: dict[str, Any]) -> None:
        """Turn ids that are not in a column of their own."""
        if table.name == "ls_project" and row["role"] == IMPORTED:  # see `db.projects.add_of_tables`
            row["ls_id"] = row["project_id"]
        if table.name == "ls_task" and row["ls_project_id"] in self._imported(s):
            row["task_id"] = row["unit_id"]
        if table.name != "inbox":
            return
        body = row["body"]
        if "ls_project" in body:
            new = self.ids["ls_project"][body["ls_project"]]
            row["event_key"] = _with_number(row["event_key"], body["ls_project"], new)
            body = body | {"ls_project": new}
        if "revision" in body:
            body = body | {"revision": self.ids["codebook_revision"][body["revision"]]}
        row["body"] = body

    def _imported(self, s: Session) -> set[int]:
        """The rows that stand where a Label Studio project would, for answers that came from tables."""
        if self._of_tables is None:
            query = select(LsProject.id).where(LsProject.role == IMPORTED)
            self._of_tables = set(s.scalars(query))
        return self._of_tables

    def _tie(self, table: Table, columns: Mapping[str, str]) -> None:
        ids = self.ids[table.name]
        for column, other in columns.items():
            there = ((row["id"], row[column]) for row in self.rows(table.name) if row[column] is not None)
            for part in chunks(there, ROWS):
                with self.store.writing() as s:
                    for old, value in part:
                        new = {column: self.ids[other][value]}
                        s.execute(update(table).where(table.c.id == ids[old]).values(new))


def taken(s: Session, rows: Rows) -> Iterator[tuple[str, int, str]]:
    """The Label Studio projects of a backup that a project of this store has already: address, number, the project's
    key.
    """
    urls = {row["id"]: row["url"] for row in rows("ls_server")}
    for row in rows("ls_project"):
        url = urls[row["server_id"]]
        here = select(Project.key).join(LsProject, LsProject.project_id == Project.id)
        same = (LsServer.url == url, LsProject.ls_id == row["ls_id"], LsProject.ls_created == row["ls_created"])
        key = s.scalar(here.join(LsServer, LsServer.id == LsProject.server_id).where(*same))
        if key is not None and row["role"] != IMPORTED:
            yield url, row["ls_id"], key


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _natural(table: Table) -> list[str]:
    """The columns that name a row of a shared table, whatever its id."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            return [column.name for column in constraint.columns]
    raise LookupError(table.name)


def _calibration(s: Session, row: Mapping[str, Any]) -> tuple[int | None, int]:
    """The calibration of this scorer with these parameters, or the version that a new one gets."""
    there = list(s.scalars(select(Calibration).where(Calibration.scorer_id == row["scorer_id"])))
    same = next((one for one in there if one.parameters == row["parameters"]), None)
    return (same.id, same.version) if same else (None, max(one.version for one in there) + 1)


def _with_number(event_key: str | None, old: int, new: int) -> str | None:
    """An event's key, which has the Label Studio project's row as its second part."""
    parts = event_key.split("/") if event_key else []
    if len(parts) < 2 or parts[1] != str(old):
        return event_key
    return "/".join([parts[0], str(new), *parts[2:]])
