"""From a question and labelled texts to an adapter: a head on embeddings that starts from the zero-shot scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import Manifest
from backend.engines.embeddings import Progress
from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.head import Head, features
from backend.engines.protocol import Family, Item
from backend.engines.scorable import checked
from backend.tuners.adapter import described, free, write
from backend.tuners.design import Design, coordinates
from backend.tuners.logistic import Fit, balanced, contrasts, fit
from backend.tuners.targets import counts, shared, targets
from backend.tuners.validation import Choice, Groups, choose, given, tied
from backend.tuners.vocabulary import matrix, scaled, vocabulary, weight
from labelstudio_config.codebook import Question

Array = NDArray[np.float64]
SMALL = 5000  # labelled texts
BALANCE = {Family.CATEGORICAL: 1.0, Family.ORDINAL: 1.0, Family.BERNOULLI: 0.5}
"""How far labels are weighted to count the same. A label that is true or not by itself is weighted half-way: with full
weight a rare one would be suggested wherever it is merely more likely than usual."""


def train(
    engine: EncoderEngine,
    question: Question,
    items: Sequence[Item],
    answers: Sequence[frozenset[str]],
    folder: Path,
    *,
    strength: float | None = None,
    seed: int = 0,
    snapshot: str = "",
    parent: str | None = None,
    progress: Progress | None = None,
    shares: Array | None = None,
    clusters: NDArray[np.int64] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> Manifest:
    """Train a head and write it to `folder`, which must not exist.

    `answers` are the label ids given to each item: exactly one for single and ordinal questions. `strength` of the
    prior: None chooses it by cross-validation inside these labels; infinity gives the zero-shot scores back. `snapshot`
    is the caller's hash of the training set, `parent` the digest of the adapter it replaces. `shares` [n, K] of the
    coders are learned instead of the answers; `clusters` [n] names texts that cross-validation must not part; `metrics`
    are written beside the head's own. Raises `TrainingError` or `EngineError` with a sentence.
    """
    free(folder)
    family = checked(question, items)
    found = targets(question, items, answers)
    goal = found if shares is None else shared(question, found, shares)
    prior = engine.prior(question, items, progress)
    head, choices = learn(question, prior, goal, items, tied(items, clusters), seed, strength)
    manifest = described(
        engine.identity,
        question,
        counts(question, found),
        method="head",
        hyperparameters={
            "strength": {name: choice.plain()["strength"] for name, choice in choices.items()},
            "balance": BALANCE[family],
            "terms": len(head.terms.buckets),
            "shares": shares is not None,
        },
        metrics={"texts": len(items), "held_out": {name: choice.plain() for name, choice in choices.items()}}
        | dict(metrics or {}),
        seed=seed,
        snapshot=snapshot,
        parent=parent,
    )
    return write(folder, manifest, head.tensors())


def _threads(n: int) -> AbstractContextManager[object]:
    """One thread for small matrices: several only wait for each other, and for whatever else the machine does."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1 if n < SMALL else None, user_api="blas")
    return limits


def learn(
    question: Question,
    prior: Prior,
    found: Array,
    items: Sequence[Item],
    groups: Groups,
    seed: int,
    strength: float | None = None,
) -> tuple[Head, dict[str, Choice]]:
    """The head, and how its strength was chosen: once for labels that exclude each other, else for each label id.

    `found` [n, K] are the targets of `items`, of which `prior` tells the scores and embeddings; `groups` those that
    cross-validation does not part.
    """
    with _threads(len(items)):
        return _learned(question, prior, found, items, groups, seed, strength)


def _learned(
    question: Question,
    prior: Prior,
    found: Array,
    items: Sequence[Item],
    groups: Groups,
    seed: int,
    strength: float | None,
) -> tuple[Head, dict[str, Choice]]:
    dense, way = coordinates(features(prior.embeddings), prior.embeddings[0].shape[1] // 2)
    terms = vocabulary(items)
    factor = weight(len(question.fields))
    design = Design(dense, scaled(matrix(terms, items), factor))
    power = BALANCE[prior.family]

    def solved(scores: Array, goal: Array) -> tuple[Fit, Choice]:
        sides = contrasts(scores.shape[1], ordered=prior.family is Family.ORDINAL)
        choice = choose(design, scores, goal, sides, groups, power, seed) if strength is None else given(strength)
        return fit(design, scores, goal, balanced(goal, power), sides, choice.strength), choice

    if prior.family is Family.BERNOULLI:
        pairs = {label: _yes_or_no(prior.scores[:, k], found[:, k]) for k, label in enumerate(question.label_ids)}
        solutions = {label: solved(*pair) if pair else None for label, pair in pairs.items()}
        columns = [_difference(solution, design.width) for solution in solutions.values()]
        parts = (np.array(x) for x in zip(*columns, strict=True))
        scale, bias, weights = next(parts), next(parts), next(parts).T
        choices = {label: solution[1] for label, solution in solutions.items() if solution}
    else:
        one, choice = solved(prior.scores, found)
        scale, bias, weights = np.full(len(question.labels), one.scale), one.bias, one.weights
        choices = {question.id: choice}
    rank = dense.shape[1]
    on_features, shift = way.raw(weights[:rank])
    words = (weights[rank:] * factor).astype(np.float32)
    return Head(scale, bias + shift, on_features.astype(np.float32), terms, words), choices


def _yes_or_no(odds: Array, given: Array) -> tuple[Array, Array] | None:
    """One label as a question of two: log-scores and targets [n, 2]; None when all texts agree on it."""
    if given.min() == given.max():
        return None
    return np.stack([np.zeros_like(odds), odds], axis=1), np.stack([1.0 - given, given], axis=1)


def _difference(solution: tuple[Fit, Choice] | None, width: int) -> tuple[float, float, Array]:
    """Scale, bias and weights [width] of a label's log-odds; zero-shot where nothing was learned of it."""
    if solution is None:
        return 1.0, 0.0, np.zeros(width)
    one = solution[0]
    return one.scale, float(one.bias[1] - one.bias[0]), one.weights[:, 1] - one.weights[:, 0]
