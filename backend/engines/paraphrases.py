"""A few fixed ways to ask what a codebook asks, to see how far a model's answers hang on how it is asked.

The wording of a prompt can move accuracy and F1 by more than ten points (Mu et al. 2024, Navigating prompt complexity
for zero-shot classification, LREC-COLING), so a figure from one wording says little of another. The ways are always the
same ones; choosing among them by their results would be choosing on the test set. All have the base's words for the
labels, and all are written from the codebook, even where the base asks in others' words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from backend.engines.causal import CausalEngine
from backend.engines.prompts import Wording
from backend.engines.protocol import Engine, EngineError
from backend.engines.remote import RemoteEngine
from labelstudio_config.codebook import Kind, Question

Words = tuple[str, ...]
VERSION = "paraphrases v1"


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """One of the ways to ask; the words for labels are the base's."""

    base: Wording
    name: str  # one of WAYS

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{VERSION} {self.name} {self.base.digest}".encode()).hexdigest()

    def instruction(self, question: Question) -> str:
        return WAYS[self.name](question, self.words(question))

    def words(self, question: Question) -> Words:
        return self.base.words(question)


def paraphrases(base: Wording) -> tuple[Wording, ...]:
    """The base itself, and behind it the five ways in the order of `WAYS`.

    Where a codebook defines no label, "without definitions" asks what the base asks.
    """
    return (base, *(Paraphrase(base, name) for name in WAYS))


def rephrased(engine: Engine, wording: Wording) -> Engine:
    """The engine with the same weights in memory, asking in another wording. `EngineError` when it asks in none."""
    if isinstance(engine, CausalEngine | RemoteEngine):
        return engine.worded(wording)
    raise EngineError(
        f"The {engine.identity.engine} engine has no prompt, so it cannot be asked in other words. Choose a language "
        "model: --engine causal or remote."
    )


def _as_a_question(question: Question, words: Words) -> str:
    """The question that coders read, in place of the instruction."""
    asked = question.wording.strip() or f"Which of the answers below is right? {question.asked.strip()}"
    return "\n".join([asked, *_defined(question, words), _answers(question, words)])


def _in_reverse(question: Question, words: Words) -> str:
    """Labels and definitions from the last to the first."""
    back = words[::-1]
    return "\n".join([question.asked.strip(), *_defined(question, words)[::-1], _answers(question, back, reverse=True)])


def _without_definitions(question: Question, words: Words) -> str:
    return "\n".join([question.asked.strip(), _answers(question, words)])


def _answers_first(question: Question, words: Words) -> str:
    """What may be answered, then what is asked, then what the answers mean."""
    defined = _defined(question, words)
    meant = ["What the answers mean:", *defined] if defined else []
    first = f"Possible answers{_order(question)}: {', '.join(words)}."
    return "\n".join([first, question.asked.strip(), *meant, "Give the answer only."])


def _as_a_coder(question: Question, words: Words) -> str:
    """A differently phrased frame: codes of a study."""
    defined = [line.removeprefix("- ").replace(": ", " = ", 1) for line in _defined(question, words)]
    codes = ["The codes:", *defined] if defined else []
    first = f"You code texts for a study. {question.asked.strip()}"
    return "\n".join([first, *codes, f"Reply with exactly one code{_order(question)}: {'; '.join(words)}."])


def _defined(question: Question, words: Words) -> list[str]:
    pairs = zip(words, question.labels, strict=True)
    return [f"- {word}: {' '.join(label.hint.split())}" for word, label in pairs if label.hint]


def _answers(question: Question, words: Words, *, reverse: bool = False) -> str:
    return f"Answer with one of these{_order(question, reverse=reverse)}: {', '.join(words)}."


def _order(question: Question, *, reverse: bool = False) -> str:
    if question.kind is not Kind.ORDINAL:
        return ""
    return ", from the highest to the lowest" if reverse else ", from the lowest to the highest"


WAYS: dict[str, Callable[[Question, Words], str]] = {
    "as a question": _as_a_question,
    "labels in reverse": _in_reverse,
    "without definitions": _without_definitions,
    "answers first": _answers_first,
    "as a coder": _as_a_coder,
}
