"""Which questions a scorer of label sets can answer, and whether texts and examples fit the question."""

from __future__ import annotations

from collections.abc import Sequence

from backend.engines.protocol import FAMILY, EngineError, Family, Item
from labelstudio_config.codebook import Question


def why_not(question: Question) -> str | None:
    """None when the question is answered with labels, else the reason in a sentence."""
    if question.kind not in FAMILY:
        return f"The question '{question.name}' asks for a {question.kind.value}, which has no labels to score."
    return None


def checked(question: Question, items: Sequence[Item], shown: Sequence[str] | None = None) -> Family:
    """The family of the question's scores; EngineError when it has none, an item has not one text per field, or there
    are examples for another number of items.
    """
    reason = why_not(question)
    if reason:
        raise EngineError(reason)
    fields = len(question.fields)
    for position, item in enumerate(items):
        if len(item) != fields:
            raise EngineError(
                f"Item {position} has {len(item)} texts, but the question '{question.name}' is about {fields}: "
                f"{', '.join(f.name for f in question.fields)}."
            )
    if shown is not None and len(shown) != len(items):
        raise EngineError(
            f"There are {len(items)} items, but examples for {len(shown)}. Give one string for each item."
        )
    return FAMILY[question.kind]


def no_examples(engine: str, shown: Sequence[str] | None) -> None:
    """EngineError when examples are given to an engine that reads none."""
    if shown is not None:
        raise EngineError(
            f"The {engine} engine has no prompt, so it reads no examples. Score without them, or choose a language "
            "model: --engine causal or remote."
        )
