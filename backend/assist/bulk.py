"""Scoring many texts in the background: what is in the store already is passed over, so a run can be broken off and
resumed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.assist.asked import Asked, Values, asked
from backend.assist.catalogue import ProjectState
from backend.assist.scoring import score
from backend.engines.protocol import Engine
from db import predictions
from db.store import Store, chunks
from db.texts import bodies

CHUNK = 512  # texts scored between two writes
LOOK = 4096  # texts looked up, and sorted by length, at once

PredictionRow = tuple[int, int, Values, int]  # text, question, log-probabilities, tokens cut off
Progress = Callable[[int, int], None]  # texts done, texts in all


@dataclass(slots=True)
class Counts:
    """What became of the texts so far: scored now, scored before, without words (erased or empty), failed.

    `problem` says why the last that failed did.
    """

    scored: int = 0
    known: int = 0
    empty: int = 0
    failed: int = 0
    problem: str = ""

    @property
    def done(self) -> int:
        return self.scored + self.known + self.empty + self.failed


@dataclass(frozen=True, slots=True)
class _Todo:
    """A text, its words, and the questions that it has no score on."""

    text_id: int
    fields: tuple[str, ...]
    questions: tuple[Asked, ...]


def score_missing(
    store: Store,
    engine: Engine,
    state: ProjectState,
    text_ids: Iterable[int],
    *,
    progress: Progress = lambda done, total: None,
) -> Iterator[Counts]:
    """Score the texts on every question of the project's codebook that the engine answers and that has no score yet.

    Stores after every `CHUNK` texts, and then gives the counts so far. A text that the engine fails on is left for the
    next run. Texts of the audit may be scored: a score in the store is shown to nobody.
    """
    ids = list(dict.fromkeys(text_ids))
    questions = asked(engine, state.codebook, state.question_ids)
    counts = Counts()
    for part in chunks(ids, LOOK):
        todo = sorted(_todo(store, state, questions, part, counts), key=lambda one: sum(map(len, one.fields)))
        for batch in [*chunks(todo, CHUNK)] or [[]]:
            rows = list(_scored(engine, state, batch, counts))
            store.write_in_chunks(rows, lambda s, part: predictions.store(s, state.scorer_id, part))
            progress(counts.done, len(ids))
            yield counts


def _todo(
    store: Store, state: ProjectState, questions: Sequence[Asked], ids: Sequence[int], counts: Counts
) -> Iterator[_Todo]:
    """The texts that lack a score; the others are counted."""
    with store.reading() as s:
        there = predictions.lookup(s, state.scorer_id, [one.question_id for one in questions], ids)
        words = bodies(s, [i for i in ids if not all((i, one.question_id) in there for one in questions)])
    for i in ids:
        lacking = [one for one in questions if (i, one.question_id) not in there]
        readable = tuple(one for one in lacking if i in words and one.item(words[i]) is not None)
        if readable:
            yield _Todo(i, words[i], readable)
        elif lacking == list(questions) and questions:
            counts.empty += 1
        else:
            counts.known += 1


def _scored(engine: Engine, state: ProjectState, batch: Sequence[_Todo], counts: Counts) -> Iterator[PredictionRow]:
    """Score one batch and count it; what is to be stored."""
    same: Mapping[tuple[int, ...], list[_Todo]] = defaultdict(list)
    for todo in batch:
        same[tuple(one.question_id for one in todo.questions)].append(todo)
    for group in same.values():
        outcomes = score(engine, group[0].questions, [todo.fields for todo in group], state.adapter)
        for todo, outcome in zip(group, outcomes, strict=True):
            counts.scored += not outcome.problem
            counts.failed += bool(outcome.problem)
            counts.problem = outcome.problem or counts.problem
            for question_id, (values, cut) in outcome.scores.items():
                yield todo.text_id, question_id, values, cut
