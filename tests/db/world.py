"""A small project to put things into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from db import projects, releases, revisions, texts
from db.answers import AnswerFact, ValueFact
from db.models import LsProject, Project, Release, Scorer
from db.store import Store
from db.texts import TaskRow
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Question


def codebook(*keys: str, labels: tuple[str, ...] = ("no", "yes")) -> Codebook:
    """Single-choice questions about one text."""
    field = Field("text", "text", "Post")
    return Codebook(
        key="posts",
        title="Posts",
        questions=tuple(
            Question(key, key, Kind.SINGLE, Control.CHOICES, (field,), tuple(Label(x, x, x) for x in labels))
            for key in keys or ("humor", "offense")
        ),
    )


@dataclass(frozen=True)
class World:
    """A project with a current release, an assisted and an audit Label Studio project, and a task in each."""

    store: Store
    project: Project
    assisted: LsProject
    audit: LsProject
    scorer: Scorer
    release: Release
    questions: dict[str, int]
    labels: dict[tuple[str, str], int]
    task: int
    text: int
    audit_task: int

    def fact(self, annotation_id: int, minute: int, label: str = "yes", **other: object) -> AnswerFact:
        """Version `minute` of an annotation of the assisted task."""
        value = ValueFact(self.questions["humor"], self.labels["humor", label], None, "human")
        facts: dict[str, object] = {
            "ls_project_id": self.assisted.id,
            "annotation_id": annotation_id,
            "ls_task_id": self.task,
            "coder_id": None,
            "answered_at": at(0),
            "updated_at": at(minute),
            "via": "webhook",
            "revision_id": self.release.revision_id,
            "phase": "production",
            "origin": "human",
            "values": (value,),
        }
        return AnswerFact(**(facts | other))  # type: ignore[arg-type]


def at(minute: int) -> datetime:
    return datetime(2026, 3, 1, 12, minute, tzinfo=UTC)


def make_world(store: Store, key: str = "posts") -> World:
    with store.writing() as s:
        project = projects.create(s, key, "Posts", 7, {"audit": 1, "control": 1, "coders": 2})
        server = projects.server(s, f"http://{key}.example:8080")
        assisted = projects.add_ls_project(s, project.id, server.id, 1, 1000, "assisted")
        audit = projects.add_ls_project(s, project.id, server.id, 2, 1000, "audit")
        revision = revisions.register(s, project.id, codebook(), "<View/>")
        scorer = releases.scorer(
            s,
            engine="keyword",
            base="keyword",
            base_digest="0",
            adapter_digest="",
            prompt_hash="0",
            scoring_hash=revision.scoring_hash,
            dtype="float64",
            method="count",
        )
        release = releases.release(s, project.id, scorer, revision, order_policy="margin")
        releases.point(s, project.id, release, by="test", reason="first")
        task, text_id = texts.remember_tasks(s, assisted, [TaskRow(10, "a", ("Why did the chicken?",))])[0]
        audit_task, _ = texts.remember_tasks(s, audit, [TaskRow(11, "b", ("You fool",))])[0]
        questions, labels = revisions.question_ids(s, project.id), revisions.label_ids(s, project.id)
    return World(store, project, assisted, audit, scorer, release, questions, labels, task, text_id, audit_task)
