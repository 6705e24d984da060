"""A project that people code: texts in streams, a task for each, and answers of named coders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from backend.learning.accepted import Resolved, audit_labels, work_labels
from db import answers, releases, revisions, texts
from db.answers import AnswerFact, ValueFact
from db.models import Answer, Draw, LsProject, LsTask, Project, Unit
from db.store import Store
from db.texts import PlacementRow, TaskRow
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import to_xml
from tests.backend.assist.world import BOOK, World

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Coding:
    """A text has an assisted task, or an audit task where it is in the audit; every answer is later than the last."""

    world: World
    book: Codebook = BOOK
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def project(self) -> Project:
        with self.store.reading() as s:
            return s.get_one(Project, self.world.project_id)

    def next(self) -> int:
        return next(self.numbers)

    def change(self, **columns: Any) -> None:
        """Change the project's row."""
        with self.store.writing() as s:
            project = s.get_one(Project, self.world.project_id)
            for name, value in columns.items():
                setattr(project, name, value)

    def revise(self, book: Codebook) -> None:
        with self.store.writing() as s:
            revisions.register(s, self.world.project_id, book, to_xml(book))
        self.book = book

    def text(self, body: str, stream: str | None = "work", group: str | None = None, **place: Any) -> int:
        """A text with a task; `place`: rank and role in the audit, number of the draw."""
        where = "audit" if stream == "audit" else "assisted"
        (text_id,) = self.texts([body], where, [group])
        if stream is not None:
            self.place(text_id, stream, **place)
        return text_id

    def texts(self, bodies: list[str], where: str = "assisted", groups: Iterable[str | None] = ()) -> list[int]:
        groups = list(groups) or [None] * len(bodies)
        rows = []
        for body, group in zip(bodies, groups, strict=True):
            n = self.next()
            rows.append(TaskRow(n, f"{where}/{n}", (body,), group_key=group))
        with self.store.writing() as s:
            ls_project = s.get_one(LsProject, getattr(self.world, where))
            return [text_id for _, text_id in texts.remember_tasks(s, ls_project, rows)]

    def place(
        self, text_id: int, stream: str, rank: int | None = None, role: str | None = None, draw: int | None = None
    ) -> None:
        if stream == "audit":
            rank, role, draw = rank or 0, role or "gate", draw or 1
        with self.store.writing() as s:
            row = None
            if draw is not None:
                mine = select(Draw).where(Draw.project_id == self.world.project_id, Draw.number == draw)
                row = s.scalar(mine)
                if row is None:
                    sizes = {"population": 100, "audit": 100, "control": 0}
                    row = Draw(project_id=self.world.project_id, number=draw, seed=1, **sizes)
                    s.add(row)
                    s.flush()
            texts.place(s, [PlacementRow(text_id, row.id if row else None, rank, stream, role)])

    def answer(self, text_id: int, coder: int | None, where: str | None = None, **given: Any) -> int:
        """An annotation's id. What is given under a question's key is the answer; the rest belongs to `AnswerFact`.

        `at`: minutes after the start, instead of the next one. `annotation`: a new version of that one.
        """
        said = {q.id: given.pop(q.id) for q in self.book.questions if q.id in given}
        annotation = given.pop("annotation", None) or self.next()
        moment = START + timedelta(minutes=given.pop("at", None) or self.next())
        where = where or ("audit" if self._stream(text_id) == "audit" else "assisted")
        task, values = self.task(text_id, where), self._values(said)
        with self.store.writing() as s:
            server = s.get_one(LsProject, self.world.assisted).server_id
            user = None if coder is None else answers.coder(s, self.world.project_id, server, coder).id
            revision = revisions.current(s, self.world.project_id)
            assert revision is not None
            fact: dict[str, Any] = {
                "ls_project_id": getattr(self.world, where),
                "annotation_id": annotation,
                "ls_task_id": task,
                "coder_id": user,
                "answered_at": START,
                "updated_at": moment,
                "via": "webhook",
                "revision_id": revision.id,
                "phase": "production",
                "origin": "human",
                "values": values,
            }
            assert answers.record(s, AnswerFact(**(fact | given)))
        return annotation

    def delete(self, annotation: int) -> None:
        with self.store.writing() as s:
            mine = Answer.ls_project_id.in_([self.world.assisted, self.world.audit])
            owner = s.scalars(select(Answer.ls_project_id).where(mine, Answer.annotation_id == annotation)).one()
            answers.bury(s, owner, [annotation], "webhook")

    def task(self, text_id: int, where: str) -> int:
        """The LsTask row that shows the text there; made if there is none."""
        shows = select(LsTask.id).join(Unit, Unit.id == LsTask.unit_id).where(Unit.text_id == text_id)
        with self.store.reading() as s:
            ls_project = s.get_one(LsProject, getattr(self.world, where))
            there = s.scalars(shows.where(LsTask.ls_project_id == ls_project.id).order_by(LsTask.id)).first()
            fields = texts.bodies(s, [text_id])[text_id]
        if there is not None:
            return there
        n = self.next()
        with self.store.writing() as s:
            return texts.remember_tasks(s, ls_project, [TaskRow(n, f"{where}/{n}", fields)])[0][0]

    def tasks(self, text_id: int) -> list[int]:
        """The LsTask rows that show the text."""
        with self.store.reading() as s:
            shows = select(LsTask.id).join(Unit, Unit.id == LsTask.unit_id).where(Unit.text_id == text_id)
            return list(s.scalars(shows.order_by(LsTask.id)))

    def delete_task(self, text_id: int) -> None:
        with self.store.writing() as s:
            for task in self.tasks(text_id):
                row = s.get_one(LsTask, task)
                texts.delete_tasks(s, row.ls_project_id, [row.task_id])

    def edit(self, text_id: int, body: str) -> int:
        """The text that the first task shows after it was edited."""
        with self.store.writing() as s:
            row = s.get_one(LsTask, self.tasks(text_id)[0])
            unit = s.get_one(Unit, row.unit_id)
            ls_project = s.get_one(LsProject, row.ls_project_id)
            return texts.remember_tasks(s, ls_project, [TaskRow(row.task_id, unit.external_id, (body,))])[0][1]

    def release(self) -> int:
        """A release of the project's."""
        with self.store.writing() as s:
            revision = revisions.current(s, self.world.project_id)
            assert revision is not None
            same = {"engine": "keyword", "base": "keyword", "base_digest": "0", "adapter_digest": "", "dtype": ""}
            scorer = releases.scorer(s, **same, prompt_hash="", scoring_hash=revision.scoring_hash, method="count")
            return releases.release(s, self.world.project_id, scorer, revision, order_policy="margin").id

    def _values(self, said: dict[str, Any]) -> tuple[ValueFact, ...]:
        with self.store.reading() as s:
            questions = revisions.question_ids(s, self.world.project_id)
            labels = revisions.label_ids(s, self.world.project_id)
        values = []
        for key, value in said.items():
            if isinstance(value, int | float):
                values.append(ValueFact(questions[key], None, float(value), "human"))
            else:
                chosen = (value,) if isinstance(value, str) else value
                values += [ValueFact(questions[key], labels[key, label], None, "human") for label in chosen]
        return tuple(values)

    def _stream(self, text_id: int) -> str | None:
        with self.store.reading() as s:
            found = texts.placements(s, [text_id])
        return found[text_id].stream if found else None

    def work(self) -> Resolved:
        with self.store.reading() as s:
            return work_labels(s, self.project, self.book)

    def audit(self, role: str = "gate") -> Resolved:
        with self.store.reading() as s:
            return audit_labels(s, self.project, self.book, role)


def humor(found: Resolved) -> list[tuple[int, str]]:
    return [(a.text_id, ",".join(a.labels)) for a in found.accepted if a.question == "humor"]


def why(found: Resolved, question: str = "humor") -> dict[str, int]:
    return dict(found.unresolved[question])


def coded(coding: Coding, text: int, *votes: str, **given: Any) -> None:
    """One vote on humor of each of the coders 1, 2, ..."""
    for coder, vote in enumerate(votes, 1):
        coding.answer(text, coder, humor=vote, **given)
