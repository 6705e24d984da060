from __future__ import annotations

import pytest

from backend.tuners.targets import TrainingError, counts, targets
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
