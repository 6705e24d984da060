"""What a coding task is: a codebook, its questions and their labels.

The values here are immutable and know nothing of Label Studio, of a model or of a store. `labelstudio_config.xml` reads
and writes them as a Label Studio configuration, `labelstudio_config.library` as YAML. Making a value checks it; what is
wrong with it is told in a `CodebookError`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from labelstudio_config import rules
from labelstudio_config.hint import written


class Kind(StrEnum):
    """Level of measurement of a question's answer."""

    SINGLE = "single"  # nominal, one label
    MULTIPLE = "multiple"  # any number of labels, none included
    ORDINAL = "ordinal"  # one label, `Question.labels` in ascending order
    NUMBER = "number"  # interval, no labels


class Control(StrEnum):
    """The Label Studio tag a question is answered with."""

    CHOICES = "Choices"
    RATING = "Rating"
    NUMBER = "Number"
    PAIRWISE = "Pairwise"


@dataclass(frozen=True, slots=True)
class Label:
    """One answer a coder can give.

    `id` is stable across revisions (a renamed label keeps it), `code` is what is stored in an annotation, `wording` is
    what a coder reads. `include` and `exclude` are the rules of borderline cases: what belongs to the label although
    one may doubt it, and what does not.
    """

    id: str
    code: str
    wording: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    include: str = ""
    exclude: str = ""

    def __post_init__(self) -> None:
        rules.check_id(f"the label '{self.code or self.wording}'", self.id)
        what = f"The label '{self.id}'"
        rules.check_given(what, code=self.code, wording=self.wording)
        rules.check_writable(what, self.definition, self.include, self.exclude, *self.examples)

    @property
    def hint(self) -> str:
        """Definition and rules in one text, as coders and language models read them."""
        return written(self.definition, self.include, self.exclude)

    @property
    def described(self) -> str:
        """What texts of this label are like. Without `exclude`, which misleads a model that only compares words."""
        return "\n".join(part for part in (self.definition, self.include) if part)


@dataclass(frozen=True, slots=True)
class Field:
    """One input text: its Label Studio tag's `name`, the task's `column` it is read from, and what the model calls it.

    `markup` says that the column holds HTML (Label Studio's HyperText), not plain text.
    """

    name: str
    column: str
    title: str = ""
    markup: bool = False

    def __post_init__(self) -> None:
        rules.check_name("the text", self.name)
        rules.check_given(f"The text '{self.name}'", column=self.column)
        rules.check_writable(f"The text '{self.name}'", self.title)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a published coding task comes from, and what its label does not measure."""

    task: str = ""  # SOCIALITE task name
    socket: str = ""  # SocKET task name
    family: str = ""
    tuning: str = ""  # "seen" in the tuning of the released SOCIALITE weights, or only "related" to what was
    dataset: str = ""
    paper: str = ""
    licence: str = ""
    not_measured: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a text, or about a named pair of texts.

    `name` is the Label Studio control's name; `id` is stable across revisions. `fields` holds the one or two texts the
    question is about; Label Studio's `toName` is the first of them, unless `target` names another. `minimum`, `maximum`
    and `step` belong to numbers. `verbalisers` are the words that the released SOCIALITE weights, and what was tuned
    from them, say for labels instead of their wordings; every other scorer ignores them.
    """

    id: str
    name: str
    kind: Kind
    control: Control
    fields: tuple[Field, ...]
    labels: tuple[Label, ...] = ()
    wording: str = ""
    instruction: str = ""
    required: bool = False
    target: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    verbalisers: tuple[tuple[str, str], ...] = ()  # (label id, word)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        rules.check_question(self)

    @property
    def to_name(self) -> str:
        """Name of the Label Studio object tag the answer is attached to."""
        return self.target or self.fields[0].name

    @property
    def label_ids(self) -> tuple[str, ...]:
        return tuple(label.id for label in self.labels)

    @property
    def asked(self) -> str:
        """What a model is asked: the instruction, else the wording coders read, else the control's name in words."""
        return self.instruction or self.wording or self.name.replace("_", " ").replace("-", " ").strip()


@dataclass(frozen=True, slots=True)
class Note:
    """A free-text box (TextArea): kept with the answer, never scored or counted."""

    name: str
    target: str
    wording: str = ""

    def __post_init__(self) -> None:
        rules.check_name("the note", self.name)
        rules.check_writable(f"The note '{self.name}'", self.wording)


@dataclass(frozen=True, slots=True)
class Codebook:
    """A coding task: instruction, one text or a named pair of texts, and questions."""

    key: str
    title: str
    questions: tuple[Question, ...]
    instruction: str = ""
    notes: tuple[Note, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        rules.check_codebook(self)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The input texts of all questions, each once, in order of appearance."""
        return tuple(dict.fromkeys(f for q in self.questions for f in q.fields))

    def question(self, id_or_name: str) -> Question:
        """The question with this id, else with this Label Studio name; KeyError names those there are."""
        by_name = {q.name: q for q in self.questions}
        found = {**by_name, **{q.id: q for q in self.questions}}.get(id_or_name)
        if found is None:
            known = ", ".join(q.id for q in self.questions)
            raise KeyError(f"The codebook '{self.key}' has no question '{id_or_name}'; it has: {known}.")
        return found

    def standalone(self, question: Question) -> Question:
        """The question with what it takes from its codebook (instruction, provenance), for engines and reports."""
        given = question.provenance != Provenance()
        return replace(
            question,
            instruction=question.instruction or self.instruction,
            provenance=question.provenance if given else self.provenance,
        )

    @property
    def content_hash(self) -> str:
        """sha256 over everything in the codebook: it changes with any edit."""
        return _digest(_content(self))

    @property
    def scoring_hash(self) -> str:
        """sha256 over what a model sees: it changes only when stored log-probabilities no longer apply."""
        return _digest([_scored(self.standalone(q)) for q in self.questions])


def joined(key: str, title: str, codebooks: Iterable[Codebook]) -> Codebook:
    """One codebook that asks the questions of several; each question keeps its own instruction and provenance."""
    books = tuple(codebooks)
    questions = tuple(book.standalone(q) for book in books for q in book.questions)
    return Codebook(key=key, title=title, questions=questions, notes=tuple(n for b in books for n in b.notes))


def _content(codebook: Codebook) -> dict[str, Any]:
    """Everything; of labels without rules what they were before there were rules, so that revisions keep their hash."""
    content = asdict(codebook)
    for question in content["questions"]:
        for label in question["labels"]:
            for rule in ("include", "exclude"):
                if not label[rule]:
                    del label[rule]
    return content


def _scored(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "kind": question.kind,
        "instruction": question.asked,
        "fields": [[f.title or f.name, f.markup] for f in question.fields],
        "labels": [_scored_label(label) for label in question.labels],
        "range": [question.minimum, question.maximum, question.step],
        "verbalisers": question.verbalisers,
    }


def _scored_label(label: Label) -> list[Any]:
    rules = [label.include, label.exclude] if label.include or label.exclude else []
    return [label.id, label.wording, label.definition, list(label.examples), *rules]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
