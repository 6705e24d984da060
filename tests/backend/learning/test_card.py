from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.learning.accepted import Resolved
from backend.learning.card import CHALLENGER, CHAMPION, TFIDF, WHO, ZERO_SHOT, CardError, build, from_plain, used
from backend.learning.measured import KAPPA, MACRO, STEPS
from backend.tuners.training import Labelled
from tests.backend.assist.world import BOOK, HUMOR
from tests.backend.learning.cards import FACTS, TEXTS, USED, N, card, decision, gate, predictions


def test_a_card_has_every_question_with_its_measures() -> None:
    made = card()
    assert [part.question for part in made.questions] == ["humor", "topics", "stars", "year"]
    assert [[one.name for one in part.measures] for part in made.questions] == [
        [MACRO],
        [MACRO],
        [KAPPA, MACRO, STEPS],
        [],
    ]
    assert made.questions[0].used == USED and made.questions[1].used is None


def test_scores_are_those_of_hand() -> None:
    """40 texts, 10 'yes'. The champion turns the first 8, 2 of them 'yes'; zero-shot the first 20, 5 of them 'yes'."""
    humor = card().questions[0]
    figures = humor.measures[0].scores
    assert {figures[who].n for who in WHO} == {N}
    assert figures[CHALLENGER].value == 1.0
    assert figures[CHAMPION].value == pytest.approx((2 * 24 / (26 + 30) + 2 * 8 / (14 + 10)) / 2)
    assert figures[ZERO_SHOT].value == pytest.approx((2 * 15 / (20 + 30) + 2 * 5 / (20 + 10)) / 2)
    assert [label.support for label in humor.labels] == [30, 10]
    assert [label.f1[CHAMPION].value for label in humor.labels] == pytest.approx([48 / 56, 16 / 24])


def test_the_yardstick_is_described() -> None:
    gold = card().questions[0].gold
    assert (gold.n, gold.by, gold.coders) == (N, {"adjudicated": 4, "majority": 36}, {2: N})
    assert gold.unresolved == {"skipped": 1}


def test_people_are_measured_by_each_other() -> None:
    """Of 40 texts the two coders differ on 4, of which 1 is 'yes' to the first coder."""
    humor = card().questions[0]
    no, yes = 2 * 2 * 27 / (2 * (30 + 28)), 2 * 2 * 9 / (2 * (10 + 12))
    assert humor.measures[0].ceiling.value == pytest.approx((no + yes) / 2)
    assert humor.measures[0].ceiling.n == N


def test_who_says_nothing_has_the_reason() -> None:
    topics = card().questions[1]
    assert topics.measures[0].scores[TFIDF].missing == "All 9 texts have the same answer."
    assert {label.f1[TFIDF].missing for label in topics.labels} == {"All 9 texts have the same answer."}
    without = build(FACTS, {}, gate(), BOOK, {}, TEXTS, {}, decision())
    assert {figure.missing for figure in without.questions[0].measures[0].scores.values()} == {"not scored"}


def test_rows_follow_the_texts_whatever_their_order() -> None:
    order = np.random.default_rng(1).permutation(N)
    said = {who: {q: p if isinstance(p, str) else p[order] for q, p in by.items()} for who, by in predictions().items()}
    mixed = build(FACTS, {"humor": USED}, gate(), BOOK, said, [TEXTS[n] for n in order], {}, decision())
    assert mixed == card()


def test_texts_of_one_cluster_count_as_one_in_every_interval() -> None:
    tied = build(FACTS, {}, gate(), BOOK, predictions(), TEXTS, dict.fromkeys(TEXTS, 100), decision())
    figure = tied.questions[0].measures[0].scores[CHAMPION]
    assert figure.value is not None and figure.missing == "40 texts in 1 group: an interval needs at least 30 groups"


def test_a_gate_text_that_was_not_scored_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 gate texts of 'humor' are not among the texts that were scored"):
        build(FACTS, {}, gate(), BOOK, predictions(), TEXTS[1:], {}, decision())


def test_without_gate_labels_every_figure_says_so() -> None:
    empty = Resolved((), {question.id: gate().unresolved[question.id] for question in BOOK.questions}, {})
    made = build(FACTS, {"humor": USED}, empty, BOOK, predictions(), TEXTS, {}, decision())
    for part in made.questions:
        assert part.gold.n == 0 and part.agreement.alpha.value is None and part.agreement.alpha.missing
        for figures in [*(one.scores for one in part.measures), *(one.f1 for one in part.labels)]:
            assert all(figure.value is None and figure.missing for figure in figures.values())


def test_the_decision_is_the_gates() -> None:
    verdict, gates = card().decision, decision()
    assert (verdict.outcome, verdict.look, verdict.n) == (gates.outcome, 2, N)
    assert (verdict.delta, verdict.lower, verdict.upper) == (gates.delta, gates.lower, gates.upper)
    assert verdict.sentence == gates.sentence and verdict.level == 0.9


def test_a_card_outlives_json() -> None:
    made = card()
    assert from_plain(json.loads(json.dumps(made.plain(), allow_nan=False))) == made


def test_a_card_of_another_version_is_refused() -> None:
    with pytest.raises(CardError, match="has the format 0; this program reads 1"):
        from_plain(card().plain() | {"format": 0})
    with pytest.raises(CardError, match=r"cannot be read \(facts\.run\)"):
        from_plain(card().plain() | {"facts": card().plain()["facts"] | {"run": "seven"}})


def test_what_was_used_is_counted_by_label_and_part() -> None:
    answers = [frozenset({"yes"}), frozenset({"no"}), frozenset({"yes"})]
    held = np.array([False, False, True])
    labelled = Labelled([("a",), ("b",), ("c",)], answers, np.zeros((3, 2)), held, np.arange(3))
    found = used(HUMOR, labelled, 2, {"tie": 1})
    assert (found.train, found.validation, found.texts) == (2, 1, 3)
    assert (found.labels, found.coders, found.unresolved) == ({"no": 1, "yes": 2}, 2, {"tie": 1})


def test_equal_arguments_give_equal_cards_and_another_seed_other_intervals() -> None:
    assert card() == card()
    other = build(FACTS, {}, gate(), BOOK, predictions(), TEXTS, {}, replace(decision(), seed=6))
    assert other.questions[0].measures[0].scores[ZERO_SHOT] != card().questions[0].measures[0].scores[ZERO_SHOT]
