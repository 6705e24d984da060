from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from backend.engines.protocol import Item
from backend.tuners.design import Design
from backend.tuners.logistic import Array, contrasts
from backend.tuners.validation import GRID, USUAL, Choice, choose, given, macro_f1, splits, tied


def chosen(features: Array, prior: Array, labels: Array, items: list[Item] | None = None) -> Choice:
    goal = np.eye(prior.shape[1])[labels]
    rows = items or [(str(n),) for n in range(len(labels))]
    return choose(Design(features, None), prior, goal, contrasts(prior.shape[1], ordered=False), tied(rows), 1.0, 0)


def test_a_prior_that_is_right_is_held_to_and_a_useless_one_is_left() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 5))
    labels = (features[:, 0] > 0).astype(int)
    noise = random.normal(size=(200, 5))
    right = chosen(noise, 4 * np.eye(2)[labels], labels)
    wrong = chosen(features, random.normal(size=(200, 2)), labels)
    assert right.strength >= 1 > wrong.strength
    assert wrong.macro_f1 is not None and wrong.zero_shot_macro_f1 is not None
    assert wrong.macro_f1 > wrong.zero_shot_macro_f1 + 0.2


def test_too_few_texts_to_hold_any_out() -> None:
    assert chosen(np.eye(2), np.zeros((2, 2)), np.array([0, 1])) == Choice(USUAL, None, None, None)


@drawn(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=2, max_size=60), st.integers(0, 9))
def test_folds_hold_every_text_out_once_and_the_same_text_with_itself(rows: list[tuple[int, int]], seed: int) -> None:
    labels = np.array([label for label, _ in rows])
    items = [(str(text),) for _, text in rows]
    held = []
    for train, test in splits(labels, tied(items), seed):
        assert sorted([*train, *test]) == list(range(len(rows)))
        assert not {items[i] for i in train} & {items[i] for i in test}
        held += test.tolist()
    times = np.bincount(held, minlength=len(rows))
    assert (times == times[0]).all()


@drawn(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=60))
def test_folds_part_neither_clusters_nor_equal_texts_nor_what_both_tie_together(
    rows: list[tuple[int, int, int]],
) -> None:
    labels, texts, clusters = (np.array(column) for column in zip(*rows, strict=True))
    groups = tied([(str(text),) for text in texts], clusters)
    assert all(groups[first] == first for first in groups)
    for train, test in splits(labels, groups, 0):
        for column in (texts, clusters, groups):
            assert not set(column[train]) & set(column[test])


def test_texts_that_nothing_ties_are_on_their_own() -> None:
    items: list[Item] = [("a",), ("b",), ("a",), ("c",), ("d",)]
    assert tied(items).tolist() == [0, 1, 0, 3, 4]
    assert tied(items, np.array([7, 8, 9, 9, 8])).tolist() == [0, 1, 0, 0, 1]


def test_shares_are_held_out_like_labels() -> None:
    """Nine of ten coders agree on each text: the best there is to say of a text is nine to one."""
    side = np.arange(60) % 2
    features = np.array([[1.0], [-1.0]])[side]
    shares = np.array([[0.9, 0.1], [0.1, 0.9]])[side]
    found = choose(
        Design(features, None), np.zeros((60, 2)), shares, contrasts(2, ordered=False), np.arange(60), 1.0, 0
    )
    entropy = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    assert found.log_loss is not None
    assert entropy <= found.log_loss < entropy + 0.01


def test_rare_labels_are_spread_over_the_folds() -> None:
    labels = np.array([0] * 95 + [1] * 5)
    tests = [labels[test] for _, test in splits(labels, tied([(str(n),) for n in range(100)]), 0)]
    assert all((found == 1).sum() == 1 for found in tests)


def test_macro_f1_is_sklearns() -> None:
    from sklearn.metrics import f1_score

    random = np.random.default_rng(0)
    truth, guess = random.integers(0, 4, 50), random.integers(0, 3, 50)
    assert macro_f1(truth, guess) == pytest.approx(f1_score(truth, guess, average="macro"))


def test_a_strength_may_be_given() -> None:
    assert given(math.inf).strength == math.inf
    assert tuple(sorted(GRID, reverse=True)) == GRID
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="must be positive"):
            given(wrong)
