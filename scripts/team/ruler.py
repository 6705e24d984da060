"""What is served, measured with the truth: macro F1 of the current release, scored here and not by the server."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from backend.assist.catalogue import Catalogue
from backend.engines.bundle import part
from backend.engines.encoder import EncoderEngine
from db.store import Store
from scripts.bench.coding_tasks import Row, Task
from scripts.bench_accuracy import scored

Texts = Sequence[tuple[str, ...]]


class Ruler:
    """One encoder for all projects, which threads share by turns."""

    def __init__(self, store: Store, engine: EncoderEngine) -> None:
        self._catalogue = Catalogue(store, engine.identity)
        self._engine, self._lock = engine, threading.Lock()

    def labels(self, key: str, texts: Texts) -> list[str]:
        """The label id that the project's current release gives each of the texts."""
        state = self._catalogue.state(key)
        (question,) = state.codebook.questions
        question = state.codebook.standalone(question)
        with self._lock:
            scores = self._engine.score(question, texts, part(state.adapter, question.id))
        return [question.label_ids[k] for k in scores.log_probabilities.argmax(axis=1)]


def macro_f1(task: Task, truth: Sequence[str], guess: Sequence[str]) -> float:
    """Macro F1 over the question's labels, 0 to 1; 0 for a label that is never right."""
    rows: list[Row] = [((), label) for label in truth]
    return scored(replace(task, test=tuple(rows)), guess)
