"""Repetitions of one cell: gate labels are drawn from a world, and challengers go through the product's own rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.learning import gate_rule as rule
from backend.stats.bootstrap import resamples
from labelstudio_config.codebook import Kind
from scripts.gate.worlds import World

AT_ONCE = 25  # repetitions that share their resamples
FEWER = 500
LARGE = 200_000


def trials(world: World, n: int, repetitions: int, looks: int, seed: int) -> NDArray[np.bool_]:
    """Which challengers were promoted, [repetitions, looks].

    In every repetition n texts and the champion's answers are drawn, and `looks` challengers of the same world. The
    first look has as many resamples as the product takes, the others `FEWER` of them.
    """
    parts = []
    k = len(world.table)
    for start in range(0, repetitions, AT_ONCE):
        rng = np.random.default_rng([seed, start])
        truth, champion, challenger = sampled(world, (n, min(AT_ONCE, repetitions - start)), looks, rng)
        weights = np.concatenate(list(resamples(np.arange(n), rule.DRAWS, int(rng.integers(2**32)))))
        doubted = rule.doubt(rule.DRAWS, k, int(rng.integers(2**32)))
        first = promoted(weights, doubted, truth, champion, challenger[:, :, :1])
        later = promoted(weights[:FEWER], doubted[:, :FEWER], truth, champion, challenger[:, :, 1:])
        parts.append(np.concatenate([first, later], axis=1))
    return np.concatenate(parts)


def sampled(
    world: World, shape: tuple[int, int], looks: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Marks of true labels and champion [n, r, 1, K], and of challengers [n, r, looks, K]."""
    k = len(world.table)
    pairs = world.table.sum(axis=2).ravel()
    pair = np.minimum(np.searchsorted(np.cumsum(pairs), rng.random(shape)), k * k - 1)
    steps = np.cumsum(world.table.reshape(k * k, k) / np.maximum(pairs, 1e-300)[:, None], axis=1)
    third = np.minimum((rng.random((*shape, looks))[..., None] > steps[pair][:, :, None, :]).sum(axis=-1), k - 1)
    eye = np.eye(k, dtype=bool)
    return eye[pair // k][:, :, None], eye[pair % k][:, :, None], eye[third]


def promoted(
    weights: NDArray[np.float32],
    doubted: NDArray[np.float32],
    truth: NDArray[np.bool_],
    champion: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether the gate promotes [r, looks], for marks as `sampled` makes them, on resamples [B, n] of single texts."""
    found = rule.drawn(weights, doubted, Kind.SINGLE, truth, champion, challenger)
    lower, _ = rule.bounds(found.delta)
    passed = rule.promotes(lower, [lower], np.zeros(lower.shape, dtype=bool))
    passed &= (champion != challenger).any(axis=(0, -1))
    row, look = np.nonzero(passed)  # whether a label falls is asked where it matters
    support = truth.sum(axis=0)[row, 0]
    family = np.maximum(1, (support >= rule.SUPPORT).sum(axis=-1))
    for size in np.unique(family):
        ours = family == size
        falls = rule.fallen(found.labels[:, row[ours], look[ours]], support[ours], int(size)).any(axis=-1)
        passed[row[ours], look[ours]] = ~falls
    return passed


def error_of_truth(world: World, seed: int) -> float:
    """How far `LARGE` texts drawn from the world are from what it promises: macro F1, difference or disagreement."""
    truth, champion, challenger = (each[:, 0] for each in sampled(world, (LARGE, 1), 1, np.random.default_rng(seed)))
    once = np.ones((1, LARGE))
    old, new = (float(rule.score(once, Kind.SINGLE, truth, each)[0, 0]) for each in (champion, challenger))
    differ = float((champion != challenger).any(axis=-1).mean())
    promised = ((old, world.champion), (new - old, world.difference), (differ, world.disagreement))
    return max(abs(is_ - should) for is_, should in promised)
