"""What is exported of a project: what is known of it as a whole, and its rows with all that hangs on them, part by
part, so that a corpus need not fit into memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.findings.corpus import STREAMS
from backend.findings.facts import PRODUCTION, Facts, facts
from backend.findings.sample import NoSampleError, frame, role
from backend.findings.table import chances
from backend.learning.accepted import CODERS, EARLY, Key, ballots, not_for_audit, not_for_work
from backend.learning.meaning import Meanings
from backend.learning.rule import Value, checked, resolve
from backend.learning.vote import Ballot
from db import answers, projects, revisions, texts
from db.answers import LiveAnswer
from db.dialect import fetch
from db.models import Answer, CodebookRevision, Exposure, Placement, Release
from labelstudio_config.codebook import Codebook, Question

CHUNK = 500  # rows of the corpus
AUDIT = STREAMS.index("audit")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the corpus: its unit, its text, and what its table said of it."""

    unit_id: int
    text_id: int
    source: str
    external_id: str
    number: int | None
    other: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Handed:
    """A suggestion that was handed out, when, and in which task."""

    at: datetime
    release_id: int
    ls_task_id: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, in the order of the corpus. `fields`: text id -> its texts, the erased left out.

    `by_unit`: unit id -> the answers given to this row, whatever its text was then; `by_text`: text id -> those that
    were about this text, in whatever row. `ballots` and `accepted`: what counts of them, and what that comes to, or why
    to nothing. `handed`: text id -> suggestions, the first one first.
    """

    rows: tuple[Row, ...]
    fields: Mapping[int, tuple[str, ...]]
    by_unit: Mapping[int, Sequence[LiveAnswer]]
    by_text: Mapping[int, Sequence[LiveAnswer]]
    ballots: Mapping[Key, Ballot]
    accepted: Mapping[Key, Value | str]
    handed: Mapping[int, Sequence[Handed]]


def rows(s: Session, project_id: int, size: int = CHUNK) -> Iterator[tuple[Row, ...]]:
    """All rows of the corpus in their order, some at a time."""
    after = 0
    while found := fetch(s, _ROWS, project=project_id, after=after, size=size):
        yield tuple(Row(unit, text, source, name, n, _loaded(other)) for unit, text, source, name, n, other in found)
        after = found[-1][0]


# The plus keeps SQLite from the index of projects, for which it would sort all rows for each part.
_ROWS = """
SELECT id, text_id, source, external_id, row, other FROM unit
WHERE +project_id = :project AND id > :after ORDER BY id LIMIT :size
"""


class Source:
    """A project in a store, seen in one phase, or all of them. ProjectNotFoundError, FindingsError, RuleError."""

    def __init__(self, s: Session, key: str, phase: str = "all") -> None:
        self.session, self.phase = s, phase
        self.project = projects.by_key(s, key)
        audit = answers.live(s, self.project.id, Placement.stream == "audit")
        self.facts: Facts = facts(s, self.project, PRODUCTION if phase == "all" else phase, live=audit)
        self.book: Codebook = self.facts.book
        self.rule = checked(self.project.gold_rule)
        self.needed = int(self.project.sampling_design.get("coders", CODERS))
        self.meanings = Meanings(s, self.project.id, self.book)
        self.question_keys = {number: key for key, number in self.facts.question_ids.items()}
        self.revisions = _numbers(s, self.project.id)
        self.releases = {one.id: one for one in s.scalars(select(Release).filter_by(project_id=self.project.id))}
        self.chances = {question.id: self._chances(question.id) for question in self.book.questions}

    @property
    def opened(self) -> bool:
        return self.facts.opened is not None

    @property
    def rows(self) -> int:
        """Rows of the corpus."""
        return int(self.facts.texts.rows.sum())

    @cached_property
    def blind(self) -> NDArray[np.bool_]:
        """Of which texts [N] nothing may be told that a model says of them."""
        audit: NDArray[np.bool_] = self.facts.texts.stream == AUDIT
        return np.zeros_like(audit) if self.opened else audit

    @cached_property
    def books(self) -> Mapping[int, Codebook]:
        """Revision id -> codebook, the newest first."""
        mine = select(CodebookRevision).filter_by(project_id=self.project.id).order_by(CodebookRevision.id.desc())
        return {one.id: revisions.codebook(one) for one in self.session.scalars(mine)}

    @cached_property
    def codes(self) -> Mapping[int, str]:
        """Label id of the store -> its code, of labels that are gone the last one."""
        numbers = revisions.label_ids(self.session, self.project.id)
        found: dict[int, str] = {}
        for book in (self.book, *self.books.values()):
            for question in book.questions:
                for label in question.labels:
                    found.setdefault(numbers[question.id, label.id], label.code)
        return found

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """All questions that were ever asked, those of the codebook that holds now first."""
        found = {question.id: question for question in self.book.questions}
        for book in self.books.values():
            for question in book.questions:
                found.setdefault(question.id, question)
        return found

    @cached_property
    def order(self) -> Mapping[int, int]:
        """Question id of the store -> its place."""
        return {self.facts.question_ids[key]: n for n, key in enumerate(self.questions)}

    def place(self, text_id: int) -> int:
        """Where a text is in `facts.texts`."""
        return int(np.searchsorted(self.facts.texts.ids, text_id))

    def chance(self, question: str, text_id: int) -> float | None:
        """The chance of a text to be in the question's random sample; None: there is none."""
        known = self.chances.get(question)
        return None if known is None else float(known[self.place(text_id)])

    def parts(self) -> Iterator[Part]:
        """The corpus, part by part."""
        return (self._part(found) for found in rows(self.session, self.project.id))

    def _part(self, found: tuple[Row, ...]) -> Part:
        s, ids = self.session, sorted({row.text_id for row in found})
        given = fetch(s, _GIVEN, units=[row.unit_id for row in found], texts=ids)
        live = [
            answer
            for answer in (answers.live(s, self.project.id, Answer.id.in_([n for (n,) in given])) if given else [])
            if self.phase in ("all", answer.phase)
        ]
        cast = self._ballots(live)
        return Part(
            rows=found,
            fields=texts.bodies(s, sorted({*ids, *(answer.text_id for answer in live)})),
            by_unit=_grouped(live, "unit_id"),
            by_text=_grouped(live, "text_id"),
            ballots=cast,
            accepted=self._accepted(live, {key: one for key, one in cast.items() if key[0] in set(ids)}),
            handed=_handed(s, ids),
        )

    def _ballots(self, live: list[LiveAnswer]) -> dict[Key, Ballot]:
        """What counts of the answers: in the audit what was coded blind, else what may teach."""
        if not live:
            return {}
        phase = self.facts.phase
        audit, rest = ([a for a in live if (a.stream == "audit") is blind] for blind in (True, False))
        early = not_for_work if self.phase == "all" else _whatever_the_phase
        s, project, book = self.session, self.project, self.book
        blind = ballots(s, project, book, audit, lambda a: not_for_audit(a, phase), self.meanings.unchanged)
        return blind | ballots(s, project, book, rest, early, self.meanings.same_kind)

    def _accepted(self, live: list[LiveAnswer], cast: Mapping[Key, Ballot]) -> dict[Key, Value | str]:
        audit = {answer.text_id for answer in live if answer.stream == "audit"}
        return {
            (text, key): resolve(self.book.question(key), one, self.rule, self.needed if text in audit else 1)
            for (text, key), one in cast.items()
        }

    def _chances(self, question: str) -> NDArray[np.float64] | None:
        """The chance of each text [N] to be in the sample; None where there is no sample."""
        try:
            return chances(frame(self.facts, question, role(self.facts)), len(self.facts.texts.ids))
        except NoSampleError:
            return None


