"""Micro-batching: many callers put texts, one thread scores them, and is never idle while a text waits."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import accumulate
from pathlib import Path

from backend.assist.asked import Asked
from backend.assist.scoring import Outcome, score
from backend.engines.protocol import Engine

log = logging.getLogger(__name__)

MOST = 32  # texts a batch
FEW = 4  # up to here all that wait may be taken
SHARE = 0.7  # of more: while they are scored, those who got the last batch come back, so that the next one is full too
CHARACTERS = 32_768  # a batch, padding included, unless one text alone is longer
OVERHEAD = 140  # characters that are worked off in the time that a batch costs beside its texts (measured, encoder)
CANDIDATES = 4  # batches' worth of the most urgent texts, among which lengths may be matched
PACE = 0.01  # seconds a further text of the same request waits behind a request that comes later
CLOSING = 10.0  # seconds the last batch may take when the service ends


@dataclass(slots=True, eq=False)
class Job:
    """One text to score on some questions. `lot` names what may share a batch: the same scorer and project."""

    lot: Hashable
    questions: tuple[Asked, ...]
    fields: tuple[str, ...]
    adapter: Path | None
    position: int = 0  # in its request: the first text of a late request goes before the last of a long one
    due: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def length(self) -> int:
        return sum(map(len, self.fields))


class Batcher:
    """The inference thread. `done` is called there with each batch, every job holding its outcome."""

    def __init__(
        self, engine: Engine, done: Callable[[Sequence[Job]], None], load: Callable[[], None] | None = None
    ) -> None:
        """`load` is run first in the inference thread; jobs wait for it."""
        self._engine, self._done, self._load = engine, done, load
        self._waiting: list[Job] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self.loaded = False
        self.problem = ""  # why the engine could not be loaded

    def start(self) -> None:
        self._thread.start()

    def put(self, jobs: Sequence[Job]) -> None:
        """Have these scored; returns at once."""
        now = time.monotonic()
        for job in jobs:
            job.due = now + PACE * job.position
        with self._changed:
            self._waiting += jobs
            self._changed.notify()

    def close(self) -> None:
        """End after the batch in hand; what waits is dropped."""
        with self._changed:
            self._ended = True
            self._waiting = []
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSING)

    def _run(self) -> None:
        try:
            if self._load is not None:
                self._load()
            self.loaded = True
        except Exception as error:  # whatever a model's loading does, the service answers
            self.problem = (
                f"The engine could not be loaded ({type(error).__name__}). Look at the server's log, and restart it."
            )
            log.exception("The engine could not be loaded")
        while batch := self._take():
            self._score(batch)

    def _take(self) -> list[Job]:
        """The next batch, waiting for one; empty when the service ends."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            batch = chosen(self._waiting)
            taken = set(batch)
            self._waiting = [job for job in self._waiting if job not in taken]
            return batch

    def _score(self, batch: list[Job]) -> None:
        if self.problem:
            for job in batch:
                job.outcome.problem = self.problem
        else:
            for same in _by_questions(batch):
                outcomes = score(self._engine, same[0].questions, [job.fields for job in same], same[0].adapter)
                for job, outcome in zip(same, outcomes, strict=True):
                    job.outcome = outcome
        self._done(batch)


def chosen(waiting: Sequence[Job]) -> list[Job]:
    """The jobs to score next, sorted by length: the most urgent one, and of the next most urgent of its lot its
    neighbours in length.
    """
    if not waiting:
        return []
    first = min(waiting, key=_urgency)
    same = [job for job in waiting if job.lot == first.lot]
    most = max(min(len(same), FEW), min(MOST, math.ceil(SHARE * len(same))))
    near = sorted(nsmallest(CANDIDATES * most, same, key=_urgency), key=lambda job: job.length)
    start, stop = _window([job.length for job in near], near.index(first), most)
    return near[start:stop]


def _window(lengths: Sequence[int], at: int, most: int) -> tuple[int, int]:
    """Of the runs of at most `most` that hold the place `at`, the one that works off the most characters in its time:
    that of all its texts at the length of the longest, and the batch's own.
    """
    sums = [0, *accumulate(lengths)]
    best, fastest = (at, at + 1), 0.0
    for number in range(1, most + 1):
        for start in range(max(0, at - number + 1), min(at, len(lengths) - number) + 1):
            stop = start + number
            padded = number * lengths[stop - 1]
            rate = (sums[stop] - sums[start]) / (OVERHEAD + padded)
            if rate > fastest and (padded <= CHARACTERS or number == 1):
                best, fastest = (start, stop), rate
    return best


def _urgency(job: Job) -> float:
    return job.due


def _by_questions(batch: Sequence[Job]) -> list[list[Job]]:
    """The jobs that are asked the same questions, together: most often all of them."""
    groups: dict[tuple[int, ...], list[Job]] = {}
    for job in batch:
        groups.setdefault(tuple(one.question_id for one in job.questions), []).append(job)
    return list(groups.values())
