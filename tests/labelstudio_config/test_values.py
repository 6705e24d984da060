from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.values import Answer, UnreadableError, allowed, answer_of, value_of

TEXT = (Field("text", "text"),)
LABELS = (Label("yes", "Y", "Yes"), Label("no", "N", "No"))
SINGLE = Question("q", "q", Kind.SINGLE, Control.CHOICES, TEXT, LABELS)
MULTIPLE = Question("q", "q", Kind.MULTIPLE, Control.CHOICES, TEXT, LABELS)
RATING = Question(
    "q", "q", Kind.ORDINAL, Control.RATING, TEXT, tuple(Label(f"s{i}", str(i), f"{i} of 3") for i in (1, 2, 3))
)
PAIRWISE = Question(
    "q",
    "q",
    Kind.SINGLE,
    Control.PAIRWISE,
    (Field("a", "a"), Field("b", "b")),
    (Label("first", "left", "the first"), Label("second", "right", "the second")),
)


def number(low: float | None = None, high: float | None = None, step: float | None = None) -> Question:
    return Question("q", "q", Kind.NUMBER, Control.NUMBER, TEXT, minimum=low, maximum=high, step=step)


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        (SINGLE, Answer("q", ("no",)), {"choices": ["N"]}),
        (SINGLE, Answer("q"), None),
        (MULTIPLE, Answer("q", ("no", "yes")), {"choices": ["Y", "N"]}),
        (MULTIPLE, Answer("q"), None),
        (RATING, Answer("q", ("s3",)), {"rating": 3}),
        (PAIRWISE, Answer("q", ("second",)), {"selected": "right"}),
        (number(), Answer("q", number=1999.0), {"number": 1999}),
        (number(), Answer("q", number=0.5), {"number": 0.5}),
        (number(0, 1), Answer("q", number=7), {"number": 1}),
        (number(), Answer("q"), None),
    ],
)
def test_the_value_of_an_answer(question: Question, answer: Answer, value: dict[str, Any] | None) -> None:
    assert value_of(question, answer) == value


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (SINGLE, Answer("q", ("maybe",))),
        (SINGLE, Answer("q", ("yes", "no"))),
        (SINGLE, Answer("q", number=1.0)),
        (MULTIPLE, Answer("q", ("yes", "maybe"))),
        (RATING, Answer("q", ("3",))),
        (number(), Answer("q", ("yes",))),
        (number(), Answer("q", number=math.nan)),
        (number(), Answer("q", number=math.inf)),
    ],
)
def test_what_is_no_answer_has_no_value(question: Question, answer: Answer) -> None:
    with pytest.raises(CodebookError, match="A suggestion for the question 'q' is not"):
        value_of(question, answer)


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        (SINGLE, {"choices": ["Y", "N"]}, "has 2 choices, but takes one"),
        (SINGLE, {"choices": []}, "is answered with no choice"),
        (SINGLE, {"choices": "Y"}, "no list of choices"),
        (SINGLE, {"choices": [["Y"]]}, "no list of choices"),
        (SINGLE, {}, "no list of choices"),
        (SINGLE, {"choices": ["Yes"]}, "1 choice(s) that are no labels of the codebook"),
        (MULTIPLE, {"choices": ["Y", "Z", "Q"]}, "2 choice(s) that are no labels"),
        (RATING, {"rating": 0}, "not a whole number from 1 to 3"),
        (RATING, {"rating": 4}, "not a whole number from 1 to 3"),
        (RATING, {"rating": 2.5}, "not a whole number from 1 to 3"),
        (RATING, {"rating": "3"}, "something that is no number"),
        (RATING, {"rating": True}, "something that is no number"),
        (RATING, {"rating": None}, "something that is no number"),
        (number(0, 1), {"number": 2}, "out of its range"),
        (number(0, 1), {"number": -1}, "out of its range"),
        (number(), {"number": "2"}, "something that is no number"),
        (number(), {"number": math.nan}, "not finite"),
        (number(), {"number": 10**400}, "not finite"),
        (PAIRWISE, {"selected": "both"}, "neither 'left' nor 'right'"),
        (PAIRWISE, {"selected": ["left"]}, "neither 'left' nor 'right'"),
    ],
)
def test_a_value_that_is_no_answer(question: Question, value: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        answer_of(question, value)
    assert said in str(caught.value)


def test_values_that_are_answers() -> None:
    assert answer_of(MULTIPLE, {"choices": ["N", "Y", "N"]}) == Answer("q", ("yes", "no"))
    assert answer_of(MULTIPLE, {"choices": []}) == Answer("q")
    assert answer_of(RATING, {"rating": 2.0}) == Answer("q", ("s2",))
    assert answer_of(number(0, 1), {"number": 1}) == Answer("q", number=1.0)
    assert answer_of(PAIRWISE, {"selected": "left"}) == Answer("q", ("first",))
    assert answer_of(PAIRWISE, {"selected": "none"}) is None


@pytest.mark.parametrize(
    ("question", "given", "nearest"),
    [
        (number(), 3.27, 3.27),
        (number(1, 5), 9.0, 5.0),
        (number(1, 5, 0.5), 3.3, 3.5),
        (number(1, 4, 2), 9.0, 3.0),  # 1, 3: the next one, 5, is above the maximum
        (number(None, 4, 3), 9.0, 3.0),
        (number(0.5, None, 1), 3.0, 2.5),
        (number(None, None, 10), -14.0, -10.0),
        (number(None, None, 5e-324), 1e300, 1e300),
        (number(None, 8622029614557075.0, 0.1), 1e17, 8622029614557075.0),  # steps finer than the number's own digits
    ],
)
def test_the_nearest_number_that_a_coder_could_enter(question: Question, given: float, nearest: float) -> None:
    assert allowed(question, given) == nearest


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e9, 1e9),
    st.floats(1e-3, 1e9),
    st.none() | st.floats(1e-6, 1e6),
)
def test_a_suggested_number_is_always_in_the_range(given: float, low: float, width: float, step: float | None) -> None:
    question = number(low, low + width, step)
    nearest = allowed(question, given)
    assert low <= nearest <= low + width
    value = value_of(question, Answer("q", number=given))
    assert value is not None
    assert answer_of(question, value) == Answer("q", number=nearest)