def _whatever_the_phase(answer: LiveAnswer) -> str | None:
    """Where one phase was asked for, its answers count."""
    why = not_for_work(answer)
    return None if why == EARLY else why


def _numbers(s: Session, project_id: int) -> dict[int, int]:
    """Revision id -> its number."""
    mine = CodebookRevision.project_id == project_id
    return {row[0]: row[1] for row in s.execute(select(CodebookRevision.id, CodebookRevision.number).where(mine))}


def _handed(s: Session, text_ids: list[int]) -> dict[int, list[Handed]]:
    query = select(Exposure.text_id, Exposure.created_at, Exposure.release_id, Exposure.ls_task_id)
    found: dict[int, list[Handed]] = defaultdict(list)
    for text, at, release, task in s.execute(query.where(Exposure.text_id.in_(text_ids)).order_by(Exposure.id)):
        found[text].append(Handed(at, release, task))
    return found


_GIVEN = """
SELECT answer.id FROM answer JOIN ls_task ON ls_task.id = answer.ls_task_id WHERE ls_task.unit_id IN [units]
UNION SELECT answer_version.answer_id FROM answer_version WHERE answer_version.text_id IN [texts]
"""


def _loaded(other: object) -> Mapping[str, object]:
    found = orjson.loads(other) if isinstance(other, str | bytes) else other
    return found if isinstance(found, dict) else {}


def _grouped(live: list[LiveAnswer], by: str) -> dict[int, list[LiveAnswer]]:
    found: dict[int, list[LiveAnswer]] = defaultdict(list)
    for answer in live:
        found[getattr(answer, by)].append(answer)
    return found
