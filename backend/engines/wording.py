"""Whose words a causal model is asked in: ours, from the codebook, or those its authors tuned SOCIALITE-LLAMA with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from backend.engines import instructions
from backend.engines.instructions import Instructions
from backend.engines.prompts import Ours, Wording
from labelstudio_config import library
from labelstudio_config.codebook import Question


class Authors:
    """The authors' instruction for a question of one of their tasks; ours for any other, or with other labels."""

    def __init__(self, found: Instructions, *, verbalised: bool) -> None:
        self._of, self._ours = found.of, Ours(verbalised=verbalised)
        kept = json.dumps([found.revision, sorted(found.of.items()), self._ours.digest])
        self._digest = hashlib.sha256(f"authors v1 {kept}".encode()).hexdigest()

    @property
    def digest(self) -> str:
        return self._digest

    def instruction(self, question: Question) -> str:
        return self._of[question.provenance.task] if self.has(question) else self._ours.instruction(question)

    def words(self, question: Question) -> tuple[str, ...]:
        return self._ours.words(question)

    def has(self, question: Question) -> bool:
        """Whether the authors have an instruction for this question: their task, with the labels it has."""
        task = question.provenance.task
        return task in self._of and labels_of_tasks().get(task) == question.label_ids


def wording(source: str, *, verbalised: bool) -> Wording:
    """The wording 'ours' or 'authors'; `EngineError` where the authors' is not on this machine."""
    return Authors(instructions.read(), verbalised=verbalised) if source == "authors" else Ours(verbalised=verbalised)


def remarks(used: Wording, questions: Iterable[Question]) -> list[str]:
    """A sentence for each question that is asked in our words although the authors' were wanted."""
    if not isinstance(used, Authors):
        return []
    return [
        f"The authors have no instruction for the question '{question.name}': it is asked in the codebook's words."
        for question in questions
        if not used.has(question)
    ]


@lru_cache(maxsize=1)
def labels_of_tasks() -> Mapping[str, tuple[str, ...]]:
    """SOCIALITE task -> label ids, of the codebooks that come with the product."""
    books = [library.load(name) for name in library.names()]
    questions = [book.standalone(question) for book in books for question in book.questions]
    return {question.provenance.task: question.label_ids for question in questions if question.provenance.task}
