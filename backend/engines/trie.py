"""The words a model may answer with, as a trie of token ids: what must be fed, what is read, what it comes to.

Two quantities can be read of it. "label" is log P(word and end token | prompt), normalised over the words: how the
model shares its answers between them. "choice" is the product of the choices at each branching, normalised there: what
a model constrained to the words does, with no penalty for long ones. They disagree; "label" is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import EngineError

Method = Literal["label", "choice"]
METHODS: tuple[Method, ...] = ("label", "choice")
ROOT = -1  # the place of the prompt's last token


@dataclass(frozen=True, slots=True)
class Trie:
    """What to run behind a prompt for one set of words.

    `tokens` [m] are fed, each behind its parent: `parents` [m] are places in `tokens`, or ROOT; parents come first.
    `reads` [r] are the places (or ROOT) whose next-token distribution is needed; of each, `edges` names the tokens
    whose log-probability is: (index in `reads`, token id), in the order of `reads`.
    """

    method: Method
    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    reads: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    used: tuple[tuple[int, ...], ...]  # for each word the edges on its way

    @property
    def depths(self) -> tuple[int, ...]:
        """How far behind the prompt each fed token stands, from 1."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(1 if parent == ROOT else depths[parent] + 1)
        return tuple(depths)

    @property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each of `reads` the tokens whose log-probability is needed."""
        return tuple(tuple(token for read, token in self.edges if read == place) for place in range(len(self.reads)))

    def visible(self) -> NDArray[np.bool_]:
        """bool [m, m]: whether the fed token of a row sees that of a column (itself and its ancestors)."""
        seen = np.eye(len(self.tokens), dtype=bool)
        for place, parent in enumerate(self.parents):
            if parent != ROOT:
                seen[place] |= seen[parent]
        return seen

    def scores(self, edges: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log-probabilities [n, K] of the words, summing to one, from those of the edges [n, E]."""
        values = edges.astype(np.float64)
        if self.method == "choice":
            groups = np.array([read for read, _ in self.edges])
            for read in range(len(self.reads)):
                columns = np.flatnonzero(groups == read)
                values[:, columns] -= _total(values[:, columns])
        words = np.stack([values[:, list(used)].sum(axis=1) for used in self.used], axis=1)
        normal: NDArray[np.float64] = words - _total(words)
        return normal


def build(answers: Sequence[Sequence[int]], method: Method = "label") -> Trie:
    """The trie of answers, each given by its token ids and ending in the end token. `EngineError`: two are the same."""
    if len({tuple(answer) for answer in answers}) < len(answers):
        raise EngineError(
            "Two labels have the same word for this model, so it cannot tell them apart. Give them different wordings."
        )
    branches: dict[tuple[int, ...], dict[int, None]] = {}  # path of an inner node -> next tokens, as met
    for answer in answers:
        for place, token in enumerate(answer):
            branches.setdefault(tuple(answer[:place]), {})[token] = None
    read = [path for path, after in branches.items() if method == "label" or len(after) > 1]
    fed = sorted(dict.fromkeys(path[:n] for path in read for n in range(1, len(path) + 1)), key=len)
    places = {(): ROOT} | {path: place for place, path in enumerate(fed)}
    edges = {(path, token): None for path in read for token in branches[path]}
    numbers = {edge: number for number, edge in enumerate(edges)}
    ways = ([(tuple(answer[:place]), token) for place, token in enumerate(answer)] for answer in answers)
    return Trie(
        method,
        tokens=tuple(path[-1] for path in fed),
        parents=tuple(places[path[:-1]] for path in fed),
        reads=tuple(places[path] for path in read),
        edges=tuple((read.index(path), token) for path, token in edges),
        used=tuple(tuple(numbers[edge] for edge in way if edge in numbers) for way in ways),
    )


def _total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """log-sum-exp over the columns, [n, 1]."""
    highest = values.max(axis=1, keepdims=True)
    total: NDArray[np.float64] = highest + np.log(np.exp(values - highest).sum(axis=1, keepdims=True))
    return total
