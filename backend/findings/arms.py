"""Answers with a suggestion in sight and without, both on random texts, and what the model said of each text then.

The control texts are coded in an order of Label Studio's, often the uncertain ones first. So of them too only those up
to the first that nobody has tried count: else suggestion would be confused with difficulty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.engines.protocol import FAMILY
from backend.findings.facts import Facts
from backend.findings.sample import role
from backend.learning.judge import marked
from backend.learning.meaning import Meanings
from backend.learning.prefix import places, reached
from backend.learning.vote import said
from backend.stats.f1 import Array
from db import predictions
from db.answers import LiveAnswer
from db.models import Pointer, Release
from labelstudio_config.codebook import Question

BY_PEOPLE = ("human", "kept", "changed")
UNSCORED = "the text was not scored by the release"
NO_CONTROL = "no control text is coded yet"
NO_RELEASE = "there was no release yet"


@dataclass(frozen=True, slots=True)
class Case:
    """One coder's answer to one question on one text, and whether it is what the model says by a scorer.

    `kept`: the suggestion was started from and left as it was; None where it was not started from.
    """

    text_id: int
    scorer_id: int
    agrees: bool
    kept: bool | None


@dataclass(frozen=True, slots=True)
class Arms:
    """Of one question: cases of control texts (`seen`) and of blind ones. `left_out`: why others do not count, in
    answers. `behind`: control texts that are coded but lie behind the completed part of the random order.
    """

    seen: tuple[Case, ...]
    blind: tuple[Case, ...]
    left_out: Mapping[str, Counter[str]]
    behind: int
    work: tuple[int, int]  # answers that started from a suggestion on texts of the work stream, and those that kept it


@dataclass(frozen=True, slots=True)
class _Log:
    """Which release was current when, and which scorer a release has."""

    moments: list[datetime]
    releases: list[int]
    scorer: Mapping[int, int]

    def at(self, moment: datetime) -> int | None:
        """The scorer of the release that was current; None before the first."""
        place = bisect_right(self.moments, moment)
        return self.scorer[self.releases[place - 1]] if place else None


def arms(s: Session, facts: Facts) -> dict[str, Arms]:
    """Question key -> its arms; questions without labels have none.

    Blind answers are those of gate texts in the completed part of the audit, of the test's too once it is opened. On
    control texts the model's label is that of the release a coder started from, else of the one that was current at the
    time. Blind answers owe nothing to any release: each is held against every release that control texts were coded
    under, whenever that was.
    """
    log, holds = _log(s, facts.project.id), Meanings(s, facts.project.id, facts.book).unchanged
    seen = [a for a in facts.answers if a.ls_role == "assisted" and a.phase == facts.phase and a.origin in BY_PEOPLE]
    control = [a for a in seen if a.stream == "control"]
    tried = {a.text_id for a in control}
    done = reached(places(s, facts.project.id, None, "control"), tried)
    within = [a for a in control if a.text_id in done]
    blind = list(_blind(facts))
    texts = sorted({a.text_id for a in (*within, *blind)})
    found = {}
    for question in facts.book.questions:
        if question.kind not in FAMILY:
            continue
        completed = _completed(facts, question.id)
        labels = _labels(s, log, question, facts.question_ids[question.id], texts)
        lost: dict[str, Counter[str]] = {"seen": Counter(), "blind": Counter()}
        groups = {"seen": within, "blind": [a for a in blind if a.text_id in completed]}
        cases: dict[str, tuple[Case, ...]] = {}
        for arm, given in groups.items():
            mine = [a for a in given if holds(a.revision_id, question.id)]
            scorers = sorted({case.scorer_id for case in cases["seen"]}) if arm == "blind" else None
            cases[arm] = tuple(_cases(facts, question, mine, log, labels, scorers, lost[arm]))
        work = [a for a in seen if a.stream == "work" and a.release_id is not None]
        kept = [_kept(facts, question, a) for a in work]
        told = (sum(one is not None for one in kept), sum(one is True for one in kept))
        found[question.id] = Arms(cases["seen"], cases["blind"], lost, len(tried - done), told)
    return found


def _log(s: Session, project_id: int) -> _Log:
    rows = s.execute(
        select(Pointer.created_at, Pointer.release_id).filter_by(project_id=project_id).order_by(Pointer.id)
    )
    log = [(at, release) for at, release in rows]
    scorers = s.execute(select(Release.id, Release.scorer_id).where(Release.project_id == project_id))
    return _Log(
        [at for at, _ in log],
        [release for _, release in log],
        {row.id: row.scorer_id for row in scorers},
    )


def _blind(facts: Facts) -> Iterator[LiveAnswer]:
    roles = {"gate", role(facts)}
    for a in facts.answers:
        in_audit = a.stream == "audit" and a.role in roles and a.ls_role == "audit"
        if in_audit and a.phase == facts.phase and a.origin == "human" and a.release_id is None:
            yield a


def _completed(facts: Facts, question: str) -> frozenset[int]:
    gate = facts.gate.completed.get(question, frozenset())
    return gate | facts.test.completed.get(question, frozenset()) if facts.opened else gate


def _labels(
    s: Session, log: _Log, question: Question, question_id: int, texts: list[int]
) -> dict[tuple[int, int], frozenset[str]]:
    """(scorer, text) -> the labels that it suggests."""
    found: dict[tuple[int, int], frozenset[str]] = {}
    for scorer in sorted(set(log.scorer.values())):
        known = predictions.lookup(s, scorer, [question_id], texts)
        rows = [(text, values) for (text, _), values in known.items() if len(values) == len(question.labels)]
        if rows:
            marks = marked(np.stack([values for _, values in rows]), FAMILY[question.kind])
            for (text, _), mark in zip(rows, marks, strict=True):
                given = zip(question.label_ids, mark, strict=True)
                found[scorer, text] = frozenset(label for label, there in given if there)
    return found


def _cases(
    facts: Facts,
    question: Question,
    given: list[LiveAnswer],
    log: _Log,
    labels: Mapping[tuple[int, int], frozenset[str]],
    scorers: list[int] | None,
    lost: Counter[str],
) -> Iterator[Case]:
    """One a text and coder, of the latest answer, by the scorer of the time; or one by each of `scorers`."""
    latest: dict[tuple[int, int | None, int], LiveAnswer] = {}
    for a in sorted(given, key=lambda a: (a.updated_at, a.answered_at, a.annotation_id)):
        latest[a.text_id, a.coder_id, 0 if a.coder_id is not None else a.answer_id] = a
    for a in latest.values():
        vote = said(a, question, facts.question_ids[question.id], dict(facts.label_keys))
        if vote.vote is None:
            lost[vote.missing] += 1
            continue
        scorer = log.scorer.get(a.release_id) if a.release_id is not None else log.at(a.answered_at)
        wanted = scorers if scorers is not None else [scorer] if scorer is not None else []
        scored = [one for one in wanted if (one, a.text_id) in labels]
        for one in scored:
            yield Case(a.text_id, one, vote.vote.labels == labels[one, a.text_id], _kept(facts, question, a))
        if not scored:
            lost[UNSCORED if wanted else NO_RELEASE if scorers is None else NO_CONTROL] += 1


def _kept(facts: Facts, question: Question, a: LiveAnswer) -> bool | None:
    origins = [v.origin for v in a.values if v.question_id == facts.question_ids[question.id]]
    beside = a.origin == "human"  # the suggestion was in sight, but nothing was ticked that could be left as it was
    if a.release_id is None or a.cancelled or beside or not origins:
        return None
    return all(origin == "kept" for origin in origins)


def by_text(cases: tuple[Case, ...]) -> Array:
    """What each case [n] counts, so that a text counts once by each scorer, whatever the number of its coders."""
    counts = Counter((case.text_id, case.scorer_id) for case in cases)
    return np.array([1 / counts[case.text_id, case.scorer_id] for case in cases], dtype=np.float64)
