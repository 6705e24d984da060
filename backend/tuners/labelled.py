"""Labelled texts as a causal model is trained on them: the prompts that scoring uses, and the answers behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend.engines.prompts import Ask, Wording, asks
from backend.engines.protocol import Item
from backend.engines.tokens import Tokens
from labelstudio_config.codebook import Kind, Question

Targets = Sequence[Collection[int]]  # for each item the places of its labels in `Question.labels`


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be answered to one prompt: `prompt` are the tokens behind the lesson's `prefix`, `answer` those after
    them, end token included.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class Course:
    """Lessons whose prompts all begin with the same tokens, `prefix`: the instruction."""

    prefix: tuple[int, ...]
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Lessons that are learned in one step, all of one course."""

    prefix: tuple[int, ...]
    lessons: tuple[Lesson, ...]


def courses(
    tokens: Tokens, question: Question, wording: Wording, items: Sequence[Item], targets: Targets, shots: int = 0
) -> tuple[Course, ...]:
    """The lessons that these labels teach: one course, or where any number of labels may apply one for each label."""
    made = asks(question, wording, shots)
    if question.kind is not Kind.MULTIPLE:
        return (_course(tokens, made[0], items, [min(labels) for labels in targets]),)
    return tuple(
        _course(tokens, ask, items, [0 if place in labels else 1 for labels in targets])  # yes, no
        for place, ask in enumerate(made)
    )


def batches(taught: Sequence[Course], size: int, generator: np.random.Generator) -> Iterator[Batch]:
    """Every lesson once, in batches of one course and of like lengths, in random order."""
    found = []
    for course in taught:
        order = generator.permutation(len(course.lessons))
        for start in range(0, len(order), 16 * size):  # neighbours in length, of a part that chance has drawn
            part = sorted(order[start : start + 16 * size], key=lambda n: len(course.lessons[n]))
            for first in range(0, len(part), size):
                lessons = tuple(course.lessons[n] for n in part[first : first + size])
                found.append(Batch(course.prefix, lessons))
    yield from (found[n] for n in generator.permutation(len(found)))


def _course(tokens: Tokens, ask: Ask, items: Sequence[Item], answers: Sequence[int]) -> Course:
    seams = tokens.seams(ask)
    prompts = tokens.encode(ask, seams, items).ids
    shared = min([len(seams.prefix), *(len(ids) - 1 for ids in prompts)])  # a token of the prompt is left to each
    lessons = (Lesson(tuple(ids[shared:]), seams.answers[answer]) for ids, answer in zip(prompts, answers, strict=True))
    return Course(seams.prefix[:shared], tuple(lessons))
