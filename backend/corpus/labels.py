"""A cell that holds what somebody answered to a question: labels by code, id or wording, or a number."""

from __future__ import annotations

import math
from collections.abc import Callable

from backend.corpus.long_table import BETWEEN, NONE, parted
from labelstudio_config.codebook import Kind, Question

SHOWN = 20  # labels that a sentence lists
Choice = tuple[str | None, float | None]  # label id, number; neither: no label of a multiple choice applies
Choices = frozenset[Choice]


class LabelError(Exception):
    """A cell is no answer to the question; the message is the end of a sentence that begins with the row."""


def reader(question: Question) -> Callable[[str], Choices]:
    """What turns a cell into the answer that it holds: nothing for an empty one. LabelError names what may stand there.

    Small and capital letters are the same unless labels differ in nothing else.
    """
    if question.kind is Kind.NUMBER:
        return lambda cell: _number(question, cell)
    exact, folded = names_of(question, str), names_of(question, str.casefold)

    def known(cell: str) -> str | None:
        return exact.get(cell) or folded.get(cell.casefold())

    def one(cell: str) -> str:
        found = known(cell) or known(whole_number(cell))
        if found is None:
            raise LabelError(_unknown(question, cell))
        return found

    def several(cell: str) -> Choices:
        if cell.casefold() == NONE:
            return frozenset({(None, None)})
        whole = known(cell)
        found = [whole] if whole else [one(part.strip()) for part in parted(cell)]
        return frozenset((label, None) for label in found)

    def read(cell: str) -> Choices:
        cell = cell.strip()
        if not cell:
            return frozenset()
        return several(cell) if question.kind is Kind.MULTIPLE else frozenset({(one(cell), None)})

    return read


def names_of(question: Question, fold: Callable[[str], str]) -> dict[str, str]:
    """What a label may be called -> its id; codes go before ids, and ids before wordings."""
    known: dict[str, str] = {}
    for name in ("code", "id", "wording"):
        for label in question.labels:
            known.setdefault(fold(getattr(label, name).strip()), label.id)
    return known


def whole_number(cell: str) -> str:
    """'3' for '3.0', as statistics programs write a column of whole numbers with gaps."""
    try:
        number = float(cell)
    except ValueError:
        return cell
    return str(int(number)) if math.isfinite(number) and number.is_integer() else cell


def _number(question: Question, cell: str) -> Choices:
    if not cell.strip():
        return frozenset()
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    low, high = question.minimum, question.maximum
    if not math.isfinite(number):
        raise LabelError(f"has '{_short(cell)}' where '{question.id}' wants a number")
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = [f"from {low:g}" if low is not None else "", f"up to {high:g}" if high is not None else ""]
        raise LabelError(f"has {number:g} where '{question.id}' wants a number {' '.join(filter(None, bounds))}")
    return frozenset({(None, number)})


def _unknown(question: Question, cell: str) -> str:
    codes = [label.code for label in question.labels]
    more = f" and {len(codes) - SHOWN} more" if len(codes) > SHOWN else ""
    what = f"has the label '{_short(cell)}', which '{question.id}' does not have"
    cure = f", several separated by '{BETWEEN}', or {NONE}" if question.kind is Kind.MULTIPLE else ""
    return f"{what}; its labels are: {', '.join(codes[:SHOWN])}{more}{cure}"


def _short(cell: str) -> str:
    cell = cell.strip()
    return cell if len(cell) <= 40 else f"{cell[:39]}…"
