"""Work texts in the order in which Label Studio's next task serves them to several coders, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from scripts.order.corpus import Corpus, Ints
from scripts.order.served import QueueError

CODERS = 3  # take turns, each with a task in hand
EVERY = 1_000_000  # work texts of a round


class Desk(Protocol):
    """What hands tasks out: `Queue`, or a server."""

    def open(self, title: str, tasks: int, labels: tuple[str, ...]) -> None: ...
    def order(self, version: str, scores: Mapping[int, float]) -> None: ...
    def next(self, coder: int) -> int | None: ...
    def answer(self, coder: int, task: int, label: str) -> None: ...
    def coded(self, coder: int, labels: Mapping[int, str]) -> None: ...


class Serving:
    """A project of the corpus's control and work texts; coders give the true label.

    Of each round Label Studio hands out the control texts and `most` work texts; where there are more, they are taken
    in the order of the scores, and Label Studio is told of their labels. `unsorted` counts the places at which it
    served a text with another score than was next.
    """

    def __init__(self, queue: Desk, corpus: Corpus, labels: tuple[str, ...], title: str, most: int = EVERY) -> None:
        self.queue, self.corpus, self.labels, self.most = queue, corpus, labels, most
        self._control = {text for text, _ in corpus.control}
        self._tasks = np.sort(np.array([*self._control, *corpus.work], dtype=np.int64))  # in the order of the table
        self._place = {int(text): n for n, text in enumerate(self._tasks)}
        self._left = set(self._place)
        self._turn = 0
        self.work: list[int] = []
        self.served = self.unsorted = 0
        queue.open(title, len(self._tasks), labels)

    def upto(self, labels: int, version: str, scores: Mapping[int, float]) -> Ints:
        """Push the scores, and have texts coded until so many work texts are; these, in the order served."""
        self.queue.order(version, {self._place[text]: score for text, score in scores.items()})
        wanted = sorted(self._left, key=lambda text: (scores[text], text))
        served = self._handed_out(min(labels, len(self.work) + self.most))
        self.served += len(served)
        self.unsorted += sum(scores[one] != scores[other] for one, other in zip(served, wanted, strict=False))
        rest = [text for text in wanted if text in self._left][: labels - len(self.work)]
        if rest:
            self.queue.coded(1, {self._place[text]: self._label(text) for text in rest})
        self.work += rest
        self._left -= set(rest)
        return np.array(self.work, dtype=np.int64)

    def _handed_out(self, labels: int) -> list[int]:
        """Texts in the order of Label Studio's next tasks, all of them coded in the end."""
        held: dict[int, int] = {}
        served: list[int] = []
        while len(self.work) < labels:
            coder = 1 + self._turn % CODERS
            self._turn += 1
            if coder in held:
                self._answer(coder, held.pop(coder))
            task = self.queue.next(coder)
            if task is None:
                raise QueueError(f"Label Studio has no task left after {len(self.work)} of {labels} work texts.")
            held[coder] = text = int(self._tasks[task])
            served.append(text)
            if text not in self._control:
                self.work.append(text)
        for coder, text in held.items():
            self._answer(coder, text)
        self._left -= set(served)
        return served

    def _answer(self, coder: int, text: int) -> None:
        self.queue.answer(coder, self._place[text], self._label(text))

    def _label(self, text: int) -> str:
        return self.labels[self.corpus.truth[text]]
