"""Answers written as the regions of a Label Studio prediction, and read from those of an annotation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from labelstudio_config import beside
from labelstudio_config.codebook import Codebook, Kind, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.values import Answer, UnreadableError, answer_of, value_of

__all__ = ["ORIGINS", "Answer", "ReadAnswer", "Region", "read_regions", "regions"]

Region = dict[str, Any]
ORIGINS = ("manual", "prediction", "prediction-changed")  # set by the coder, by the model, by the coder over the model
_READ = {"choices", "rating", "number", "pairwise", "textarea"}


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What an annotation says.

    `values` holds the answers by question id; a question with no readable answer is not in it. `origins` says by
    question id what Label Studio says of an answer's origin (one of `ORIGINS`). `unticked` are the multiple-choice
    questions without a region: Label Studio does not tell "none applies" from "not answered". `notes` holds free text
    by name. `problems` are sentences that quote no text.
    """

    values: dict[str, Answer] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    unticked: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def regions(codebook: Codebook, suggestions: Iterable[Answer]) -> list[Region]:
    """The regions of a prediction, one for each suggestion that ticks, rates or selects something.

    A number is moved to the nearest one that the question allows. Raises CodebookError where a suggestion is no answer
    to a question of the codebook, or a question has two of them.
    """
    made: dict[str, Region] = {}
    for answer in suggestions:
        question = next((q for q in codebook.questions if q.id == answer.question_id), None)
        if question is None:
            raise CodebookError(f"The codebook '{codebook.key}' has no question '{answer.question_id}' to suggest for.")
        if question.id in made:
            raise CodebookError(f"There are two suggestions for the question '{question.id}': make one of them.")
        value = value_of(question, answer)
        if value is not None:
            made[question.id] = _region(question, value, answer.score)
    return list(made.values())


def read_regions(codebook: Codebook, result: object) -> ReadAnswer:
    """What the `result` of an annotation says; it never raises, whatever it is given.

    Marked passages, relations and suggestions in words are passed over. What cannot be read as an answer is told in
    `problems`, and its question has no value.
    """
    reader = _Reader(codebook)
    if isinstance(result, list | tuple):
        for region in result:
            reader.read(region)
    else:
        reader.problems.append("The annotation's result is not a list of regions.")
    return reader.answer()


def _region(question: Question, value: dict[str, Any], score: float | None) -> Region:
    """A region whose id is the question's own, so it is the same in every prediction and unique within one."""
    region: Region = {
        "id": f"q-{question.id}",
        "from_name": question.name,
        "to_name": question.to_name,
        "type": question.control.value.lower(),
        "value": value,
    }
    if score is not None:
        if not 0 <= score <= 1:
            raise CodebookError(f"The score of a suggestion for the question '{question.id}' is not between 0 and 1.")
        region["score"] = float(score)
    return region


class _Reader:
    """Reads region after region."""

    def __init__(self, codebook: Codebook) -> None:
        self.questions = {q.name: q for q in codebook.questions}
        self.note_names = {note.name for note in codebook.notes}
        self.seen: set[str] = set()
        self.values: dict[str, Answer] = {}
        self.origins: dict[str, str] = {}
        self.notes: dict[str, list[str]] = {}
        self.problems: list[str] = []

    def answer(self) -> ReadAnswer:
        multiple = (q.id for q in self.questions.values() if q.kind is Kind.MULTIPLE)
        return ReadAnswer(
            values=self.values,
            origins={key: origin for key, origin in self.origins.items() if key in self.values},
            unticked=tuple(key for key in multiple if key not in self.seen),
            notes={name: "\n".join(texts) for name, texts in self.notes.items()},
            problems=tuple(self.problems),
        )

    def read(self, region: object) -> None:
        kind = region.get("type") if isinstance(region, dict) else None
        if not isinstance(region, dict) or not isinstance(kind, str):
            self.problems.append("A region of the annotation has no type.")
            return
        value = region.get("value")
        if kind not in _READ or (isinstance(value, dict) and "start" in value):
            return  # a marked passage, what is said of one, or a relation
        if not isinstance(value, dict):
            self.problems.append(f"A region of type {kind} has no value.")
            return
        name = region.get("from_name")
        question = self.questions.get(name) if isinstance(name, str) else None
        if question is not None:
            self._question(question, kind, value, region.get("origin"))
        elif isinstance(name, str) and name in self.note_names and kind == "textarea":
            self._note(name, value.get("text"))
        elif not beside.is_area(region):
            self.problems.append(
                f"A region of type {kind} belongs to no question or note of the codebook{_named(name)}."
            )

    def _question(self, question: Question, kind: str, value: Region, origin: object) -> None:
        try:
            if question.id in self.seen:
                raise UnreadableError("is answered twice")
            self.seen.add(question.id)
            if kind != question.control.value.lower():
                raise UnreadableError(f"is answered with {kind}, but asked with {question.control}")
            answer = answer_of(question, value)
        except UnreadableError as error:
            self.values.pop(question.id, None)
            self.problems.append(f"The question '{question.id}' {error}.")
            return
        if answer is not None:
            self.values[question.id] = answer
            if origin in ORIGINS:
                self.origins[question.id] = str(origin)

    def _note(self, name: str, text: object) -> None:
        texts = [text] if isinstance(text, str) else text
        if isinstance(texts, list) and all(isinstance(x, str) for x in texts):
            self.notes.setdefault(name, []).extend(texts)
        else:
            self.problems.append(f"The note '{name}' is not text.")


def _named(name: object) -> str:
    return f" ('{name[:60]}')" if isinstance(name, str) and name else ""
