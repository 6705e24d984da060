"""Labelled texts as a causal model is trained on them: the prompts that scoring uses, and the answers behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.engines.prompts import Ask, Wording, asks
from backend.engines.protocol import Item
from backend.engines.tokens import Tokens
from labelstudio_config.codebook import Kind, Question

Array = NDArray[np.float64]
MIXED = 16  # batches whose lessons are drawn together, and then put in order of length


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be answered to one prompt.

    `prompt` are the tokens behind the lesson's prefix. `answers` are the right ones, as the tokens after the prompt,
    end token included, and `shares` how much of the probability each is to have, summing to one. `weight` is how much
    the lesson counts, 1 on average.
    """

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...] = (1.0,)
    weight: float = 1.0

    def __len__(self) -> int:
        return len(self.prompt) + max(map(len, self.answers))


@dataclass(frozen=True, slots=True)
class Course:
    """Lessons whose prompts all begin with the same tokens, `prefix`: the instruction. `cut` prompts were too long.

    An epoch draws `draws` of the lessons, others each time, and some several times where there are fewer; by default
    it takes each once.
    """

    prefix: tuple[int, ...]
    lessons: tuple[Lesson, ...]
    cut: int = 0
    draws: int | None = None

    @property
    def drawn(self) -> int:
        """Lessons of an epoch."""
        return len(self.lessons) if self.draws is None else self.draws


@dataclass(frozen=True, slots=True)
class Batch:
    """Lessons that are learned together, all of one course."""

    prefix: tuple[int, ...]
    lessons: tuple[Lesson, ...]


def goals(question: Question, shares: Array) -> tuple[Array, ...]:
    """What is to be answered to each thing asked, of the labels' shares [n, K] (zeros and ones, or those of coders).

    One array [n, K]; where any number of labels may apply, one [n, 2] for each label: its share, and that of the rest.
    """
    if question.kind is not Kind.MULTIPLE:
        return (shares,)
    return tuple(np.stack([column, 1.0 - column], axis=1) for column in shares.T)  # yes, no


def courses(
    tokens: Tokens,
    question: Question,
    wording: Wording,
    items: Sequence[Item],
    taught: Sequence[Array],
    *,
    weights: Sequence[Array] | None = None,
    shots: int = 0,
) -> tuple[Course, ...]:
    """The lessons that labels teach, a course for each of `goals`, a lesson for each item and in the items' order.

    `weights` [n] for each of the goals; without them all lessons count the same.
    """
    even = [np.ones(len(items)) for _ in taught]
    parts = zip(asks(question, wording, shots), taught, weights or even, strict=True)
    return tuple(_course(tokens, ask, items, goal, weight) for ask, goal, weight in parts)


def batches(taught: Sequence[Course], size: int, generator: np.random.Generator) -> Iterator[Batch]:
    """The lessons of an epoch, in batches of one course and of like lengths, in random order."""
    found = []
    for course in taught:
        order = _order(course, generator)
        for start in range(0, len(order), MIXED * size):  # neighbours in length, of a part that chance has drawn
            part = sorted(order[start : start + MIXED * size], key=lambda n: len(course.lessons[n]))
            for first in range(0, len(part), size):
                lessons = tuple(course.lessons[n] for n in part[first : first + size])
                found.append(Batch(course.prefix, lessons))
    yield from (found[n] for n in generator.permutation(len(found)))


def steps(
    taught: Sequence[Course], size: int, together: int, generator: np.random.Generator
) -> Iterator[tuple[Batch, ...]]:
    """The lessons of an epoch in steps of `size`, which hold `together` of a course and then some of another.

    With as many together as a step holds it is of one course; with one it is drawn over all. A step's lessons of one
    course are one batch.
    """
    parts = list(batches(taught, together, generator))
    several = _several(size, together)
    yield from (_joined(parts[start : start + several]) for start in range(0, len(parts), several))


def count(taught: Sequence[Course], size: int, together: int) -> int:
    """The number of `steps`."""
    return math.ceil(sum(math.ceil(course.drawn / together) for course in taught) / _several(size, together))


def share(step: Sequence[Batch], rank: int, of: int) -> tuple[Batch, ...]:
    """What the process of this rank takes of a step: about as many tokens as each of the others."""
    if of == 1:
        return tuple(step)
    lengths = np.array([len(lesson) for batch in step for lesson in batch.lessons])
    owner = ((np.cumsum(lengths) - lengths / 2) * of / lengths.sum()).astype(int)
    mine, start = [], 0
    for batch in step:
        places = np.flatnonzero(owner[start : start + len(batch.lessons)] == rank)
        start += len(batch.lessons)
        if len(places):
            mine.append(Batch(batch.prefix, tuple(batch.lessons[n] for n in places)))
    return tuple(mine)


def _order(course: Course, generator: np.random.Generator) -> list[int]:
    """Places of the lessons of an epoch, each as often as another or once more."""
    left, order = course.drawn, []
    while left > 0:
        some = generator.permutation(len(course.lessons))[:left]
        order += some.tolist()
        left -= len(some)
    return order


def _several(size: int, together: int) -> int:
    return max(1, size // together)


def _joined(parts: Sequence[Batch]) -> tuple[Batch, ...]:
    """Batches of the same instruction as one, the shortest lessons first."""
    if len(parts) == 1:
        return (parts[0],)
    found: dict[tuple[int, ...], list[Lesson]] = {}
    for part in parts:
        found.setdefault(part.prefix, []).extend(part.lessons)
    return tuple(Batch(prefix, tuple(sorted(lessons, key=len))) for prefix, lessons in found.items())


def _course(tokens: Tokens, ask: Ask, items: Sequence[Item], goal: Array, weights: Array) -> Course:
    seams = tokens.seams(ask)
    encoded = tokens.encode(ask, seams, items)
    prompts = encoded.ids
    shared = min([len(seams.prefix), *(len(ids) - 1 for ids in prompts)])  # a token of the prompt is left to each
    lessons = []
    for ids, row, weight in zip(prompts, goal, weights, strict=True):
        right = np.flatnonzero(row > 0)
        answers = tuple(seams.answers[k] for k in right)
        lessons.append(Lesson(tuple(ids[shared:]), answers, tuple(map(float, row[right])), float(weight)))
    return Course(seams.prefix[:shared], tuple(lessons), int(np.count_nonzero(encoded.cut)))
