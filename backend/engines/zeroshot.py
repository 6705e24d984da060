"""Scores without labelled texts: how similar a text is to what the codebook says of each label.

A label is the mean of its definition (its wording, where it has none) and of the middle of its examples; a pair of
texts is as similar as its two texts are on average. Form, temperature and threshold were chosen on training files, see
scripts/BENCHMARKS.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import FAMILY, Family
from labelstudio_config.codebook import Label, Question

TEMPERATURE = 0.1  # of a cosine, labels against each other
THRESHOLD = 0.1  # of a cosine above that of neutral sentences, from which on a label applies by itself
SLOPE = 0.07  # of that cosine

# Sentences that are about nothing in particular: a label's similarity to them is its similarity to any text.
NEUTRAL = (
    "I went to the shop this morning.",
    "The meeting starts at ten.",
    "She has two brothers and a dog.",
    "It rained for most of the week.",
    "Could you open the window?",
    "We watched a film last night.",
    "My phone is on the kitchen table.",
    "They moved to a small town near the coast.",
    "What time is it?",
    "He plays the piano after school.",
    "Thanks, see you tomorrow.",
    "The bus was full again today.",
    "I think the second book is better.",
    "There is a new cafe on the corner.",
    "People were talking about the election.",
    "Please send me the file when you are done.",
    "The price went up a little this year.",
    "Our team played away on Saturday.",
    "No idea what happened there.",
    "Just had lunch with an old friend.",
    "You should try the soup.",
    "Why is the road closed?",
    "The museum opens in the spring.",
    "Somebody left a bag in the hall.",
)
RECIPE = hashlib.sha256(
    repr(("zero-shot v1: definition and examples", TEMPERATURE, THRESHOLD, SLOPE, NEUTRAL)).encode()
).hexdigest()

Embed = Callable[[Sequence[str]], NDArray[np.floating]]  # texts -> unit vectors [n, width]


@dataclass(frozen=True, slots=True)
class Prototypes:
    """What texts are compared with: `vectors` [K, width]; `neutral` [K] is each label's similarity to any text."""

    family: Family
    vectors: NDArray[np.float64]
    neutral: NDArray[np.float64]

    def scores(self, fields: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
        """Log-scores [n, K], not normalised (log-odds for `BERNOULLI`), of unit vectors [n, width] for each field."""
        mean = sum((field.astype(np.float64) for field in fields), np.zeros(())) / len(fields)
        similarity: NDArray[np.float64] = mean @ self.vectors.T
        if self.family is Family.BERNOULLI:
            return (similarity - self.neutral - THRESHOLD) / SLOPE
        return similarity / TEMPERATURE

    def linear(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same as weights [width, K] and bias [K] on the mean of the fields' unit vectors."""
        if self.family is Family.BERNOULLI:
            return self.vectors.T / SLOPE, -(self.neutral + THRESHOLD) / SLOPE
        return self.vectors.T / TEMPERATURE, np.zeros(len(self.vectors))


def prototypes(question: Question, embed: Embed) -> Prototypes:
    """The question's labels as vectors."""
    family = FAMILY[question.kind]
    vectors = np.stack([_vector(label, embed) for label in question.labels])
    neutral = (
        (embed(NEUTRAL) @ vectors.T).mean(axis=0) if family is Family.BERNOULLI else np.zeros(len(question.labels))
    )
    return Prototypes(family, vectors, neutral)


def log_probabilities(family: Family, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities [n, K] of unnormalised log-scores (or log-odds) [n, K]."""
    if family is Family.BERNOULLI:
        return -np.logaddexp(0.0, -scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    normal: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normal


def _vector(label: Label, embed: Embed) -> NDArray[np.float64]:
    anchor, *examples = embed([label.described or label.wording or label.code, *label.examples]).astype(np.float64)
    if not examples:
        return np.asarray(anchor)
    centre = np.mean(examples, axis=0)
    return np.asarray((anchor + centre / max(float(np.linalg.norm(centre)), 1e-9)) / 2)
