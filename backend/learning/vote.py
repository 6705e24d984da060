"""What the coders of a text said to one question: one vote a coder, and why an answer is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from db.answers import LiveAnswer
from db.projects import IMPORTED
from labelstudio_config.codebook import Kind, Question

ADJUDICATED = "adjudicated"
SKIPPED, BLANK, UNREADABLE, GONE = "skipped", "left blank", "unreadable", "label gone"


@dataclass(frozen=True, slots=True)
class Vote:
    """What one coder says: label ids, or a number. `coder_id` is None where Label Studio did not say who it was."""

    coder_id: int | None
    labels: frozenset[str]
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to one question, or why there is none in it: `vote` is None where `missing` says why."""

    answer: LiveAnswer
    vote: Vote | None
    missing: str = ""

    @property
    def recency(self) -> tuple[datetime, datetime, int, int]:
        """Which of two answers is the later one, whatever the order in which they came here."""
        answer = self.answer
        return (answer.updated_at, answer.answered_at, answer.annotation_id, answer.ls_project_id)


@dataclass(frozen=True, slots=True)
class Ballot:
    """All that counts of a text's answers to one question.

    `votes`: one a coder. `missing`: why coders, and answers that were refused, have no vote. `attempts`: coders who
    answered or skipped. `adjudicated` and `truth` are the latest adjudication, and the latest answer that was marked
    as ground truth.
    """

    votes: tuple[Vote, ...] = ()
    missing: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    adjudicated: Vote | None = None
    truth: Vote | None = None


def asked(answer: LiveAnswer, question_id: int) -> bool:
    """Whether the answer is one to the question: an answer of a table holds what the table has a column for, and says
    nothing of other questions, not even that none of their labels applies.
    """
    return answer.ls_role != IMPORTED or any(value.question_id == question_id for value in answer.values)


def said(answer: LiveAnswer, question: Question, question_id: int, keys: Mapping[int, str]) -> Said:
    """What an answer says to a question; `keys`: label id of the store -> of the codebook.

    Label Studio does not tell "none applies" from "not answered": no tick in a multiple choice is taken for the former.
    """
    if answer.cancelled:
        return Said(answer, None, SKIPPED)
    values = [value for value in answer.values if value.question_id == question_id]
    if question.kind is Kind.NUMBER:
        numbers = [value.number for value in values if value.number is not None]
        if len(numbers) == 1:
            return Said(answer, Vote(answer.coder_id, frozenset(), numbers[0]))
        return Said(answer, None, UNREADABLE if numbers or answer.problems else BLANK)
    labels = [keys.get(value.label_id) for value in values if value.label_id is not None]
    known = frozenset(label for label in labels if label in question.label_ids)
    if len(known) < len(labels):
        return Said(answer, None, GONE)
    several = question.kind is Kind.MULTIPLE
    if (not known and answer.problems) or (len(known) > 1 and not several):
        return Said(answer, None, UNREADABLE)
    if not known and not several:
        return Said(answer, None, BLANK)
    return Said(answer, Vote(answer.coder_id, frozenset(known)))


def ballot(answers: Iterable[Said], refused: Iterable[str] = ()) -> Ballot:
    """The ballot of a text's answers to one question; `refused` says why further answers were not looked at.

    The latest answer of each coder is the coder's vote, or none where it is a skip; who is not known is always another.
    """
    latest: dict[tuple[bool, int], Said] = {}
    decisions: dict[str, Said] = {}
    for one in sorted(answers, key=lambda each: each.recency):
        answer = one.answer
        judged = answer.origin == ADJUDICATED
        if one.vote is not None and (judged or answer.ground_truth):
            decisions["adjudicated" if judged else "truth"] = one
        if not judged:
            known = answer.coder_id is not None
            latest[known, answer.coder_id if answer.coder_id is not None else answer.answer_id] = one
    voters = sorted(latest.values(), key=lambda each: (each.answer.coder_id or 0, each.recency))
    return Ballot(
        votes=tuple(one.vote for one in voters if one.vote is not None),
        missing=Counter([*(one.missing for one in voters if one.vote is None), *refused]),
        attempts=len(voters),
        adjudicated=decisions["adjudicated"].vote if "adjudicated" in decisions else None,
        truth=decisions["truth"].vote if "truth" in decisions else None,
    )
