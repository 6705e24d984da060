from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend.learning.agreed import Agreed, agreed
from backend.learning.vote import Vote
from labelstudio_config.codebook import Question
from tests.backend.assist.world import HUMOR, STARS, TOPICS, YEAR

Cast = Sequence[frozenset[str]]


def measured(question: Question, *texts: Cast, coders: Sequence[int | None] = (1, 2, 3)) -> Agreed:
    votes = {n: tuple(map(Vote, coders, cast)) for n, cast in enumerate(texts)}
    return agreed(question, votes, {}, 1)


def one(*labels: str) -> Cast:
    return [frozenset({label}) for label in labels]


def test_percent_and_alpha_are_those_of_hand() -> None:
    """Of 10 pairs 2 differ; of 20 answers 8 are 'yes': alpha = 1 - 19 * (2 * 2) / (2 * 8 * 12)."""
    found = measured(HUMOR, *[one("no", "no")] * 5, *[one("yes", "yes")] * 3, *[one("no", "yes")] * 2)
    assert (found.level, found.coders, found.texts) == ("nominal", 2, 10)
    assert found.percent.value == pytest.approx(0.8)
    assert found.alpha.value == pytest.approx(1 - 19 * 4 / (2 * 8 * 12))
    assert found.alpha.lower is not None and found.alpha.lower < 0.58 < (found.alpha.upper or 0)
    assert found.alpha.n == 10 and found.labels == {}


def test_only_texts_that_two_or_more_coded_count() -> None:
    found = measured(HUMOR, *[one("no", "no")] * 5, *[one("yes", "yes")] * 5, *[one("yes")] * 30)
    assert (found.texts, found.alpha.value) == (10, 1.0)


def test_of_few_texts_the_reason_is_given() -> None:
    found = measured(HUMOR, *[one("no", "yes")] * 9)
    assert (found.texts, found.alpha.value, found.percent.value) == (9, None, None)
    assert found.alpha.missing == "too few: 9 of at least 10 texts"
    assert measured(HUMOR).alpha.missing == "too few: 0 of at least 10 texts"


def test_where_all_say_the_same_there_is_no_alpha() -> None:
    found = measured(HUMOR, *[one("no", "no")] * 12)
    assert (found.percent.value, found.alpha.value) == (1.0, None)
    assert found.alpha.missing == "undefined: all answers are alike"


def test_ordered_labels_that_are_near_count_for_more() -> None:
    ends = [one("1", "1"), one("4", "4")] * 5
    near, far = measured(STARS, *ends, *[one("1", "2")] * 2), measured(STARS, *ends, *[one("1", "4")] * 2)
    assert near.level == "ordinal"
    assert near.percent.value == far.percent.value == pytest.approx(10 / 12)
    assert near.alpha.value is not None and far.alpha.value is not None and near.alpha.value > far.alpha.value


def test_several_labels_are_compared_together_and_each_by_itself() -> None:
    both, money, none = frozenset({"money", "sport"}), frozenset({"money"}), frozenset[str]()
    found = measured(TOPICS, *[[both, both]] * 7, *[[both, money]] * 3, *[[none, none]] * 6)
    assert found.percent.value == pytest.approx(13 / 16)
    assert found.labels["money"].value == 1.0
    assert found.labels["sport"].value == pytest.approx(1 - 31 * (2 * 3) / (2 * 17 * 15))
    assert found.labels["health"].missing == "too few: 0 of at least 10 texts"


def test_numbers_are_measured_on_their_scale() -> None:
    votes = {n: (Vote(1, frozenset(), 1900.0 + n), Vote(2, frozenset(), 1901.0 + n)) for n in range(20)}
    found = agreed(YEAR, votes, {}, 1)
    assert (found.level, found.percent.value) == ("interval", 0.0)
    assert found.alpha.value is not None and found.alpha.value > 0.98


def test_coders_without_a_name_are_told_apart() -> None:
    votes = {n: (Vote(None, frozenset({"no"})), Vote(None, frozenset({"yes"}))) for n in range(12)}
    found = agreed(HUMOR, votes, {}, 1)
    assert (found.texts, found.percent.value) == (12, 0.0)


def test_texts_of_one_cluster_are_resampled_together() -> None:
    votes = {n: (Vote(1, frozenset({"no"})), Vote(2, frozenset({"yes" if n % 3 else "no"}))) for n in range(12)}
    found = agreed(HUMOR, votes, dict.fromkeys(votes, 0), 1)
    assert found.percent.lower == found.percent.upper == pytest.approx(found.percent.value)
