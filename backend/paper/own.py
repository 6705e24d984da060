"""A project of one's own as tasks: its test texts with what people accepted of them, and its coded texts to learn from.

Whatever is said of test texts beside people's labels is an opening of the test, and is written down as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from backend.assist.leaks import cleared
from backend.assist.manner import manner
from backend.engines.protocol import FAMILY
from backend.findings.facts import Facts, facts
from backend.learning.accepted import Accepted, work_labels
from backend.paper.run import RANDOM, Plan, Row, Scored
from backend.paper.systems import LABELS, System, split_digest, truth
from backend.paper.task import Split, Task
from db import looks, projects, releases, revisions
from db.models import CodebookRevision, Project, Release
from db.store import Store
from db.texts import bodies
from labelstudio_config.codebook import Codebook, Question

SOURCE = "the project's test texts, coded blind"


class OwnError(Exception):
    """The project has nothing that models can be compared on."""


@dataclass(frozen=True, slots=True)
class Own:
    """A project's tasks, one a question that has labels; `openings` so far of its test."""

    key: str
    revision: int
    scoring: str  # scoring hash of the codebook as a model sees it
    tasks: tuple[Scored, ...]
    openings: int


def own(store: Store, key: str) -> Own:
    """The tasks of the project as it is now. OwnError where no test text has an accepted value; FindingsError."""
    with store.reading() as s:
        project = projects.by_key(s, key)
        found = facts(s, project)
        book = cleared(s, project.id, found.book).codebook
        learned = work_labels(s, project, found.book, live=found.answers).accepted
        asked = [question for question in book.questions if question.kind in FAMILY and question.labels]
        tasks = tuple(one for q in asked if (one := _task(s, found, book, q, learned)).items)
    if not tasks:
        raise OwnError(
            f"No test text of '{key}' has an accepted value yet, so there is nothing to compare models on. Test texts "
            "count in their random order, up to the first that is not coded by as many coders as planned."
        )
    return Own(key, found.revision.id, book.scoring_hash, tasks, len(found.looks))


def _task(s: Session, found: Facts, book: Codebook, question: Question, learned: Iterable[Accepted]) -> Scored:
    """One question on the test texts that have an accepted value; what may be learned and shown is of the work."""
    ids, test = _split(s, book, question, found.test.accepted)
    _, train = _split(s, book, question, learned)
    task = Task(question.id, book.standalone(question), train, Split(), test, SOURCE, "the project's own texts")
    clusters = found.clusters
    tied = np.array([clusters.get(text, text) for text in ids], dtype=np.int64)
    return Scored(task, test.items, truth(question, test.answers), tied)


def _split(s: Session, book: Codebook, question: Question, accepted: Iterable[Accepted]) -> tuple[list[int], Split]:
    """The texts that can be read, with their accepted labels."""
    mine = {one.text_id: one.labels for one in accepted if one.question == question.id}
    places = [book.fields.index(field) for field in question.fields]
    words = bodies(s, list(mine))
    items = {text: tuple(words[text][place] for place in places) for text in mine if text in words}
    items = {text: item for text, item in items.items() if all(field.strip() for field in item)}
    return list(items), Split(tuple(items.values()), tuple(mine[text] for text in items))


@dataclass(frozen=True, slots=True)
class Opening:
    """What was written down for a row of the table; `new` is False where the same had been opened before."""

    row: Row
    release: str
    new: bool


def opened(store: Store, found: Own, rows: Mapping[Row, System], plan: Plan, *, by: str, reason: str) -> list[Opening]:
    """Write down that each row is compared with people on the test, each as a release that is not served.

    OwnError where the codebook was changed since `found` was read.
    """
    with store.writing() as s:
        project = projects.by_key(s, found.key)
        revision = revisions.current(s, project.id)
        if revision is None or revision.id != found.revision:
            raise OwnError("The codebook was changed meanwhile, so nothing was opened. Run it again.")
        seen = {(look.revision_id, look.release_id) for look in looks.of(s, project.id)}
        openings = []
        for row, system in rows.items():
            release = _release(s, project, revision, found, row, system, plan)
            new = (revision.id, release.id) not in seen
            if new:
                told = f"{reason} (evaluate: {_told(row, system, found, plan)})"
                looks.look(s, project.id, revision.id, release.id, by=by, reason=told)
            openings.append(Opening(row, release.name, new))
    return openings


def _release(
    s: Session, project: Project, revision: CodebookRevision, found: Own, row: Row, system: System, plan: Plan
) -> Release:
    """The release that the row is: the current one, if it would give these answers, else one that was never served."""
    known = dict(system.scorer([one.task for one in found.tasks]))
    if row.shots or row.decode != LABELS:
        seeds = plan.seeds if row.examples == RANDOM else ()
        learned = [split_digest(one.task.train) for one in found.tasks] if row.shots else []
        how = f"{known['prompt_hash']} {row.shots} {row.examples} {row.decode} {seeds} {learned}"
        known["prompt_hash"] = hashlib.sha256(how.encode()).hexdigest()
    scorer = releases.scorer(s, **known, scoring_hash=found.scoring)
    current = releases.current(s, project.id)
    if current is not None and (current.scorer_id, current.revision_id) == (scorer.id, revision.id):
        return current
    return releases.release(s, project.id, scorer, revision, order_policy=manner(project).policy)


def _told(row: Row, system: System, found: Own, plan: Plan) -> str:
    """'llama = meta-llama/Llama-2-7b-hf, 3 random examples, adapter 0123456789ab'."""
    about = system.scorer([one.task for one in found.tasks])
    name = row.system if row.system == about["base"] else f"{row.system} = {about['base']}"
    parts = [name, f"{row.shots} {row.examples} examples" if row.shots else ""]
    parts += [f"adapter {about['adapter_digest'][:12]}" if about["adapter_digest"] else ""]
    parts += ["written answers" if row.decode != LABELS else "", "several wordings" if plan.paraphrases else ""]
    return ", ".join(part for part in parts if part)
