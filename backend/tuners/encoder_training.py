"""Training a LoRA on a sentence encoder: epochs, early stop, and going on after an interruption."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.engines.encoder import EncoderEngine, Prior
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.encoder_learner import Learner, Tensors, drawn
from backend.tuners.encoder_lessons import Lessons, Rows
from backend.tuners.training import Options, Report, Step
from labelstudio_config.codebook import Question

STEPS = 12  # in an epoch at least: with few texts batches are smaller
WARM = 0.1  # of all steps, until the rate is at its highest; from there it falls to nothing


@dataclass(frozen=True, slots=True)
class Trained:
    """What was learned, as it stood after the `epoch`-th epoch (0: nothing helped).

    `losses` are the mean log-losses of each epoch's batches, `held` those of the held part after each.
    """

    learner: Learner
    epoch: int
    losses: tuple[float, ...]
    held: tuple[float, ...]


def train(
    engine: EncoderEngine,
    question: Question,
    prior: Prior,
    taught: Lessons,
    options: Options,
    *,
    work: Path,
    stage: str,
    report: Report,
) -> Trained:
    """Learn from the texts of `taught` that are not held; `prior` tells the embeddings of all.

    The epoch with the lowest loss on the held texts is kept, and `options.patience` epochs without a lower one end it;
    without held texts the last epoch is kept. After each epoch `work` has what it takes to go on to the same result.
    `stage` names the training in reports and in `work`.
    """
    learner = Learner(engine, question, prior, taught, options)
    checkpoint = Checkpoint(work / f"{stage}.pt", fingerprint(engine, question, taught, options))
    fit, held = taught.rows(np.flatnonzero(~taught.held)), taught.rows(np.flatnonzero(taught.held))
    size = batch(len(fit), options)
    per_epoch = -(-len(fit) // size)
    state = checkpoint.read() or _nothing(learner, held)
    if "learner" in state:
        learner.resume(state["learner"])
    for epoch in range(state["epoch"], options.epochs):
        if held and epoch - state["kept"] >= options.patience:
            break
        losses = []
        with drawn(options.seed, epoch):
            for number, rows in enumerate(_batches(len(fit), size, np.random.default_rng([options.seed, epoch]))):
                part, begun, done = fit.rows(rows), time.perf_counter(), epoch * per_epoch + number
                losses.append(learner.step(part, _share(done, per_epoch * options.epochs)))
                rate = part.tokens / max(time.perf_counter() - begun, 1e-9)
                report(Step(stage, done + 1, per_epoch * options.epochs, losses[-1], rate))
        state = _after(learner, held, state, float(np.mean(losses)))
        checkpoint.write(state)
    learner.take(state["best"])
    return Trained(learner, state["kept"], tuple(state["losses"]), tuple(state["held"][1:]))


def batch(texts: int, options: Options) -> int:
    """Texts in a batch, when so many are learned from."""
    return max(2, min(options.batch, texts // STEPS))


def _nothing(learner: Learner, held: Lessons) -> Tensors:
    """The state before the first epoch: the held part is scored as it is without labels."""
    return {"epoch": 0, "kept": 0, "losses": [], "held": _losses(learner, held), "best": learner.learned()}


def _after(learner: Learner, held: Lessons, state: Tensors, loss: float) -> Tensors:
    """The state after one epoch more."""
    epoch, found = state["epoch"] + 1, [*state["held"], *_losses(learner, held)]
    better = not found or found[-1] < min(found[:-1])
    return {
        "epoch": epoch,
        "kept": epoch if better else state["kept"],
        "losses": [*state["losses"], loss],
        "held": found,
        "best": learner.learned() if better else state["best"],
        "learner": learner.state(),
    }


def _losses(learner: Learner, held: Lessons) -> list[float]:
    """The held part's mean loss; empty when there is no such part."""
    return [float(held.losses(learner.scores(held)).mean())] if held else []


def _share(done: int, steps: int) -> float:
    """Of the highest rate, after so many steps."""
    return min(1.0, (done + 1) / (WARM * steps + 1)) * (1 - done / steps)


def _batches(texts: int, size: int, random: np.random.Generator) -> Iterator[Rows]:
    order = random.permutation(texts)
    for start in range(0, texts, size):
        yield order[start : start + size]


def fingerprint(engine: EncoderEngine, question: Question, taught: Lessons, options: Options) -> str:
    """Of all that determines a training: another base, question, option, text or label makes another one."""
    whole = hashlib.sha256(repr((engine.identity, question, options, taught.ids)).encode())
    for part in (taught.goal, taught.weight, taught.held):
        whole.update(part.tobytes())
    return whole.hexdigest()
