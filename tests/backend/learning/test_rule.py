"""What votes come to, by kind and rule."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from backend.learning.rule import resolve, shares
from backend.learning.vote import Ballot, Vote
from labelstudio_config.codebook import Question
from tests.backend.assist.world import HUMOR, STARS, TOPICS, YEAR


def ballot(*said: str | float) -> Ballot:
    """A vote each: 'money sport' are two labels, '' is none, 3.5 a number."""
    votes = [
        Vote(n, frozenset(one.split()) if isinstance(one, str) else frozenset(), None if isinstance(one, str) else one)
        for n, one in enumerate(said)
    ]
    return Ballot(votes=tuple(votes), attempts=len(votes))


def found(question: Question, *said: str | float, rule: str = "majority", needed: int = 1) -> str | float:
    """The labels with spaces between, or the number, or 'no: <reason>'."""
    value = resolve(question, ballot(*said), rule, needed)
    if isinstance(value, str):
        return f"no: {value}"
    return " ".join(sorted(value.labels)) if value.number is None else value.number


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        (HUMOR, ("yes",), "yes"),
        (HUMOR, ("yes", "no", "yes"), "yes"),
        (HUMOR, ("yes", "no"), "no: tie"),
        (TOPICS, ("money sport", "money", ""), "money"),
        (TOPICS, ("", "", "money"), ""),
        (TOPICS, ("money sport", "money"), "no: tie"),
        (TOPICS, ("money", "health", "sport"), ""),
        (STARS, ("1", "2", "4"), "2"),
        (STARS, ("1", "4", "4"), "4"),
        (STARS, ("2", "3"), "no: tie"),
        (STARS, ("1", "3"), "2"),
        (STARS, ("1", "2", "2", "4"), "2"),
        (YEAR, (1.0, 2.0, 6.0), 3.0),
        (YEAR, (0.5,), 0.5),
    ],
)
def test_the_majority_by_kind(question: Question, said: tuple[str | float, ...], expected: str | float) -> None:
    assert found(question, *said) == expected
    assert found(question, *said[::-1]) == expected


def test_a_plurality_is_enough_in_a_single_choice_unless_two_labels_lead() -> None:
    question = TOPICS
    single = HUMOR.__class__("topic", "topic", HUMOR.kind, HUMOR.control, HUMOR.fields, question.labels)
    assert found(single, "money", "money", "sport", "health") == "money"
    assert found(single, "money", "money", "sport", "sport", "health") == "no: tie"


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        (HUMOR, ("yes", "yes"), "yes"),
        (HUMOR, ("yes", "yes", "no"), "no: not unanimous"),
        (TOPICS, ("money sport", "sport money"), "money sport"),
        (TOPICS, ("money", "money sport"), "no: not unanimous"),
        (STARS, ("1", "3"), "no: not unanimous"),
        (YEAR, (2.0, 2.0), 2.0),
        (YEAR, (2.0, 2.5), "no: not unanimous"),
    ],
)
def test_unanimity_by_kind(question: Question, said: tuple[str | float, ...], expected: str | float) -> None:
    assert found(question, *said, rule="unanimous") == expected


def test_too_few_votes_have_a_reason() -> None:
    def reason(**missing: int) -> str | float:
        value = resolve(HUMOR, Ballot(ballot("yes").votes, Counter(missing), 2), "majority", 2)
        assert isinstance(value, str)
        return value

    assert reason() == "too few coders"
    assert reason(imported=2) == "too few coders"
    assert reason(skipped=1, imported=2) == "skipped"
    assert resolve(HUMOR, Ballot(missing=Counter(imported=1, bulk=2)), "majority", 1) == "bulk"


def test_shares_follow_the_order_of_the_labels() -> None:
    assert shares(TOPICS, ballot("sport", "sport money", "").votes) == (1 / 3, 0, 2 / 3)
    assert shares(YEAR, ballot(1.0, 2.0).votes) == ()


def test_the_mean_is_the_same_in_whatever_order_coders_are() -> None:
    numbers = [random.Random(1).uniform(-1e9, 1e9) for _ in range(25)]
    means = {found(YEAR, *random.Random(n).sample(numbers, 25)) for n in range(20)}
    assert len(means) == 1
