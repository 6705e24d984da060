"""Labelled texts as a causal model is trained on them: the prompts that scoring uses, and the answers behind them."""

from __future__ import annotations

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
    """Lessons whose prompts all begin with the same tokens, `prefix`: the instruction. `cut` prompts were too long."""

    prefix: tuple[int, ...]
    lessons: tuple[Lesson, ...]
    cut: int = 0


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
    """Every lesson once, in batches of one course and of like lengths, in random order."""
    found = []
    for course in taught:
        order = generator.permutation(len(course.lessons))
        for start in range(0, len(order), MIXED * size):  # neighbours in length, of a part that chance has drawn
            part = sorted(order[start : start + MIXED * size], key=lambda n: len(course.lessons[n]))
            for first in range(0, len(part), size):
                lessons = tuple(course.lessons[n] for n in part[first : first + size])
                found.append(Batch(course.prefix, lessons))
    yield from (found[n] for n in generator.permutation(len(found)))


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
