from __future__ import annotations

import numpy as np
import pytest

from backend.learning.baseline import tfidf
from backend.tuners.targets import TrainingError
from labelstudio_config.codebook import Control, Field, Kind, Label, Question


def question(kind: Kind, *labels: str, fields: int = 1) -> Question:
    texts = tuple(Field(f"text{n}", f"text{n}") for n in range(fields))
    return Question("mood", "mood", kind, Control.CHOICES, texts, tuple(Label(x, x, x) for x in labels))


GOOD, BAD = [(f"good day {n}",) for n in range(6)], [(f"bad day {n}",) for n in range(3)]
ANSWERS = [frozenset({"glad"})] * 6 + [frozenset({"cross"})] * 3


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.ORDINAL])
def test_one_label_each_in_the_order_of_the_question(kind: Kind) -> None:
    said = tfidf(question(kind, "glad", "none", "cross"), [*GOOD, *BAD], ANSWERS, [("so bad",), ("so good",)])
    assert said.dtype == np.bool_
    assert said.tolist() == [[False, False, True], [True, False, False]]


def test_every_label_of_a_multiple_question_is_asked_by_itself() -> None:
    items = [("sun rain",), ("sun",), ("rain",), ("fog",)] * 4
    answers = [frozenset({"dry", "wet"}), frozenset({"dry"}), frozenset({"wet"}), frozenset[str]()] * 4
    said = tfidf(question(Kind.MULTIPLE, "dry", "wet", "snow"), items, answers, items[:4])
    assert said.tolist() == [[True, True, False], [True, False, False], [False, True, False], [False, False, False]]


def test_a_label_that_every_text_has_is_said_of_every_text() -> None:
    answers = [frozenset({"any", "dry"}), frozenset({"any"})] * 4
    said = tfidf(question(Kind.MULTIPLE, "any", "dry"), [("sun",), ("rain",)] * 4, answers, [("rain",)])
    assert said.tolist() == [[True, False]]


def test_each_text_of_a_pair_has_its_own_vocabulary() -> None:
    items = [("yes", "no"), ("no", "yes")] * 5
    answers = [frozenset({"glad"}), frozenset({"cross"})] * 5
    said = tfidf(question(Kind.SINGLE, "glad", "cross", fields=2), items, answers, items[:2])
    assert said.tolist() == [[True, False], [False, True]]


def test_a_text_without_words_beside_one_with_words_is_no_hindrance() -> None:
    pairs = [(text, "") for (text,) in [*GOOD, *BAD]]
    said = tfidf(question(Kind.SINGLE, "glad", "cross", fields=2), pairs, ANSWERS, [("bad", "bad")])
    assert said.tolist() == [[False, True]]


def test_nothing_is_said_where_there_is_nothing_to_tell_apart() -> None:
    asked = question(Kind.SINGLE, "glad", "cross")
    with pytest.raises(TrainingError, match="All 6 texts have the same answer"):
        tfidf(asked, GOOD, ANSWERS[:6], [("so bad",)])
    with pytest.raises(TrainingError, match="have no words"):
        tfidf(asked, [("",), (" ",)], [frozenset({"glad"}), frozenset({"cross"})], [("so bad",)])


def test_of_no_texts_nothing_is_said() -> None:
    assert tfidf(question(Kind.SINGLE, "glad", "cross"), [*GOOD, *BAD], ANSWERS, []).shape == (0, 2)
