from __future__ import annotations

import numpy as np
import pytest

from backend.tuners.targets import TrainingError, counts, shared, targets
from labelstudio_config.codebook import Kind
from tests.backend.engines.questions import question

JOY, ANGER = frozenset({"joy"}), frozenset({"anger"})


def test_answers_become_zeros_and_ones() -> None:
    found = targets(question(), [("a",), ("b",)], [JOY, ANGER])
    assert found.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert counts(question(), found) == {"joy": 1, "anger": 1, "sadness": 0}
    several = targets(question(Kind.MULTIPLE), [("a",), ("b",)], [JOY | ANGER, frozenset()])
    assert several.tolist() == [[1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("kind", "answers", "reason"),
    [
        (Kind.SINGLE, [], "no labelled texts"),
        (Kind.SINGLE, [JOY, JOY], r"same answer to the question 'mood' \(joy\)"),
        (Kind.MULTIPLE, [frozenset[str](), frozenset[str]()], r"same answer to the question 'mood' \(none\)"),
        (Kind.SINGLE, [JOY, frozenset({"fear"})], "no label 'fear'"),
        (Kind.SINGLE, [JOY, JOY | ANGER], "Text 1 has 2 labels"),
        (Kind.ORDINAL, [JOY, frozenset[str]()], "Text 1 has 0 labels"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(kind: Kind, answers: list[frozenset[str]], reason: str) -> None:
    items = [(str(n),) for n in range(len(answers))]
    with pytest.raises(TrainingError, match=reason):
        targets(question(kind), items, answers)


def test_every_text_needs_an_answer() -> None:
    with pytest.raises(TrainingError, match="2 texts were given with 1 answers"):
        targets(question(), [("a",), ("b",)], [JOY])


def test_shares_sum_to_one_where_one_label_applies() -> None:
    """A text whose coders all gave labels that the question has no more keeps what was accepted."""
    found = targets(question(), [("a",), ("b",), ("c",)], [JOY, ANGER, ANGER])
    shares = np.array([[0.5, 0.0, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 0.0]])
    assert shared(question(), found, shares).tolist() == [[1, 0, 0], [0.25, 0.75, 0], [0, 1, 0]]
    assert shared(question(Kind.MULTIPLE), found, shares).tolist() == shares.tolist()


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.full((2, 3), np.nan), np.full((2, 3), 1.5), -np.eye(3)[:2]])
def test_shares_that_are_none_are_refused(wrong: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(TrainingError, match="numbers from 0 to 1, one for each of 2 texts and 3 labels"):
        shared(question(), np.eye(3)[:2], wrong)
