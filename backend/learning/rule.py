"""What several coders' votes come to: the accepted value, by the question's kind and the project's rule.

Single choice: the label of most. Multiple choice: each label that more than half gave. Ordinal: the median. Number: the
mean. Where coders are evenly split, nothing is accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import median

from backend.learning.vote import ADJUDICATED, BLANK, GONE, SKIPPED, UNREADABLE, Ballot, Vote
from labelstudio_config.codebook import Kind, Question

MAJORITY, UNANIMOUS, TRUTH = "majority", "unanimous", "ground truth"
RULES = (MAJORITY, UNANIMOUS, ADJUDICATED)
TIE, SPLIT, UNJUDGED, FEW = "tie", "not unanimous", "not adjudicated", "too few coders"
_FIRST = (SKIPPED, BLANK, UNREADABLE, GONE)  # what explains best why there are too few votes


class RuleError(Exception):
    """The project's rule for accepted labels is none that is known."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The project's rule for accepted labels is '{rule}', which is not known. Choose one of: "
            f"{', '.join(RULES)}."
        )


@dataclass(frozen=True, slots=True)
class Value:
    """What votes come to: label ids or a number, the share of coders per label [K], and how it was decided."""

    labels: frozenset[str]
    number: float | None
    shares: tuple[float, ...]
    by: str


def checked(rule: str) -> str:
    """The rule, if it is one; RuleError."""
    if rule not in RULES:
        raise RuleError(rule)
    return rule


def resolve(question: Question, ballot: Ballot, rule: str, needed: int) -> Value | str:
    """The accepted value, or the reason why there is none.

    Ground truth goes before the rule, which needs `needed` votes. What the votes leave open by the rule is settled by
    an adjudication, and that goes before ground truth; where they agree, an adjudicator does not overrule them: an
    adjudicator is shown a text for one question, and answers all.
    """
    found = _by_votes(question, ballot, rule, needed)
    if isinstance(found, str) and ballot.adjudicated is not None:
        return _decided(question, ballot, ballot.adjudicated, ADJUDICATED)
    return found if ballot.truth is None else _decided(question, ballot, ballot.truth, TRUTH)


def _decided(question: Question, ballot: Ballot, vote: Vote, by: str) -> Value:
    return Value(vote.labels, vote.number, shares(question, ballot.votes or (vote,)), by)


def _by_votes(question: Question, ballot: Ballot, rule: str, needed: int) -> Value | str:
    if len(ballot.votes) < needed:
        return lacking(ballot)
    if rule == ADJUDICATED:
        return UNJUDGED
    found = (_unanimous if rule == UNANIMOUS else _BY_KIND[question.kind])(question, ballot.votes)
    if isinstance(found, str):
        return found
    return Value(found.labels, found.number, shares(question, ballot.votes), rule)


def shares(question: Question, votes: Sequence[Vote]) -> tuple[float, ...]:
    """The share of votes that each label has, in the question's order."""
    return tuple(sum(label in vote.labels for vote in votes) / len(votes) for label in question.label_ids)


def lacking(ballot: Ballot) -> str:
    """Why there are too few votes."""
    for reason in _FIRST:
        if ballot.missing[reason]:
            return reason
    if ballot.votes or not ballot.missing:
        return FEW
    return min(ballot.missing, key=lambda reason: (-ballot.missing[reason], reason))


def _unanimous(question: Question, votes: Sequence[Vote]) -> Vote | str:
    said = {(vote.labels, vote.number) for vote in votes}
    return Vote(None, *said.pop()) if len(said) == 1 else SPLIT


def _single(question: Question, votes: Sequence[Vote]) -> Vote | str:
    counts = Counter(vote.labels for vote in votes).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        return TIE
    return Vote(None, counts[0][0])


def _multiple(question: Question, votes: Sequence[Vote]) -> Vote | str:
    counts = Counter(label for vote in votes for label in vote.labels)
    if any(2 * n == len(votes) for n in counts.values()):
        return TIE
    return Vote(None, frozenset(label for label, n in counts.items() if 2 * n > len(votes)))


def _ordinal(question: Question, votes: Sequence[Vote]) -> Vote | str:
    place = {label: n for n, label in enumerate(question.label_ids)}
    middle = median(place[label] for vote in votes for label in vote.labels)
    return Vote(None, frozenset((question.label_ids[int(middle)],))) if middle == int(middle) else TIE


def _number(question: Question, votes: Sequence[Vote]) -> Vote | str:
    numbers = [vote.number for vote in votes if vote.number is not None]
    return Vote(None, frozenset(), fsum(numbers) / len(numbers))


_BY_KIND: dict[Kind, Callable[[Question, Sequence[Vote]], Vote | str]] = {
    Kind.SINGLE: _single,
    Kind.MULTIPLE: _multiple,
    Kind.ORDINAL: _ordinal,
    Kind.NUMBER: _number,
}
