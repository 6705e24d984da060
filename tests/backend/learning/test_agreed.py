from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from backend.learning.agreed import AC1, COHEN, FLEISS, MASI, Agreed, agreed
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
    assert found.alpha.n == 10 and found.labels == {}
    assert found.others.keys() == {COHEN, FLEISS, AC1}
    assert found.others[FLEISS].value == pytest.approx(1 - 0.2 / (2 * 0.4 * 0.6))


def test_many_texts_give_intervals_and_few_the_number_that_would() -> None:
    few, many = (
        measured(HUMOR, *[one("no", "no")] * 5 * k, *[one("yes", "yes")] * 3 * k, *[one("no", "yes")] * 2 * k)
        for k in (1, 20)
    )
    alpha, percent = many.alpha, many.percent
    assert alpha.lower is not None and alpha.upper is not None and 0.45 < alpha.lower < 0.58 < alpha.upper < 0.75
    assert percent.lower is not None and percent.upper is not None and 0.73 < percent.lower < 0.8 < percent.upper < 0.87
    assert few.alpha.lower is few.alpha.upper is None
    said = re.fullmatch(
        r"10 double-coded texts: the interval is wider than \.5; (\d+) would give about \.15", few.alpha.missing
    )
    assert said and 300 < int(said[1]) < 800


def test_where_few_gave_another_answer_alpha_has_no_interval() -> None:
    found = measured(HUMOR, *[one("no", "no")] * 300, *[one("yes", "yes")] * 9)
    assert found.alpha.value is not None and found.alpha.lower is None
    assert found.alpha.missing == (
        "of 309 double-coded texts 9 got another answer than the commonest: an interval needs at least 10 such texts"
    )
    assert found.percent.lower is not None


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
    assert found.others.keys() == {COHEN, FLEISS, MASI}
    masi, whole = found.others[MASI].value, found.alpha.value
    assert masi is not None and whole is not None and masi > whole


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
    assert found.percent.value == pytest.approx(1 / 3)
    assert found.percent.missing.startswith("12 double-coded texts in 1 group: the interval is wider than .5")


def test_a_cluster_counts_as_one_text() -> None:
    cast = {n: (Vote(1, frozenset({"no" if n % 10 < 5 else "yes"})), Vote(2, frozenset({"no"}))) for n in range(200)}
    loose, tied = (agreed(HUMOR, cast, ties, 1).percent for ties in ({}, {n: n // 5 for n in cast}))
    assert loose.value == tied.value == 0.5
    assert loose.lower is not None and tied.lower is not None and loose.lower > tied.lower + 0.05
