"""A scorer that counts the codebook's own words: no model, no download, microseconds a text.

It is for tests, for wiring and for measuring the service around an engine; its suggestions are no better than its
words.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import EngineError, Family, Identity, Item, Scores
from backend.engines.scorable import checked, no_examples, why_not
from labelstudio_config.codebook import Question

WORD = re.compile(r"\w+")
SHORT = 4  # letters below which a word of a definition or an example is likely to be about nothing
SMOOTHING = 0.5  # what a label has before any of its words is found
TIE = 0.2  # largest share of the smoothing that the hash of a text moves
MULTIPLIERS = 2654435761  # Knuth's multiplicative hash: one number from the text's hash for each label
RECIPE = f"keyword v1: words of {SHORT} letters and more of definitions and examples; {SMOOTHING}; {TIE}"


@dataclass(frozen=True, slots=True)
class _Words:
    """For each word the labels it speaks for: (column, weight) pairs."""

    weights: dict[str, tuple[tuple[int, float], ...]]
    salts: tuple[int, ...]


class KeywordEngine:
    """Deterministic scorer: log-probabilities from the words of each label's wording, definition and examples."""

    def load(self) -> None:
        """Nothing to load."""

    @property
    def identity(self) -> Identity:
        recipe = hashlib.sha256(RECIPE.encode()).hexdigest()
        return Identity(
            engine="keyword", base="keyword", digest=recipe, prompt=recipe, dtype="float64", method="word counts"
        )

    def why_not(self, question: Question) -> str | None:
        return why_not(question)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        return [None] * len(items)

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        """Scores of the items; texts of a pair count together. It takes neither adapters nor examples."""
        family = checked(question, items)
        no_examples("keyword", shown)
        if adapter is not None:
            raise EngineError("The keyword engine does not learn, so it takes no adapter. Score without one.")
        words = _words(question)
        counts = np.array([_counts(words, item) for item in items], dtype=np.float64)
        counts = counts.reshape(len(items), len(question.labels))
        return Scores(family, _log_probabilities(counts, family), np.zeros(len(items), dtype=np.int64))


@lru_cache(maxsize=256)
def _words(question: Question) -> _Words:
    """The question's words with their weights: a word counts less the more labels use it, a word all use not at all."""
    found: dict[str, dict[int, float]] = {}
    for column, label in enumerate(question.labels):
        for weight, text in ((4.0, label.wording), (2.0, label.described), *((1.0, x) for x in label.examples)):
            for word in set(WORD.findall(text.lower())):
                if len(word) >= SHORT or text is label.wording:
                    of_word = found.setdefault(word, {})
                    of_word[column] = max(of_word.get(column, 0.0), weight)
    labels = len(question.labels)
    weights = {
        word: tuple((column, weight * math.log((1 + labels) / len(columns))) for column, weight in columns.items())
        for word, columns in found.items()
        if len(columns) < labels or labels == 1
    }
    salts = tuple(
        int.from_bytes(hashlib.sha256(label.id.encode()).digest()[:4], "big") | 1 for label in question.labels
    )
    return _Words(weights, salts)


def _counts(words: _Words, item: Item) -> list[float]:
    """Smoothed weight of evidence for each label, never zero; the text's hash decides between equals."""
    text = "\n".join(item).lower()
    seed = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
    counts = [
        SMOOTHING * (1 + TIE * (((seed ^ salt) * MULTIPLIERS & 0xFFFFFFFF) / 0x100000000 - 0.5)) for salt in words.salts
    ]
    for word in set(WORD.findall(text)):
        for column, weight in words.weights.get(word, ()):
            counts[column] += weight
    return counts


def _log_probabilities(counts: NDArray[np.float64], family: Family) -> NDArray[np.float64]:
    """Shares of the evidence; for labels that are each true or not, the evidence against one unit of doubt."""
    total = counts + 1.0 if family is Family.BERNOULLI else counts.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.log(counts / total)
    return shares
