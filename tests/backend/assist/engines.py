"""Engines that do what a test needs: score at once, wait, fail on some texts, or must not be asked at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.engines.protocol import FAMILY, EngineError, Family, Identity, Item, Scores
from labelstudio_config.codebook import Kind, Question

IDENTITY = Identity(engine="fake", base="fake-1", digest="d1", prompt="p1", dtype="float64", method="hash")


@dataclass
class FakeEngine:
    """Log-probabilities made from a hash of label and text. `asked` lists (question id, items) of every call that was
    answered.

    It raises on texts that hold a word of `poison`, and waits for `gate` to be open. One thread may call at a time.
    """

    identity: Identity = IDENTITY
    poison: tuple[str, ...] = ()
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, list[Item]]] = field(default_factory=list)
    adapters: set[Path | None] = field(default_factory=set)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    def load(self) -> None:
        """Nothing to load."""

    def why_not(self, question: Question) -> str | None:
        return "It asks for a number." if question.kind is Kind.NUMBER else None

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        return [None] * len(items)

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        assert self._busy.acquire(blocking=False), "two threads scored at once"
        try:
            self.entered.release()
            assert self.gate.wait(30)
            for item in items:
                for word in self.poison:
                    if word in " ".join(item):
                        raise ValueError(f"cannot score {item!r}")
            self.asked.append((question.id, list(items)))
            self.adapters.add(adapter)
            return scores(question, items)
        finally:
            self._busy.release()

    @property
    def texts(self) -> list[Item]:
        """Every item that was scored on the first question asked, in the order of scoring."""
        first = self.asked[0][0] if self.asked else ""
        return [item for question, items in self.asked if question == first for item in items]


@dataclass
class SilentEngine(FakeEngine):
    """The same engine, after a restart with everything in the store: to ask it is an error."""

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        self.asked.append((question.id, list(items)))
        raise EngineError("Everything is in the store already.")


def scores(question: Question, items: Sequence[Item]) -> Scores:
    """What a fake engine says of the items."""
    raw = np.array([[_number(label.id, item) for label in question.labels] for item in items])
    family = FAMILY[question.kind]
    if family is Family.BERNOULLI:
        values = np.log(raw)
    else:
        values = np.log(raw / raw.sum(axis=1, keepdims=True))
    return Scores(family, values, np.zeros(len(items), dtype=np.int64))


def _number(label: str, item: Item) -> float:
    """Above 0 and below 1."""
    digest = hashlib.sha256("\0".join((label, *item)).encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:4], "big") + 1) / (2**32 + 2)
