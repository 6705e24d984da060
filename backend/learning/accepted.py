"""Accepted labels: what the answers of a project's coders come to, for training and for the audit.

For training, answers to texts of the work stream count, seen with suggestions or not, and labels that were imported:
those that were given in training, too, since nobody practised on them here. For the audit only what was coded
blind counts, by enough coders, and only in the completed part of the random order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

from sqlalchemy.orm import Session

from backend.learning.meaning import Meanings
from backend.learning.prefix import places, reached
from backend.learning.rule import Value, checked, lacking, resolve
from backend.learning.vote import ADJUDICATED, Ballot, Said, Vote, asked, ballot, said
from db import answers, revisions
from db.answers import LiveAnswer
from db.models import Project
from db.projects import ADJUDICATION, AUDIT
from labelstudio_config.codebook import Codebook

__all__ = ["Accepted", "Resolved", "Vote", "audit_labels", "work_labels"]

BULK, IMPORTED, EARLY, SEEN = "made from predictions", "imported", "another phase", "not blind"
UNDECIDED = "no adjudication"  # given where texts are adjudicated, but not by a person without a suggestion
OLDER, AHEAD, NO_TASK = "older codebook", "not reached", "no task any more"
CODERS = 2  # of an audit text, where the project does not say
_BLIND = {AUDIT: ("human", ADJUDICATED), ADJUDICATION: (ADJUDICATED,)}  # origins that are, by where it was given

Key = tuple[int, str]  # text id, question key
WhyNot = Callable[[LiveAnswer], str | None]
Holds = Callable[[int, str], bool]  # (revision id, question key): an answer given then still answers the question


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a text's answers to one question come to.

    `labels` are label ids: one, or any number in a multiple choice, or none where the answer is a `number`. `shares` is
    the share of coders per label in the order of the codebook that holds now, () for a number; where nobody but an
    adjudicator answered, it is the adjudicator's. `coders` is their number. `by`: the rule (majority, unanimous),
    adjudicated, or ground truth.
    """

    text_id: int
    question: str
    labels: frozenset[str]
    number: float | None
    shares: tuple[float, ...]
    coders: int
    by: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The accepted values, sorted by text and question; what has none and why; and the votes.

    `unresolved`: question key -> reason -> texts. A text is counted under one reason a question. `votes` hold one vote
    a coder, of the unresolved texts too; of the audit only those of its completed part. `completed`: question key ->
    the texts of that part, with or without an accepted value; empty outside the audit.
    """

    accepted: tuple[Accepted, ...]
    unresolved: Mapping[str, Counter[str]]
    votes: Mapping[Key, tuple[Vote, ...]]
    completed: Mapping[str, frozenset[int]] = field(default_factory=dict)


def work_labels(s: Session, project: Project, book: Codebook, *, live: Iterable[LiveAnswer] | None = None) -> Resolved:
    """What texts of the work stream may teach. `live`: `answers.live`, where it is at hand. RuleError."""
    rule = checked(project.gold_rule)
    live = answers.live(s, project.id) if live is None else live
    work = [answer for answer in live if answer.stream == "work"]
    given = ballots(s, project, book, work, not_for_work, Meanings(s, project.id, book).same_kind)
    return _resolved(book, given, rule, 1)


def audit_labels(
    s: Session,
    project: Project,
    book: Codebook,
    role: str,
    *,
    phase: str = "production",
    live: Iterable[LiveAnswer] | None = None,
) -> Resolved:
    """What the blind answers to the audit texts of a role (gate | test) come to, as far as the audit is complete.

    An answer from before a revision counts while coders see the question as they did then, and only answers of the
    `phase`. `live`: `answers.live`, where it is at hand. RuleError.
    """
    rule = checked(project.gold_rule)
    needed = int(project.sampling_design.get("coders", CODERS))
    live = answers.live(s, project.id) if live is None else live
    given = [a for a in live if a.stream == "audit" and a.role == role]

    def why_not(answer: LiveAnswer) -> str | None:
        return not_for_audit(answer, phase)

    cast = ballots(s, project, book, given, why_not, Meanings(s, project.id, book).unchanged)
    order = places(s, project.id, role)
    within: dict[Key, Ballot] = {}
    outside: dict[str, Counter[str]] = {}
    completed: dict[str, frozenset[int]] = {}
    for question in book.questions:
        mine = {place.text_id: cast.get((place.text_id, question.id), Ballot()) for place in order}
        attempted = {text for text, found in mine.items() if _attempted(found, needed)}
        done = reached(order, attempted)
        gone = {place.text_id for place in order if not place.tasks} & done - attempted
        completed[question.id] = frozenset(done)
        within.update({(text, question.id): mine[text] for text in done - gone})
        outside[question.id] = Counter(_ahead(mine[text], text in attempted) for text in mine.keys() - done)
        outside[question.id].update([NO_TASK] * len(gone))
    found = _resolved(book, within, rule, needed)
    unresolved = {key: reasons + outside[key] for key, reasons in found.unresolved.items()}
    return replace(found, unresolved=unresolved, completed=completed)


def _attempted(found: Ballot, needed: int) -> bool:
    return found.attempts >= needed or found.adjudicated is not None or found.truth is not None


def _ahead(found: Ballot, attempted: bool) -> str:
    """Why a text behind the completed part does not count: for what is wrong with its answers, or its place alone."""
    return AHEAD if attempted or not (found.attempts or found.missing) else lacking(found)


def not_for_work(answer: LiveAnswer) -> str | None:
    """Why an answer says nothing of what a text may teach; None where it does. Of imported labels 'training' says that
    they are there to teach; of coders, that they were still learning the codebook.
    """
    if answer.origin == "bulk":
        return BULK
    if answer.ls_role == ADJUDICATION and answer.origin != ADJUDICATED:
        return UNDECIDED
    return None if answer.phase in ("production", "pilot") or answer.origin == "imported" else EARLY


def not_for_audit(answer: LiveAnswer, phase: str) -> str | None:
    """Why an answer is none of the audit's in this phase; None where it is."""
    if answer.origin == "bulk":
        return BULK
    if answer.imported:
        return IMPORTED
    if answer.phase != phase:
        return EARLY
    blind = answer.release_id is None and answer.origin in _BLIND.get(answer.ls_role, ())
    return None if blind else SEEN


