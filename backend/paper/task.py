"""A coding task with labelled texts: what models are compared on, and what they are tuned on."""

from __future__ import annotations

from dataclasses import dataclass

from backend.engines.protocol import Item
from labelstudio_config.codebook import Question

SPLITS = ("train", "validation", "test")
OWN = "own"  # tuning of a task that is none of the published ones


@dataclass(frozen=True, slots=True)
class Split:
    """n labelled texts: `items` one text a field of the question, `answers` label ids (one; any number of multiple
    choice)."""

    items: tuple[Item, ...] = ()
    answers: tuple[frozenset[str], ...] = ()

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Task:
    """One question with its labelled texts, `question` as `Codebook.standalone` gives it.

    `source` and `licence` are said to people, as are `remarks`, a sentence each on what was mapped or left out. A split
    may be empty.
    """

    name: str
    question: Question
    train: Split
    validation: Split
    test: Split
    source: str
    licence: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The family of a published task; empty for one of a person's own."""
        return self.question.provenance.family

    @property
    def tuning(self) -> str:
        """Whether the released weights saw the task in training: "seen", "related" (they did not), or "own"."""
        return self.question.provenance.tuning or OWN

    def split(self, name: str) -> Split:
        """The split of that name, one of `SPLITS`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]
