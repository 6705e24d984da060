"""Labelled texts that a model is shown before it answers: from train, and never one that is scored, or nearly.

`random` examples are the same for all texts of a task; `Nearest` ones are chosen for each text by TF-IDF. Retrieval by
words is a strong choice for this (Rubin, Herzig & Berant 2022, NAACL), gives the same examples on every machine, and
takes seconds where an encoder takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.assist.near_duplicates import clusters
from backend.engines.protocol import Item
from backend.paper.task import Split, Task
from labelstudio_config.codebook import Question

Example = tuple[Item, frozenset[str]]
MOST = 20_000  # training texts that examples are chosen from
LONG = 1000  # characters of an example beyond which a shorter one with the label is taken, if there is one
ROUND = 256  # texts whose neighbours are looked for at once
WORD = r"\w+|[^\w\s]"  # as in `backend.learning.baseline`


class ExamplesError(Exception):
    """There is nothing to show."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Texts that may be shown, with their labels; `near` texts of train were left out, being nearly the scored ones."""

    items: tuple[Item, ...]
    answers: tuple[frozenset[str], ...]
    near: int

    def __getitem__(self, place: int) -> Example:
        return self.items[place], self.answers[place]


def pool(task: Task, scored: str, most: int = MOST) -> Pool:
    """What may be shown where the split `scored` is: at most `most` training texts, drawn at random.

    A text that is scored is never among them, nor a near-duplicate of one; of a pair each text counts. `ExamplesError`
    where train itself is scored, or nothing is left.
    """
    if scored == "train":
        raise ExamplesError("Examples are texts of train, so train cannot be scored with them. Score another split.")
    items, answers = task.train.items, task.train.answers
    if len(items) > most:
        drawn = np.sort(np.random.default_rng(0).permutation(len(items))[:most])
        items, answers = tuple(items[i] for i in drawn), tuple(answers[i] for i in drawn)
    near = _near(items, task.split(scored).items)
    apart = [i for i in range(len(items)) if i not in near and all(text.strip() for text in items[i])]
    if not apart:
        raise ExamplesError(
            f"The task '{task.name}' has no training text that is not nearly one of the {scored} split, so there are "
            "no examples to show. Score it with --shots 0."
        )
    return Pool(tuple(items[i] for i in apart), tuple(answers[i] for i in apart), len(near))


def _near(items: Sequence[Item], scored: Sequence[Item]) -> set[int]:
    """Which of the items have a text that nearly is one of a scored item."""
    held = [text for item in scored for text in item if text.strip()]
    fields = [(i, text) for i, item in enumerate(items) for text in item if text.strip()]
    roots = clusters({n: (text,) for n, text in enumerate([*held, *(text for _, text in fields)])})
    return {i for n, (i, _) in enumerate(fields, len(held)) if roots[n] < len(held)}


def random(question: Question, known: Pool, k: int, seed: int) -> list[Example]:
    """k examples, another draw for each seed, in random order; fewer where there are fewer texts.

    Labels take turns, so that each is shown as often as any other, as far as k and the texts allow; those of a smaller
    k are among those of a larger one. Texts without any label are a group of their own.
    """
    rng = np.random.default_rng([seed, len(known.items)])
    groups = [list(rng.permutation(_with(known, label))) for label in (*question.label_ids, None)]
    groups = [[int(i) for i in groups[place]] for place in rng.permutation(len(groups))]
    chosen = list(_turns(groups, k))
    order = np.random.default_rng([seed, len(chosen)]).permutation(len(chosen))
    return [known[chosen[place]] for place in order]


def _with(known: Pool, label: str | None) -> list[int]:
    """The short texts that have the label, or the shortest that does."""
    there = [i for i, labels in enumerate(known.answers) if (label in labels if label is not None else not labels)]
    short = [i for i in there if _length(known.items[i]) <= LONG]
    return short or sorted(there, key=lambda i: _length(known.items[i]))[:1]


def _length(item: Item) -> int:
    return sum(map(len, item))


def _turns(groups: Sequence[list[int]], k: int) -> Iterator[int]:
    """One of each group in turn until there are k, none twice."""
    taken: set[int] = set()
    while len(taken) < k and any(groups):
        for group in groups:
            while group and group[0] in taken:
                group.pop(0)
            if group and len(taken) < k:
                taken.add(group[0])
                yield group.pop(0)


class Nearest:
    """The examples nearest to each text: cosine of TF-IDF vectors of words and pairs of words."""

    def __init__(self, known: Pool) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        short = [i for i, item in enumerate(known.items) if _length(item) <= LONG]
        self._known, self._places = known, short or list(range(len(known.items)))
        self._words: Any = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
        self._vectors: Any = self._words.fit_transform(_joined([known.items[i] for i in self._places]))

    def of(self, items: Sequence[Item], k: int) -> Iterator[list[Example]]:
        """For each item its k nearest examples, the nearest last, next to the text itself."""
        for start in range(0, len(items), ROUND):
            near = self._words.transform(_joined(items[start : start + ROUND])) @ self._vectors.T
            for row in np.asarray(near.todense()):
                yield [self._known[self._places[place]] for place in _best(row, k)[::-1]]


def _best(near: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """The places of the k largest, the largest first; of equals the first."""
    if k >= len(near):
        return np.argsort(-near, kind="stable")
    least = np.partition(near, len(near) - k)[len(near) - k]
    above = np.flatnonzero(near >= least)
    return above[np.argsort(-near[above], kind="stable")][:k]


def _joined(items: Sequence[Item]) -> list[str]:
    return ["\n".join(item) for item in items]


def scored_clusters(split: Split) -> NDArray[np.int64]:
    """For each text the number of its cluster of near-duplicates."""
    roots = clusters(dict(enumerate(split.items)))
    return np.array([roots[i] for i in range(len(split.items))], dtype=np.int64)