def ballots(
    s: Session, project: Project, book: Codebook, live: Iterable[LiveAnswer], why_not: WhyNot, holds: Holds
) -> dict[Key, Ballot]:
    """The ballot of every text that has an answer, on every question."""
    ids = revisions.question_ids(s, project.id)
    keys = {label_id: label for (_, label), label_id in revisions.label_ids(s, project.id).items()}
    told: dict[Key, list[Said]] = defaultdict(list)
    refused: dict[Key, list[str]] = defaultdict(list)
    for answer in live:
        reason = why_not(answer)
        for question in book.questions:
            if not asked(answer, ids[question.id]):
                continue
            key = (answer.text_id, question.id)
            why = reason or (None if holds(answer.revision_id, question.id) else OLDER)
            if why is None:
                told[key].append(said(answer, question, ids[question.id], keys))
            else:
                refused[key].append(why)
    return {key: ballot(told.get(key, ()), refused.get(key, ())) for key in told.keys() | refused.keys()}


def _resolved(book: Codebook, ballots: Mapping[Key, Ballot], rule: str, needed: int) -> Resolved:
    accepted: list[Accepted] = []
    unresolved: dict[str, Counter[str]] = {question.id: Counter() for question in book.questions}
    questions = {question.id: question for question in book.questions}
    for (text_id, key), found in sorted(ballots.items(), key=itemgetter(0)):
        value = resolve(questions[key], found, rule, needed)
        if isinstance(value, Value):
            made = Accepted(text_id, key, value.labels, value.number, value.shares, len(found.votes), value.by)
            accepted.append(made)
        else:
            unresolved[key][value] += 1
    votes = {key: found.votes for key, found in sorted(ballots.items(), key=itemgetter(0)) if found.votes}
    return Resolved(tuple(accepted), unresolved, votes)
