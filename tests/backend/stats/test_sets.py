"""Agreement of coders who give any number of labels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.stats.agreement import alpha
from backend.stats.sets import Distance, distances, label_alphas, numbered, set_alpha

Marks = NDArray[np.bool_]
few = settings(max_examples=40)
EXACT = {"abs": 1e-9, "rel": 1e-9, "nan_ok": True}
DISTANCES: tuple[Distance, ...] = ("masi", "jaccard")


def once(coded: Marks) -> NDArray[np.floating]:
    return np.ones((1, coded.shape[1]))


@st.composite
def marked(draw: st.DrawFn) -> tuple[Marks, Marks]:
    """Marks [coders, n, 3], and which are answers [coders, n]."""
    coders, n = draw(st.integers(2, 4)), draw(st.integers(2, 7))
    marks = draw(st.lists(st.booleans(), min_size=coders * n * 3, max_size=coders * n * 3))
    coded = draw(st.lists(st.booleans(), min_size=coders * n, max_size=coders * n))
    return np.array(marks).reshape(coders, n, 3), np.array(coded).reshape(coders, n)


def between(one: frozenset[int], other: frozenset[int], distance: Distance) -> float:
    """As Passonneau 2006 defines it."""
    if one == other:
        return 0.0
    shared = len(one & other) / len(one | other)
    if distance == "jaccard" or not shared:
        return 1 - shared
    return 1 - shared * (2 / 3 if one < other or other < one else 1 / 3)


def by_definition(marks: Marks, coded: Marks, distance: Distance) -> float:
    units = [
        [frozenset(np.nonzero(marks[c, t])[0].tolist()) for c in range(len(coded)) if coded[c, t]]
        for t in range(coded.shape[1])
    ]
    units = [unit for unit in units if len(unit) >= 2]
    everything = [one for unit in units for one in unit]
    seen = sum(between(a, b, distance) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2))
    expected = sum(between(a, b, distance) for a, b in permutations(everything, 2)) / max(len(everything) - 1, 1)
    return 1 - seen / expected if expected else float("nan")


@few
@given(marked(), st.sampled_from(DISTANCES))
def test_whole_sets_are_compared_as_the_definition_says(answers: tuple[Marks, Marks], distance: Distance) -> None:
    found = set_alpha(*answers, distance)(once(answers[1]))[0]
    assert found == pytest.approx(by_definition(*answers, distance), **EXACT)


@few
@given(marked())
def test_each_label_is_compared_with_all_others(answers: tuple[Marks, Marks]) -> None:
    marks, coded = answers
    found = label_alphas(marks, coded)(once(coded))
    for label in range(3):
        rest = np.where(coded, marks[:, :, label], np.nan)
        assert found[0, label] == pytest.approx(alpha(rest, "nominal", once(coded))[0], **EXACT)


@few
@given(marked(), st.sampled_from(DISTANCES), st.integers(0, 999))
def test_the_order_of_coders_texts_and_labels_is_nothing(
    answers: tuple[Marks, Marks], distance: Distance, seed: int
) -> None:
    marks, coded = answers
    rng = np.random.default_rng(seed)
    coders, texts, labels = (rng.permutation(size) for size in marks.shape)
    turned = marks[coders][:, texts][:, :, labels], coded[coders][:, texts]
    figures = [set_alpha(*each, distance)(once(coded))[0] for each in (answers, turned)]
    assert figures[0] == pytest.approx(figures[1], **EXACT)


@few
@given(marked(), st.integers(0, 999))
def test_a_text_drawn_twice_counts_as_two(answers: tuple[Marks, Marks], seed: int) -> None:
    marks, coded = answers
    weights = np.random.default_rng(seed).integers(0, 3, size=(3, coded.shape[1])).astype(np.float32)
    wholes, labels = set_alpha(marks, coded)(weights), label_alphas(marks, coded)(weights)
    for row, whole, each in zip(weights.astype(int), wholes, labels, strict=True):
        repeated = np.repeat(marks, row, axis=1), np.repeat(coded, row, axis=1)
        assert whole == pytest.approx(set_alpha(*repeated)(np.ones((1, row.sum())))[0], **EXACT)
        assert each == pytest.approx(label_alphas(*repeated)(np.ones((1, row.sum())))[0], **EXACT)


def test_sets_that_share_more_are_nearer() -> None:
    sets = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    masi, jaccard = distances(sets, "masi"), distances(sets, "jaccard")
    assert masi[0] == pytest.approx([0, 1 - 2 / 3 * 2 / 3, 1 - 1 / 3 * 1 / 3, 1, 1])
    assert jaccard[0] == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert masi[4, 4] == jaccard[4, 4] == 0


def test_a_part_of_a_set_counts_for_something() -> None:
    """Two coders who often give a part of what the other gives agree more on sets than on equality alone."""
    marks = np.array([[[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]], [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]]], bool)
    coded = np.ones((2, 4), dtype=bool)
    equal = alpha(numbered(marks, coded)[0], "nominal", once(coded))[0]
    assert set_alpha(marks, coded)(once(coded))[0] > equal + 0.1


def test_coders_who_agree_throughout_agree_perfectly() -> None:
    marks = np.repeat(np.array([[[1, 0], [1, 1], [0, 0]]], dtype=bool), 3, axis=0)
    coded = np.ones((3, 3), dtype=bool)
    assert set_alpha(marks, coded)(once(coded))[0] == 1
    assert label_alphas(marks, coded)(once(coded)).tolist() == [[1, 1]]


def test_sets_that_are_all_alike_have_no_alpha() -> None:
    marks, coded = np.ones((2, 3, 2), dtype=bool), np.ones((2, 3), dtype=bool)
    assert np.isnan(set_alpha(marks, coded)(once(coded))).all()
    assert np.isnan(label_alphas(marks, coded)(once(coded))).all()
