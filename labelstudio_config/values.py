"""The answer to a question, and Label Studio's value for it: `{"choices": [...]}`, `{"rating": 4}` and so on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labelstudio_config.codebook import Control, Kind, Question
from labelstudio_config.errors import CodebookError


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question: label ids (none, one or several, by the question's kind), or a number.

    `score`, 0 to 1, is how sure a model is of it; a coder's answer has none.
    """

    question_id: str
    label_ids: tuple[str, ...] = ()
    number: float | None = None
    score: float | None = None


class UnreadableError(Exception):
    """Why a value is no answer to the question: the end of a sentence that begins with the question."""


def value_of(question: Question, answer: Answer) -> dict[str, Any] | None:
    """Label Studio's value of the answer, or None when there is nothing to tick, rate or enter.

    A number is moved to the nearest one that the question allows. Raises CodebookError when it is no answer to it.
    """
    if question.kind is Kind.NUMBER:
        return _number_value(question, answer)
    codes = {label.id: label.code for label in question.labels}
    unknown = [label_id for label_id in answer.label_ids if label_id not in codes]
    one = question.kind is not Kind.MULTIPLE
    if unknown or answer.number is not None or (one and len(answer.label_ids) > 1):
        expected = "one of" if one else "among"
        raise CodebookError(f"A suggestion for the question '{question.id}' is not {expected} {', '.join(codes)}.")
    chosen = [code for label_id, code in codes.items() if label_id in answer.label_ids]
    if not chosen:
        return None
    if question.control is Control.RATING:
        return {"rating": int(chosen[0])}
    return {"selected": chosen[0]} if question.control is Control.PAIRWISE else {"choices": chosen}


def _number_value(question: Question, answer: Answer) -> dict[str, Any] | None:
    if answer.label_ids or (answer.number is not None and not math.isfinite(answer.number)):
        raise CodebookError(f"A suggestion for the question '{question.id}' is not a number.")
    if answer.number is None:
        return None
    number = float(allowed(question, answer.number))
    return {"number": int(number) if number.is_integer() and abs(number) < 2**53 else number}


def answer_of(question: Question, value: dict[str, Any]) -> Answer | None:
    """The answer that Label Studio's value holds, or None when it was taken back; UnreadableError when it is none."""
    return _READERS[question.control](question, value)


def allowed(question: Question, number: float) -> float:
    """The number nearest to `number` that a coder could enter: in the range, and on a step from its start."""
    low = -math.inf if question.minimum is None else question.minimum
    high = math.inf if question.maximum is None else question.maximum
    inside = min(max(number, low), high)
    base = question.minimum or 0.0
    if question.step is None or not math.isfinite((inside - base) / question.step):
        return inside
    steps = round((inside - base) / question.step)
    if base + steps * question.step > high:
        steps -= 1
    return min(max(base + steps * question.step, low), high)


def _choices(question: Question, value: dict[str, Any]) -> Answer:
    codes = value.get("choices")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise UnreadableError("is answered with something that is no list of choices")
    ids = {label.code: label.id for label in question.labels}
    unknown = sum(code not in ids for code in codes)
    if unknown:
        raise UnreadableError(f"is answered with {unknown} choice(s) that are no labels of the codebook")
    chosen = tuple(label_id for code, label_id in ids.items() if code in codes)
    if len(chosen) > 1 and question.kind is not Kind.MULTIPLE:
        raise UnreadableError(f"has {len(chosen)} choices, but takes one")
    if not chosen and question.kind is not Kind.MULTIPLE:
        raise UnreadableError("is answered with no choice")
    return Answer(question.id, chosen)


def _rating(question: Question, value: dict[str, Any]) -> Answer:
    stars = _numeric(value.get("rating"))
    if not stars.is_integer() or not 1 <= stars <= len(question.labels):
        raise UnreadableError(f"has a rating that is not a whole number from 1 to {len(question.labels)}")
    return Answer(question.id, (question.labels[int(stars) - 1].id,))


def _number(question: Question, value: dict[str, Any]) -> Answer:
    number = _numeric(value.get("number"))
    below = question.minimum is not None and number < question.minimum
    if below or (question.maximum is not None and number > question.maximum):
        raise UnreadableError("is answered with a number out of its range")
    return Answer(question.id, number=number)


def _pairwise(question: Question, value: dict[str, Any]) -> Answer | None:
    selected = value.get("selected")
    if selected == "none":  # selected, then taken back
        return None
    for label in question.labels:
        if label.code == selected:
            return Answer(question.id, (label.id,))
    raise UnreadableError("is answered with neither 'left' nor 'right'")


def _numeric(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError("is answered with something that is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnreadableError("is answered with a number that is not finite")
    return number


_READERS: dict[Control, Callable[[Question, dict[str, Any]], Answer | None]] = {
    Control.CHOICES: _choices,
    Control.RATING: _rating,
    Control.NUMBER: _number,
    Control.PAIRWISE: _pairwise,
}
