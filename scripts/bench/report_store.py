"""A large project in a store of its own: scored texts, an audit by several people, and answers to suggestions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db import answers, projects, releases, revisions
from db.base import Base
from db.dialect import insert_new
from db.models import (
    Answer,
    AnswerValue,
    AnswerVersion,
    Draw,
    Exposure,
    Look,
    LsTask,
    Placement,
    Prediction,
    Text,
    TextBody,
    Unit,
)
from db.predictions import pack
from db.store import Store, open_store, sqlite_url
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Question
from labelstudio_config.xml import to_xml
from scripts.bench.material import LS_CREATED, LS_ID

KEY = "large"
COLUMN = "outlet"  # of the corpus, with OUTLETS values
OUTLETS = 6
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PART = 5000  # rows a transaction: nobody else waits for this store
RIGHT = 0.75  # share of answers that are the text's own label

# What all versions of answers have in common.
VERSION = {
    "via": "sync",
    "phase": "production",
    "ground_truth": False,
    "cancelled": False,
    "notes": None,
    "problems": None,
}

Rows = Iterator[dict[str, Any]]
Ints = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Size:
    """Texts, each scored on two questions; of them audit texts, half gate and half test, that `coders` people coded
    without suggestions, and control texts. `answers` in all: a control text and a text of the work has one.
    """

    texts: int
    audit: int
    coders: int
    control: int
    answers: int

    @property
    def answered(self) -> int:
        """Texts with at least one answer."""
        return self.audit + self.answers - self.audit * self.coders


def codebook() -> Codebook:
    """A choice among four labels, and a scale of five."""
    field = (Field("text", "text"),)
    tones = tuple(Label(name, name, name, f"The text is {name}.") for name in ("neutral", "angry", "glad", "sad"))
    steps = tuple(Label(str(n), str(n), f"{n} of 5") for n in range(1, 6))
    return Codebook(
        KEY,
        "A large project",
        (
            Question("tone", "tone", Kind.SINGLE, Control.CHOICES, field, tones),
            Question("offense", "offense", Kind.ORDINAL, Control.CHOICES, field, steps),
        ),
    )


def create(home: Path, size: Size, seed: int = 0) -> Store:
    """The store in `home`, with the project `KEY` and its test opened; about as fast as SQLite writes."""
    made = _Project(open_store(sqlite_url(home)), size, codebook(), np.random.default_rng(seed))
    made.texts()
    made.predictions()
    made.answers()
    return made.store


class _Project:
    """What is written, in order of rank: the text of rank r has the id r + 1, and so have its unit and its task."""

    def __init__(self, store: Store, size: Size, book: Codebook, random: np.random.Generator) -> None:
        self.store, self.size, self.random = store, size, random
        self.k = [len(question.labels) for question in book.questions]
        self.own = [random.integers(k, size=size.texts) for k in self.k]  # each text's own label
        with store.writing() as s:
            design = {"audit": size.audit, "control": size.control, "coders": size.coders}
            project = projects.create(s, KEY, book.title, seed=1, sampling_design=design)
            server = projects.server(s, "http://127.0.0.1:8080")
            self.assisted, self.audit = (
                projects.add_ls_project(s, project.id, server.id, LS_ID + n, LS_CREATED, role).id
                for n, role in enumerate(("assisted", "audit"))
            )
            revision = revisions.register(s, project.id, book, to_xml(book))
            names = {"engine": "none", "base": "none", "base_digest": "0", "adapter_digest": "", "dtype": ""}
            scorer = releases.scorer(s, **names, prompt_hash="", scoring_hash=revision.scoring_hash, method="random")
            release = releases.release(s, project.id, scorer, revision, order_policy="margin")
            releases.point(s, project.id, release, by="benchmark", reason="the only one")
            s.add(Look(project_id=project.id, revision_id=revision.id, release_id=release.id, by="-", reason="-"))
            sizes = {"population": size.texts, "audit": size.audit, "control": size.control}
            draw = Draw(project_id=project.id, number=1, seed=1, **sizes)
            s.add(draw)
            s.flush()
            self.people = [answers.coder(s, project.id, server.id, n + 1).id for n in range(size.coders)]
            questions, labels = revisions.question_ids(s, project.id), revisions.label_ids(s, project.id)
            self.questions = [questions[question.id] for question in book.questions]
            self.labels = [[labels[question.id, key] for key in question.label_ids] for question in book.questions]
            self.project_id, self.draw_id = project.id, draw.id
            self.revision_id, self.release_id, self.scorer_id = revision.id, release.id, scorer.id

    def texts(self) -> None:
        size = self.size
        ids = range(1, size.texts + 1)
        self._insert(
            Text, ({"id": i, "content_hash": f"{i:064x}", "cluster": i} for i in ids), project_id=self.project_id
        )
        self._insert(TextBody, ({"text_id": i, "fields": [f"Text number {i}."]} for i in ids))
        same = {"project_id": self.project_id, "source": "large.csv"}
        self._insert(
            Unit,
            (
                {"id": i, "text_id": i, "external_id": str(i), "row": i, "other": {COLUMN: f"outlet {i % OUTLETS}"}}
                for i in ids
            ),
            **same,
        )
        self._insert(LsTask, ({"id": i, "unit_id": i, "ls_project_id": self._where(i), "task_id": i} for i in ids))
        self._insert(Placement, (self._place(i) for i in ids), draw_id=self.draw_id, placed_at=START)

    def _where(self, text: int) -> int:
        return self.audit if text <= self.size.audit else self.assisted

    def _place(self, text: int) -> dict[str, Any]:
        audit, control = text <= self.size.audit, text <= self.size.audit + self.size.control
        stream = "audit" if audit else "control" if control else "work"
        role = ("gate", "test")[text % 2] if audit else None
        return {"text_id": text, "rank": text - 1, "stream": stream, "role": role}

    def predictions(self) -> None:
        """Softmax scores that often find a text's own label."""
        for question, k, own in zip(self.questions, self.k, self.own, strict=True):
            raw = self.random.normal(size=(self.size.texts, k))
            raw[np.arange(self.size.texts), own] += 2.0
            raw -= np.log(np.exp(raw).sum(axis=1, keepdims=True))
            rows = ({"text_id": i, "log_probabilities": pack(row)} for i, row in enumerate(raw, 1))
            self._insert(Prediction, rows, question_id=question, scorer_id=self.scorer_id, cut=0)

    def answers(self) -> None:
        size, given = self.size, list(self._given())
        stamps = [START + timedelta(seconds=20 * n) for n in range(len(given))]
        ids = range(1, len(given) + 1)
        self._insert(
            Answer,
            (
                {
                    "id": i,
                    "ls_project_id": self._where(text),
                    "annotation_id": i,
                    "ls_task_id": text,
                    "coder_id": coder,
                    "answered_at": at,
                }
                for i, (text, coder), at in zip(ids, given, stamps, strict=True)
            ),
        )
        texts = np.array([text for text, _ in given])
        said = [self._said(own[texts - 1], k) for own, k in zip(self.own, self.k, strict=True)]
        blind = texts <= size.audit
        self._insert(
            AnswerVersion,
            (
                {
                    "id": i,
                    "answer_id": i,
                    "updated_at": at,
                    "text_id": int(text),
                    "origin": "human" if alone else "kept",
                    "lead_time": 8.0 + i % 10,
                    "release_id": None if alone else self.release_id,
                }
                for i, text, alone, at in zip(ids, texts, blind, stamps, strict=True)
            ),
            **VERSION,
            revision_id=self.revision_id,
        )
        for question, labels, votes in zip(self.questions, self.labels, said, strict=True):
            values = ({"version_id": i, "label_id": labels[vote]} for i, vote in zip(ids, votes, strict=True))
            self._insert(AnswerValue, values, question_id=question, number=None, origin="human")
        shown = sorted(set(texts[~blind].tolist()))
        rows = ({"text_id": i, "ls_task_id": i} for i in shown)
        self._insert(Exposure, rows, release_id=self.release_id, channel="predict", coder_id=None)

    def _given(self) -> Iterator[tuple[int, int]]:
        """(text, coder) of every answer: all coders on the audit, one in turn on each text behind it."""
        for text in range(1, self.size.audit + 1):
            for coder in self.people:
                yield text, coder
        for text in range(self.size.audit + 1, self.size.answered + 1):
            yield text, self.people[text % len(self.people)]

    def _said(self, own: Ints, k: int) -> Ints:
        lots = self.random.integers(k, size=len(own))
        return np.where(self.random.random(len(own)) < RIGHT, own, lots)

    def _insert(self, model: type[Base], rows: Rows, **same: Any) -> None:
        def part(s: Any, some: Sequence[dict[str, Any]]) -> int:
            return insert_new(s, model, some, **same)

        self.store.write_in_chunks(rows, part, size=PART)
