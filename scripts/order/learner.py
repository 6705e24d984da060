"""The product's encoder and its head: what it says of a corpus and of the test texts, after so many labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.assist.order import margin, order_score
from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.head import Head, features
from backend.engines.protocol import Item
from backend.engines.zeroshot import log_probabilities
from backend.tuners.head import learn
from backend.tuners.targets import TrainingError, targets
from backend.tuners.validation import folds_of, tied
from scripts.bench.coding_tasks import Row, Task
from scripts.bench_accuracy import scored
from scripts.order.corpus import Corpus, Ints

Array = NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Said:
    """Log-probabilities [n, K] of the corpus's texts, and macro F1 on the test texts."""

    corpus: Array
    f1: float

    @property
    def labels(self) -> Ints:
        return np.asarray(self.corpus.argmax(axis=1))


class Learner:
    """One task's texts, embedded once."""

    def __init__(self, engine: EncoderEngine, task: Task, corpus: Corpus) -> None:
        self.task, self.corpus = task, corpus
        self._tests = [fields for fields, _ in task.test]
        self._prior = engine.prior(task.question, corpus.items)
        self._test_prior = engine.prior(task.question, self._tests)

    def untaught(self) -> Said:
        """Zero-shot, from the codebook."""
        said = [log_probabilities(prior.family, prior.scores) for prior in (self._prior, self._test_prior)]
        return Said(said[0], self._f1(said[1]))

    def taught(self, rows: Ints, seed: int) -> Said:
        """By the true labels of these texts; as before where they are all alike."""
        head = self._head(rows, seed)
        if head is None:
            return self.untaught()
        return Said(_said(head, self._prior, self.corpus.items), self._f1(_said(head, self._test_prior, self._tests)))

    def held_out(self, rows: Ints, seed: int) -> Ints:
        """Label numbers [n] of these texts by heads that were not taught them: each fold's by the others'."""
        given = self.corpus.truth[rows]
        found = np.empty(len(rows), dtype=np.int64)
        folds = folds_of(given, tied([self.corpus.items[i] for i in rows]), FOLDS, np.random.default_rng([53, seed]))
        for fold in range(FOLDS):
            out = folds == fold
            head = self._head(rows[~out], seed)
            part, items = self._prior.rows(rows[out]), [self.corpus.items[i] for i in rows[out]]
            said = log_probabilities(part.family, part.scores) if head is None else _said(head, part, items)
            found[out] = said.argmax(axis=1)
        return found

    def scores(self, said: Said) -> dict[int, float]:
        """The place in the order of every control and work text, by the product's own rule."""
        found = {text: order_score("control", rank, []) for text, rank in self.corpus.control}
        for text in self.corpus.work.tolist():
            found[text] = order_score("work", None, [margin(said.corpus[text], self._prior.family)])
        return found

    def _head(self, rows: Ints, seed: int) -> Head | None:
        items = [self.corpus.items[i] for i in rows]
        ids = self.task.question.label_ids
        try:
            goal = targets(self.task.question, items, [frozenset({ids[k]}) for k in self.corpus.truth[rows]])
        except TrainingError:
            return None
        return learn(self.task.question, self._prior.rows(rows), goal, items, tied(items), seed)[0]

    def _f1(self, said: Array) -> float:
        ids = self.task.question.label_ids
        return scored(self.task, [ids[k] for k in said.argmax(axis=1)])


def _said(head: Head, prior: Prior, items: Sequence[Item]) -> Array:
    return log_probabilities(prior.family, head.scores(prior.scores, features(prior.embeddings), items))


def cut(task: Task, tests: int) -> Task:
    """The task with at most so many test texts, drawn with a fixed seed."""
    rows: list[Row] = list(task.test)
    order = np.random.default_rng(51).permutation(len(rows))[:tests]
    return replace(task, test=tuple(rows[i] for i in order))
