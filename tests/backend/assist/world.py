"""A project in a store, and the whole service around an engine, driven from a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from backend.assist.catalogue import Catalogue, ProjectState
from backend.assist.suggest import Suggester, Suggestion, TaskIn
from backend.engines.protocol import Engine
from db import projects, revisions, texts
from db.models import Exposure, LsTask, Placement, Prediction, Text
from db.store import Store
from db.texts import PlacementRow, TextRow
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Question
from labelstudio_config.xml import to_xml

TEXT = Field("text", "text")


def labels(*codes: str) -> tuple[Label, ...]:
    return tuple(Label(code, code, code) for code in codes)


HUMOR = Question("humor", "humor", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("no", "yes"))
TOPICS = Question("topics", "topics", Kind.MULTIPLE, Control.CHOICES, (TEXT,), labels("money", "health", "sport"))
STARS = Question("stars", "stars", Kind.ORDINAL, Control.RATING, (TEXT,), labels("1", "2", "3", "4"))
YEAR = Question("year", "year", Kind.NUMBER, Control.NUMBER, (TEXT,))
BOOK = Codebook("posts", "Posts", (HUMOR, TOPICS, STARS, YEAR))


@dataclass(frozen=True)
class World:
    """A project with a codebook, an assisted and an audit Label Studio project, and no texts."""

    store: Store
    key: str
    project_id: int
    assisted: int  # LsProject row
    audit: int  # LsProject row
    codebook: Codebook

    def state(self, engine: Engine) -> ProjectState:
        return Catalogue(self.store, engine.identity).state(self.key)

    def task(self, number: int | None, *fields: str) -> TaskIn:
        """A task of the assisted project."""
        return TaskIn(number, fields, self.assisted)

    def remember(self, *bodies: str) -> list[int]:
        with self.store.writing() as s:
            return texts.remember(s, self.project_id, [TextRow((body,)) for body in bodies])

    def place(self, stream: str, *bodies: str, rank: int | None = None) -> list[int]:
        ids = self.remember(*bodies)
        with self.store.writing() as s:
            role = "gate" if stream == "audit" else None
            texts.place(s, [PlacementRow(text_id, None, rank, stream, role) for text_id in ids])
        return ids

    def exposed(self) -> list[tuple[str, int, int | None, str]]:
        """(words, release, Label Studio's task id, channel) of every exposure, sorted."""
        query = select(Exposure.text_id, Exposure.release_id, LsTask.task_id, Exposure.channel)
        query = query.join(Text, Text.id == Exposure.text_id).where(Text.project_id == self.project_id)
        with self.store.reading() as s:
            rows = s.execute(query.outerjoin(LsTask, LsTask.id == Exposure.ls_task_id)).all()
            words = texts.bodies(s, [row[0] for row in rows])
        return sorted(((words[i][0], release, task, channel) for i, release, task, channel in rows), key=str)

    def streams(self) -> dict[str, str]:
        """First field of each placed text -> its stream."""
        mine = select(Placement).join(Text, Text.id == Placement.text_id).where(Text.project_id == self.project_id)
        with self.store.reading() as s:
            placed = {p.text_id: p.stream for p in s.scalars(mine)}
            return {words[0]: placed[text] for text, words in texts.bodies(s, list(placed)).items()}

    def count(self, model: type[Any]) -> int:
        with self.store.reading() as s:
            return int(s.scalar(select(func.count()).select_from(model)) or 0)

    def scored(self, body: str) -> int:
        """Questions that the text has stored scores on."""
        query = select(func.count()).select_from(Prediction).join(Text, Text.id == Prediction.text_id)
        with self.store.reading() as s:
            found = texts.find(s, self.project_id, [(body,)])[0]
            return int(s.scalar(query.where(Text.id == found)) or 0)


def make_world(store: Store, key: str = "posts", codebook: Codebook = BOOK) -> World:
    with store.writing() as s:
        project = projects.create(s, key, "Posts", 7, {"audit": 1, "control": 1, "coders": 2})
        server = projects.server(s, f"http://{key}.example:8080")
        assisted = projects.add_ls_project(s, project.id, server.id, 1, 1000, "assisted")
        audit = projects.add_ls_project(s, project.id, server.id, 2, 1000, "audit")
        revisions.register(s, project.id, codebook, to_xml(codebook))
        return World(store, key, project.id, assisted.id, audit.id, codebook)


@dataclass(frozen=True)
class Service:
    """A running suggester."""

    suggester: Suggester
    state: ProjectState

    async def suggest(self, *tasks: TaskIn, channel: str = "predict") -> list[Suggestion]:
        return await self.suggester.suggest(self.state, tasks, channel)

    def ask(self, *tasks: TaskIn, channel: str = "predict") -> list[Suggestion]:
        """One request, from a loop of its own."""
        return asyncio.run(self.suggest(*tasks, channel=channel))

    def ask_all(self, requests: Sequence[Sequence[TaskIn]], channel: str = "predict") -> list[list[Suggestion]]:
        """Many requests at once."""

        async def all_of_them() -> list[list[Suggestion]]:
            return await asyncio.gather(*(self.suggest(*tasks, channel=channel) for tasks in requests))

        return asyncio.run(all_of_them())


@contextmanager
def serving(world: World, engine: Engine, **settings: Any) -> Iterator[Service]:
    """The service around an engine, until the end of the block."""
    suggester = Suggester(world.store, engine, **settings)
    suggester.start()
    try:
        yield Service(suggester, world.state(engine))
    finally:
        suggester.close()
