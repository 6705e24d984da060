"""What a source of labelled texts offers before they are read, what it gives when they are, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backend.engines.protocol import Item
from backend.paper.task import SPLITS
from labelstudio_config.codebook import Question

Row = tuple[Item, frozenset[str]]  # texts, label ids


class SourceError(Exception):
    """Labelled texts cannot be had from there; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Caps:
    """At most so many texts of a task in each split, drawn by the seed; None for all.

    The validation part of a task that comes without one is taken out of its `train` texts.
    """

    train: int | None = None
    validation: int | None = None
    test: int | None = None

    def of(self, split: str) -> int | None:
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]


def silent(sentence: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class How:
    """How sources are read. `plain`: labels that a source is known to have the wrong way round are turned round.

    `say` is told, a sentence each, what belongs to no single task.
    """

    seed: int = 0
    caps: Caps = Caps()
    plain: bool = True
    say: Callable[[str], None] = silent


@dataclass(frozen=True, slots=True)
class Offer:
    """A task that a source has. `called`: other names that a person may choose it by. `key` is the source's own."""

    name: str
    question: Question
    called: tuple[str, ...] = ()
    key: str = ""


@dataclass(slots=True)
class Gathered:
    """A task's texts as its source gave them, label by label mapped, before the splits are set apart."""

    name: str
    question: Question
    source: str
    licence: str
    rows: dict[str, list[Row]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    remarks: list[str] = field(default_factory=list)


def each(wanted: Sequence[Offer], read: Callable[[Offer], Gathered], how: How) -> list[Gathered]:
    """Each task of a data set that nobody here can mend: one that cannot be used is said, unless none else can."""
    found: list[Gathered] = []
    wrong: list[SourceError] = []
    for offer in wanted:
        try:
            found.append(read(offer))
        except SourceError as error:
            wrong.append(error)
    if wrong and not found:
        raise wrong[0]
    for one in wrong:
        how.say(f"Left out: {one}")
    return found


class Source(Protocol):
    """Somewhere labelled texts come from."""

    def offers(self) -> list[Offer]:
        """What it has; asks no network. SourceError when it has nothing."""
        ...

    def read(self, wanted: Sequence[Offer], how: How) -> list[Gathered]:
        """The texts of some of its offers, in their order. SourceError, EngineError, TableError."""
        ...
