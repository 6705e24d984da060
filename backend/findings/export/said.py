"""What answers, votes and accepted values are in the cells of a table."""

from __future__ import annotations

from collections.abc import Iterable

from backend.assist.manner import manner_of
from backend.corpus.long_table import joined
from backend.corpus.tables.cells import Cell, plain
from backend.findings.export.source import Handed, Source
from backend.learning.rule import TRUTH, Value
from backend.learning.vote import ADJUDICATED, SKIPPED, Ballot, Said, Vote, asked, said
from db.answers import LiveAnswer
from labelstudio_config.codebook import Kind, Question

BULK = "bulk"
SKIP = "(skipped)"
SINGLE, AGREEMENT = "single", "agreement"
_RULES = {Kind.ORDINAL: "median", Kind.NUMBER: "mean"}
NOTHING, TICKED, BESIDE = "none", "assisted", "beside"
ORIGINS = "human, kept, changed, bulk, imported or adjudicated"


def cell(question: Question, vote: Vote | Value) -> Cell:
    """The labels of a vote, by code, or its number."""
    if question.kind is Kind.NUMBER:
        return None if vote.number is None else plain(vote.number)
    codes = [label.code for label in question.labels if label.id in vote.labels]
    return joined(codes) if question.kind is Kind.MULTIPLE else (codes[0] if codes else None)


def by(question: Question, value: Value, cast: Ballot) -> str:
    """How an accepted value came about."""
    if value.by in (ADJUDICATED, TRUTH):
        return value.by
    if len(cast.votes) < 2:
        return SINGLE
    if len({(vote.labels, vote.number) for vote in cast.votes}) == 1:
        return AGREEMENT
    return _RULES.get(question.kind, value.by)


def by_meaning(rule: str) -> str:
    """What may stand in a column of `by`, in words."""
    return (
        f"how it came: {SINGLE} (one coder), {AGREEMENT} (of all coders), the rule ('{rule}', or the median of ordered "
        f"labels, the mean of numbers), {ADJUDICATED}, {TRUTH}; where nothing is accepted, why"
    )


def latest(source: Source, question: Question, live: Iterable[LiveAnswer]) -> tuple[dict[int, Said], Said | None]:
    """Coder id -> what the coder said last, without what was made in bulk; and the last adjudication."""
    number, keys = source.facts.question_ids[question.id], source.facts.label_keys
    found: dict[int, Said] = {}
    decision: Said | None = None
    given = (said(a, question, number, keys) for a in live if a.origin != BULK and (a.cancelled or asked(a, number)))
    for one in sorted(given, key=lambda each: each.recency):
        if one.answer.origin == ADJUDICATED:
            decision = one if one.vote is not None else decision
        elif one.answer.coder_id is not None:
            found[one.answer.coder_id] = one
    return found, decision


def spoken(question: Question, one: Said) -> Cell:
    """The cell of what a coder said."""
    if one.vote is None:
        return SKIP if one.missing == SKIPPED else None
    return cell(question, one.vote)


def exposure(source: Source, release_id: int | None) -> str:
    """How the suggestions of a release are shown."""
    if release_id is None:
        return NOTHING
    return TICKED if manner_of(source.releases[release_id].order_policy).ticked else BESIDE


def seen(answer: LiveAnswer, handed: Iterable[Handed]) -> int | None:
    """The release whose suggestion an answer started from, or that had been handed out for its task by then."""
    if answer.release_id is not None:
        return answer.release_id
    before = [one for one in handed if one.ls_task_id == answer.ls_task_id and one.at <= answer.answered_at]
    return before[-1].release_id if before else None
