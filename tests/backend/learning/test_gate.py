"""What the gate decides, on comparisons made so that the answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.learning import gate_rule as rule
from backend.learning.gate import Compared, decide
from labelstudio_config.codebook import Kind
from tests.backend.learning.gate_texts import LABELS, changed, compared, marks

Answers = NDArray[np.intp]
ROWS = ("truth", "champion", "challenger", "clusters")


def test_a_better_challenger_is_promoted() -> None:
    decision = decide([compared(200, 0.6, 0.85)], look=1, seed=0)
    assert decision.outcome == "promote"
    assert decision.needed is None
    assert 0 < decision.lower < decision.delta < decision.upper
    (question,) = decision.questions
    assert question.delta.value == pytest.approx(question.challenger.value - question.champion.value)
    assert question.champion.lower < question.champion.value < question.champion.upper < question.challenger.value


def test_a_worse_challenger_is_not_and_the_champion_is_kept() -> None:
    decision = decide([compared(200, 0.85, 0.6)], look=1, seed=0)
    assert decision.outcome == "keep"
    assert decision.upper < 0
    assert decision.needed is None


def test_between_the_two_it_is_undecided_and_says_how_many_labels_would_decide() -> None:
    some = changed(compared(100), won={0: 3, 1: 3, 2: 2}, lost={1: 2, 3: 4})
    decision = decide([some], look=1, seed=0)
    assert decision.outcome == "undecided"
    assert decision.needed is not None
    assert decision.needed > 50
    more = rule.wanted(100, decision.delta, decision.lower, rule.WHOLE)
    assert decision.needed == more
    assert f"about {more} more gate texts would decide" in decision.sentence


def test_no_number_of_labels_promotes_what_is_lower_by_more_than_allowed() -> None:
    some = changed(compared(100), lost={0: 2, 1: 2, 2: 1}, won={3: 2})
    decision = decide([some], look=1, seed=0)
    assert decision.delta < -rule.WHOLE
    assert (decision.outcome, decision.needed) == ("undecided", None)


def test_equal_answers_keep_the_champion_however_few() -> None:
    for n in (5, 200):
        decision = decide([changed(compared(n))], look=2, seed=0)
        assert decision.outcome == "keep"
        assert "answers exactly as the champion does" in decision.sentence


def test_one_lucky_text_among_few_is_not_enough() -> None:
    """Every resample has the challenger ahead, since the champion happened to win nowhere."""
    assert decide([changed(compared(60), won={0: 1})], look=1, seed=0).outcome == "undecided"
    assert decide([changed(compared(400), won={0: 1})], look=1, seed=0).outcome == "promote"


def test_too_few_texts_are_undecided_whatever_they_say() -> None:
    for n in (0, 1, 20, rule.TEXTS - 1):
        decision = decide([compared(n, 0.0, 1.0)], look=1, seed=0)
        assert (decision.outcome, decision.needed, decision.rates) == ("undecided", rule.TEXTS - n, None)
        assert f"code about {rule.TEXTS - n} more gate texts" in decision.sentence


def test_copies_of_a_text_are_one() -> None:
    one = compared(200, 0.6, 0.9)
    few = replace(one, clusters=np.arange(200) // 5)
    assert decide([few], look=1, seed=0).outcome == "undecided"
    wide, narrow = (decide([each], look=1, seed=0) for each in (replace(one, clusters=np.arange(200) // 4), one))
    assert wide.delta == narrow.delta
    assert wide.lower != narrow.lower


def test_repeated_texts_make_no_interval_narrower() -> None:
    one = compared(80, 0.6, 0.7)
    rows: dict[str, Any] = {name: np.repeat(getattr(one, name), 6, axis=0) for name in ROWS}
    times = replace(one, **rows)
    once, copied = decide([one], look=1, seed=0), decide([times], look=1, seed=0)
    assert copied.n == 480
    assert copied.upper - copied.lower == pytest.approx(once.upper - once.lower, rel=0.15)


def test_a_label_that_falls_clearly_stops_a_challenger_that_is_better_on_the_whole() -> None:
    one = compared(800)
    better = changed(one, won={0: 50, 1: 50, 2: 50}, lost={3: 40})
    decision = decide([better], look=1, seed=0)
    assert decision.lower > -rule.WHOLE
    assert decision.outcome == "keep"
    assert decision.questions[0].fallen == ("d",)
    assert "label 'd' of 'q' falls clearly" in decision.sentence


def test_a_label_that_falls_by_chance_stops_nobody() -> None:
    better = changed(compared(800), won={0: 50, 1: 50, 2: 50}, lost={3: 1})
    decision = decide([better], look=1, seed=0)
    assert (decision.outcome, decision.questions[0].fallen) == ("promote", ())


def test_a_label_with_few_texts_is_not_judged_and_named() -> None:
    for few, fallen, unjudged in ((9, (), ("c",)), (30, ("c",), ())):
        truth = np.zeros((300, 3), dtype=bool)
        truth[:150, 0] = truth[150:, 1] = truth[:few, 2] = True
        without = truth & np.array([True, True, False])
        one = Compared("q", Kind.MULTIPLE, LABELS[:3], truth, truth, without, np.arange(300))
        (question,) = decide([one], look=1, seed=0).questions
        assert (question.fallen, question.unjudged) == (fallen, unjudged)


def test_a_question_that_is_clearly_worse_keeps_the_champion_though_the_mean_is_higher() -> None:
    both = [compared(300, 0.5, 0.9, question="easy"), compared(300, 0.8, 0.6, question="hard", seed=1)]
    decision = decide(both, look=1, seed=0)
    assert decision.delta == pytest.approx(np.mean([one.delta.value for one in decision.questions]))
    assert decision.lower > 0
    assert decision.outcome == "keep"
    assert "the question 'hard' is clearly worse" in decision.sentence
    assert "mean of 2 questions" in decision.sentence


def test_a_question_that_may_be_much_worse_leaves_it_undecided() -> None:
    both = [compared(300, 0.5, 0.9, question="easy"), compared(60, 0.7, 0.7, question="rare", seed=3)]
    decision = decide(both, look=1, seed=0)
    assert decision.lower > -rule.WHOLE
    assert decision.questions[1].delta.lower < -rule.QUESTION
    assert decision.outcome == "undecided"
    assert decision.n == 60


def test_the_question_with_the_fewest_texts_says_whether_there_are_enough() -> None:
    both = [compared(300, 0.5, 0.9, question="easy"), compared(30, 0.5, 0.9, question="rare")]
    decision = decide(both, look=1, seed=0)
    assert (decision.outcome, decision.needed, decision.n) == ("undecided", rule.TEXTS - 30, 30)


def ordinal(k: int, truth: Answers, champion: Answers, challenger: Answers) -> Compared:
    given = (marks(truth, k), marks(champion, k), marks(challenger, k))
    return Compared("o", Kind.ORDINAL, LABELS[:k], given[0], given[1], given[2], np.arange(len(truth)))


def test_ordinal_questions_are_judged_by_weighted_kappa() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=300)
    near = np.clip(truth + rng.choice([-1, 0, 1], p=[0.25, 0.5, 0.25], size=300), 0, 3)
    far = np.where(near == truth, truth, 3 - truth)  # right as often, wrong by more
    one = ordinal(4, truth, far, near)
    decision = decide([one], look=1, seed=0)
    (question,) = decision.questions
    assert question.measure == "weighted kappa"
    assert decision.outcome == "promote"
    assert abs(question.macro_f1[1] - question.macro_f1[0]) < question.delta.value / 3
    assert decide([replace(one, kind=Kind.SINGLE)], look=1, seed=0).delta == pytest.approx(
        question.macro_f1[1] - question.macro_f1[0]
    )


def test_a_measure_that_does_not_exist_decides_nothing() -> None:
    truth, half = np.zeros(80, dtype=np.intp), np.arange(80) % 2
    one = ordinal(2, truth, half, truth)
    decision = decide([one], look=1, seed=0)
    assert decision.outcome == "undecided"
    assert "cannot be compared" in decision.sentence
    assert decision.plain()["delta"] is None


def test_multiple_choice_may_have_any_number_of_labels() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((300, 4)) < 0.3
    champion, challenger = (truth ^ (rng.random((300, 4)) < p) for p in (0.25, 0.05))
    decision = decide(
        [Compared("m", Kind.MULTIPLE, LABELS, truth, champion, challenger, np.arange(300))], look=1, seed=0
    )
    assert decision.outcome == "promote"


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL])
def test_equal_seeds_decide_equally(kind: Kind) -> None:
    one = compared(120, 0.7, 0.75, kind=kind)
    assert decide([one], look=3, seed=5) == decide([one], look=3, seed=5)
    assert decide([one], look=3, seed=5).lower != decide([one], look=3, seed=6).lower


def test_a_decision_is_json() -> None:
    decision = decide([compared(120, 0.7, 0.75), compared(60, question="p", seed=1)], look=3, seed=5)
    plain = json.loads(json.dumps(decision.plain(), allow_nan=False))
    assert plain["outcome"] == decision.outcome
    assert plain["questions"][1]["delta"]["value"] == decision.questions[1].delta.value
    assert plain["rates"]["chances"]["-5"].keys() == {"once", "ever"}
    assert plain["sentence"] == decision.sentence


@settings(max_examples=8)
@given(st.permutations(range(4)), st.permutations(range(90)))
def test_the_order_of_labels_and_texts_changes_no_score(labels: list[int], texts: list[int]) -> None:
    one = compared(90, 0.65, 0.75)
    turned = replace(
        one,
        labels=tuple(LABELS[label] for label in labels),
        **{name: getattr(one, name)[texts][:, labels] for name in ROWS[:3]},
        clusters=one.clusters[texts],
    )
    before, after = decide([one], look=1, seed=0), decide([turned], look=1, seed=0)
    assert after.delta == pytest.approx(before.delta)
    assert (after.lower, after.upper) == pytest.approx((before.lower, before.upper), abs=0.012)  # other imagined texts
    assert after.questions[0].champion.lower == pytest.approx(before.questions[0].champion.lower)


@settings(max_examples=8)
@given(st.lists(st.integers(-1000, 1000), min_size=90, max_size=90, unique=True))
def test_the_numbers_of_clusters_are_names(names: list[int]) -> None:
    one = compared(90, 0.65, 0.75)
    ordered = replace(one, clusters=np.array(sorted(names)))
    assert decide([ordered], look=1, seed=0) == decide([one], look=1, seed=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"truth": np.zeros((5, 4), dtype=bool)}, "'q': truth has the shape (5, 4), not (60, 4)"),
        ({"challenger": np.zeros((60, 4), dtype=bool)}, "'q': challenger has texts without exactly one label"),
        ({"kind": Kind.NUMBER}, "'q' asks for a number"),
    ],
)
def test_what_cannot_be_compared_is_said(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match="q") as raised:
        replace(compared(60), **change)  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_no_question_and_no_look_are_refused() -> None:
    with pytest.raises(ValueError, match="no question"):
        decide([], look=1, seed=0)
    with pytest.raises(ValueError, match="counted from 1"):
        decide([compared(60)], look=0, seed=0)
