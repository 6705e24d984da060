"""Work texts in the order in which Label Studio's next task serves them to several coders, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from scripts.order.corpus import Corpus, Ints
from scripts.order.served import Queue, QueueError

CODERS = 3  # take turns, each with a task in hand


class Serving:
    """A project of the corpus's control and work texts; coders give the true label.

    `unsorted` counts texts that were served before one with a lower score, in the same round.
    """

    def __init__(self, queue: Queue, corpus: Corpus, labels: tuple[str, ...], title: str) -> None:
        self.queue, self.corpus, self.labels = queue, corpus, labels
        self._control = {text for text, _ in corpus.control}
        self._tasks = np.sort(np.array([*self._control, *corpus.work], dtype=np.int64))  # in the order of the table
        self._place = {int(text): n for n, text in enumerate(self._tasks)}
        self._turn = 0
        self.work: list[int] = []
        self.served = self.unsorted = 0
        queue.open(title, len(self._tasks), labels)

    def upto(self, labels: int, version: str, scores: Mapping[int, float]) -> Ints:
        """Push the scores, and have texts coded until so many work texts are; these, in the order served."""
        self.queue.order(version, {self._place[text]: score for text, score in scores.items()})
        held: dict[int, int] = {}
        order: list[float] = []
        while len(self.work) < labels:
            coder = 1 + self._turn % CODERS
            self._turn += 1
            if coder in held:
                self._answer(coder, held.pop(coder))
            task = self.queue.next(coder)
            if task is None:
                raise QueueError(f"Label Studio has no task left after {len(self.work)} of {labels} work texts.")
            held[coder] = text = int(self._tasks[task])
            order.append(scores[text])
            self.served += 1
            if text not in self._control:
                self.work.append(text)
        for coder, text in held.items():
            self._answer(coder, text)
        self.unsorted += sum(after < before for before, after in pairwise(order))
        return np.array(self.work, dtype=np.int64)

    def _answer(self, coder: int, text: int) -> None:
        self.queue.answer(coder, self._place[text], self.labels[self.corpus.truth[text]])
