"""Scoring texts so that one the engine fails on takes none of the others with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.assist.asked import Asked, Values
from backend.engines.bundle import part
from backend.engines.protocol import Engine, EngineError, Item, Scores

EMPTY = "The text is empty."


@dataclass(slots=True)
class Outcome:
    """What became of one text: log-probabilities [K] and tokens cut off by question id, or the sentence that says why
    not.
    """

    scores: dict[int, tuple[Values, int]] = field(default_factory=dict)
    problem: str = ""


class ShapeError(Exception):
    """The engine gave something else than a row of log-probabilities for each text."""


def score(
    engine: Engine, questions: Sequence[Asked], texts: Sequence[Sequence[str]], adapter: Path | None = None
) -> list[Outcome]:
    """Score texts, given by their fields, on every question, one question after the other; an outcome for each text, in
    order. `adapter` is a bundle: a question that has no part in it is scored zero-shot.

    A question that is about a blank text is passed over. Never raises: where the engine does, the batch is halved until
    the text at fault stands alone.
    """
    outcomes = [Outcome() for _ in texts]
    for one in questions:
        items = [one.item(fields) for fields in texts]
        there = [(item, outcome) for item, outcome in zip(items, outcomes, strict=True) if item is not None]
        _score(engine, one, there, adapter)
    for outcome in outcomes:
        if not outcome.scores and not outcome.problem:
            outcome.problem = EMPTY
    return outcomes


def _score(engine: Engine, one: Asked, batch: Sequence[tuple[Item, Outcome]], adapter: Path | None) -> None:
    if not batch:
        return
    try:
        mine = part(adapter, one.question.id)
        scores = _checked(engine.score(one.question, [item for item, _ in batch], mine), one, len(batch))
    except Exception as error:  # noqa: BLE001 - whatever an engine does, the other texts get their scores
        if len(batch) == 1:
            batch[0][1].problem = _sentence(error)
            return
        half = len(batch) // 2
        _score(engine, one, batch[:half], adapter)
        _score(engine, one, batch[half:], adapter)
        return
    for (_, outcome), row, cut in zip(batch, scores.log_probabilities, scores.cut, strict=True):
        outcome.scores[one.question_id] = (row, int(cut))


def _checked(scores: Scores, one: Asked, n: int) -> Scores:
    values = scores.log_probabilities
    right = values.shape == (n, len(one.question.labels)) and len(scores.cut) == n and scores.family is one.family
    if not right or np.isnan(values).any() or (values > 1e-6).any() or np.isneginf(values).all(axis=1).any():
        raise ShapeError
    return scores


def _sentence(error: Exception) -> str:
    """Why a text has no scores; only an engine's own sentences are repeated, since others may quote the text."""
    if isinstance(error, EngineError):
        return str(error)
    return f"The engine failed on this text ({type(error).__name__})."
