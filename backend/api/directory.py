"""Which projects there are, from memory; read anew every few seconds, and when an unknown one is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from backend.api.errors import Conflict
from db import projects
from db.models import LsProject, Project
from db.store import Store

FRESH = 2.0  # seconds; `socialite connect` adds projects in another process
NOWHERE = "http://unknown.invalid"


@dataclass(frozen=True, slots=True)
class Place:
    """A Label Studio project, and the project it serves."""

    ls_project_id: int
    identity: tuple[int, int]  # Label Studio's id, and the second it was made
    project_id: int
    project_key: str
    role: str
    secret_hash: str | None


class Directory:
    """The projects of a store. `keys` and `places` answer at once; `find` and `adopt` may read and write."""

    def __init__(self, store: Store, label_studio_url: str = "") -> None:
        """`label_studio_url`: the server of a project that comes without saying where it lies."""
        self._store, self._server = store, label_studio_url or NOWHERE
        self._read_at = -FRESH
        self._adopting = asyncio.Lock()
        self.keys: dict[str, int] = {}  # project key -> id
        self.archived: frozenset[str] = frozenset()  # keys
        self.places: dict[tuple[int, int], list[Place]] = {}

    async def knows(self, key: str) -> bool:
        """Whether there is a project of this key."""
        if key not in self.keys:
            await self.refresh()
        return key in self.keys

    async def rests(self, key: str) -> bool:
        """Whether the project is archived, and so suggests nothing."""
        if time.monotonic() - self._read_at > FRESH:
            await self.refresh()
        return key in self.archived

    async def find(self, identity: tuple[int, int], key: str | None = None) -> Place | None:
        """The place of this Label Studio project, in the project `key` where one is named; None when there is none."""
        if time.monotonic() - self._read_at > FRESH or self._at(identity, key) is None:
            await self.refresh()
        return self._at(identity, key)

    def _at(self, identity: tuple[int, int], key: str | None) -> Place | None:
        return next((p for p in self.places.get(identity, ()) if key in (None, p.project_key)), None)

    def all(self, key: str | None = None) -> list[Place]:
        """Every place, or those of one project."""
        return [p for places in self.places.values() for p in places if key in (None, p.project_key)]

    async def refresh(self) -> None:
        await asyncio.to_thread(self.read)

    def read(self) -> None:
        query = (
            select(LsProject, Project.key)
            .join(Project, Project.id == LsProject.project_id)
            .where(projects.seen(), LsProject.role != projects.IMPORTED)
            .order_by(LsProject.id.desc())
        )
        with self._store.reading() as s:
            known = list(s.scalars(select(Project).where(projects.seen())))
            rows = [_place(row, key) for row, key in s.execute(query)]
        self.keys = {project.key: project.id for project in known}
        self.archived = frozenset(project.key for project in known if project.archived_at is not None)
        self.places, self._read_at = _by_identity(rows), time.monotonic()

    async def adopt(self, identity: tuple[int, int], key: str | None, hostname: str | None) -> Place:
        """Take in a Label Studio project that was connected by hand: into the project of its URL, else into a new one.

        Conflict when it belongs to another project than its URL says.
        """
        async with self._adopting:
            if (place := await self.find(identity, key)) is None:
                await asyncio.to_thread(self._adopt, identity, key, hostname)
                await self.refresh()
                place = self._at(identity, key)
        assert place is not None
        return place

    def _adopt(self, identity: tuple[int, int], key: str | None, hostname: str | None) -> None:
        ls_id, ls_created = identity
        with self._store.writing() as s:
            elsewhere = projects.ls_project(s, ls_id=ls_id, ls_created=ls_created)
            if elsewhere is not None:
                raise _taken(s.get_one(Project, elsewhere.project_id).key)
            name = key or f"ls-{ls_id}-{ls_created}"
            project = projects.find(s, name) or projects.create(
                s, name, f"Label Studio project {ls_id}", ls_created, {"audit": 0, "control": 0, "coders": 1}
            )
            server = projects.server(s, hostname or self._server)
            projects.add_ls_project(s, project.id, server.id, ls_id, ls_created, "assisted")


def _taken(key: str) -> Conflict:
    if key.startswith(projects.HIDDEN):
        return Conflict("The project of this Label Studio project is being deleted or restored.", "Ask again later.")
    return Conflict(
        f"This Label Studio project is connected to the project '{key}' already.",
        f"Give the model in Label Studio the address that ends in /ls/{key}.",
    )


def _place(row: LsProject, key: str) -> Place:
    return Place(row.id, (row.ls_id, row.ls_created), row.project_id, key, row.role, row.secret_hash)


def _by_identity(rows: Iterable[Place]) -> dict[tuple[int, int], list[Place]]:
    found: dict[tuple[int, int], list[Place]] = {}
    for row in rows:
        found.setdefault(row.identity, []).append(row)
    return found
