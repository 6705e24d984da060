from __future__ import annotations

import pytest

from backend.learning.ceiling import ceilings
from backend.learning.measured import KAPPA, MACRO, STEPS
from backend.learning.vote import Vote
from tests.backend.assist.world import BOOK, HUMOR, STARS

YEAR = BOOK.question("year")


def votes(*labels: str) -> tuple[Vote, ...]:
    return tuple(Vote(coder, frozenset({label})) for coder, label in enumerate(labels))


def test_each_of_two_coders_is_measured_by_the_other() -> None:
    found = ceilings(HUMOR, dict(enumerate([votes("yes", "yes")] * 9 + [votes("yes", "no")] * 3)), {}, 1)[MACRO]
    assert found.value == pytest.approx((2 * 18 / (21 + 21) + 0) / 2)
    assert found.n == 12


def test_of_three_coders_each_is_measured_by_what_the_others_come_to() -> None:
    """Without one of the two that agree, the others are split: that says nothing."""
    found = ceilings(HUMOR, dict(enumerate([votes("yes", "yes", "no")] * 12)), {}, 1)[MACRO]
    assert found.value == 0.0
    agreed = ceilings(HUMOR, dict(enumerate([votes("yes", "yes", "yes"), votes("no", "no", "no")] * 6)), {}, 1)[MACRO]
    assert (agreed.value, agreed.n) == (1.0, 12)


def test_texts_that_one_coder_coded_do_not_count() -> None:
    found = ceilings(HUMOR, dict(enumerate([votes("yes", "no")] * 9 + [votes("yes")] * 30)), {}, 1)[MACRO]
    assert (found.value, found.n) == (None, 9)
    assert found.missing == "coded by two or more, too few: 9 of at least 10 texts"


def test_a_text_is_resampled_with_all_its_coders_and_its_cluster() -> None:
    cast = dict(enumerate([votes("yes", "yes"), votes("no", "no"), votes("yes", "no")] * 30))
    alone = ceilings(HUMOR, cast, {}, 1)[MACRO]
    tied = ceilings(HUMOR, cast, {n: n // 3 * 3 + n % 2 for n in cast}, 1)[MACRO]
    assert alone.lower is not None and alone.value is not None and alone.lower < alone.value
    assert tied.lower is not None and tied.value == alone.value and tied.lower != alone.lower
    few = ceilings(HUMOR, {n: cast[n] for n in range(12)}, {}, 1)[MACRO]
    assert few.missing == "24 answers in 12 groups: an interval needs at least 30 groups" or ".5" in few.missing


def test_ordered_labels_are_measured_in_steps() -> None:
    cast = dict(enumerate([votes("1", "2"), votes("2", "3"), votes("3", "3")] * 4))
    found = ceilings(STARS, cast, {}, 1)
    assert found[STEPS].value == pytest.approx(2 / 3)
    kappa = found[KAPPA].value
    assert kappa is not None and 0 < kappa < 1


def test_a_number_has_no_labels_to_be_measured_by() -> None:
    assert (
        ceilings(YEAR, {n: (Vote(1, frozenset(), 1990.0), Vote(2, frozenset(), 1991.0)) for n in range(12)}, {}, 1)
        == {}
    )
