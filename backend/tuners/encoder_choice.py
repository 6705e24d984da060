"""Whether a LoRA on the encoder pays: it and a head alone are tried on labelled texts that neither has seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.cost import duration
from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.head import features
from backend.engines.protocol import Family, Item
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.encoder_learner import Learner, drawn
from backend.tuners.encoder_lessons import Array, Lessons, Rows
from backend.tuners.encoder_training import batch, fingerprint, train
from backend.tuners.head import learn
from backend.tuners.training import Options, Report
from backend.tuners.validation import Groups, folds_of, macro_f1
from labelstudio_config.codebook import Question

FEW = 200  # labelled texts from which a LoRA is tried: with fewer, too few are left to learn from and to compare on
LONGEST = 20 * 60  # seconds that a LoRA may take, the trial included
FOLDS = 5  # so that nearly as many texts are learned from as there are
RESAMPLES, CLEARLY = 500, 2.0  # of the texts held out; standard errors by which a fall of macro F1 is no chance
ENOUGH = 200  # texts held out in all, from which no further fold is tried
BACKWARD = 1.2  # times the steps' own time that a training takes: the held part is scored, too


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to train a LoRA, why in a sentence, and the numbers behind it."""

    lora: bool
    why: str
    figures: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        return {"chosen": "lora" if self.lora else "head", "why": self.why} | self.figures


@dataclass(frozen=True, slots=True)
class Texts:
    """All that is known of the labelled texts: `goal` [n, K] are their targets, `groups` [n] those of `tied`."""

    items: Sequence[Item]
    goal: Array
    groups: Groups
    prior: Prior
    taught: Lessons


def verdict(
    engine: EncoderEngine, question: Question, texts: Texts, options: Options, *, work: Path, report: Report
) -> Verdict:
    """Try both ways where there are texts and time enough. What `work` remembers of an earlier attempt stands."""
    kept = Checkpoint(work / "verdict.pt", fingerprint(engine, question, texts.taught, options))
    if known := kept.read():
        return Verdict(**known)
    found = _tried(engine, question, texts, options, work, report)
    kept.write(asdict(found))
    return found


def _tried(
    engine: EncoderEngine, question: Question, texts: Texts, options: Options, work: Path, report: Report
) -> Verdict:
    n = len(texts.items)
    if n < FEW:
        return Verdict(False, f"{n} labelled texts are too few for a LoRA on the encoder: it is tried from {FEW}.", {})
    tests = held_out(texts, options.seed)
    if not tests or not _teaches(texts, np.arange(n)):
        return Verdict(False, "Nearly all texts have the same labels: too little to try a LoRA on the encoder on.", {})
    seconds = forecast(engine, question, texts, options) * (1 + len(tests) * (1 - 1 / FOLDS))
    figures = {"forecast_seconds": round(seconds)}
    if seconds > LONGEST:
        why = f"A LoRA on the encoder would take about {duration(seconds)} here, more than {duration(LONGEST)}."
        return Verdict(False, why, figures)
    pairs = []
    for number, test in enumerate(tests, 1):
        stage = f"trial {number} of {len(tests)}"
        pairs.append(_scores(engine, question, texts, test, options, work, stage, report))
    head, lora = (np.concatenate(scores) for scores in zip(*pairs, strict=True))
    return _judged(texts, np.concatenate(tests), head, lora, figures)


def held_out(texts: Texts, seed: int) -> list[Rows]:
    """The rows on which both ways are tried, each part learning from all others: as many parts as `ENOUGH` asks for."""
    n = len(texts.items)
    folds = folds_of(_labels(texts), texts.groups, FOLDS, np.random.default_rng([seed, FOLDS]))
    tests = [np.flatnonzero(folds == fold) for fold in range(min(FOLDS, -(-ENOUGH * FOLDS // n)))]
    return [test for test in tests if len(test) and _teaches(texts, np.setdiff1d(np.arange(n), test))]


def forecast(engine: EncoderEngine, question: Question, texts: Texts, options: Options) -> float:
    """Seconds that one LoRA on all texts will take at most, from a step made for the purpose.

    On a processor that others use too, its own time counts: they may be done before long.
    """
    learner = Learner(engine, question, texts.prior, texts.taught, options)
    fit = texts.taught.rows(np.flatnonzero(~texts.taught.held))
    part = fit.rows(np.arange(min(len(fit), batch(len(fit), options))))
    with drawn(options.seed):
        learner.step(part, 0.0)
        begun, own = time.perf_counter(), time.process_time()
        learner.step(part, 0.0)
        took, own = time.perf_counter() - begun, time.process_time() - own
    took = min(took, own) if engine.embedder.model.device.type == "cpu" else took
    return BACKWARD * took * fit.tokens / max(part.tokens, 1) * options.epochs


def _scores(
    engine: EncoderEngine,
    question: Question,
    texts: Texts,
    test: Rows,
    options: Options,
    work: Path,
    stage: str,
    report: Report,
) -> tuple[Array, Array]:
    """Scores [m, K] of the texts `test` by a head and by a LoRA, both learned from all others."""
    rest = np.setdiff1d(np.arange(len(texts.items)), test)
    known, asked = texts.prior.rows(rest), texts.prior.rows(test)
    items = [texts.items[row] for row in rest]
    head, _ = learn(question, known, texts.goal[rest], items, _within(texts.groups, rest), options.seed)
    by_head = head.scores(asked.scores, features(asked.embeddings), [texts.items[row] for row in test])
    trained = train(engine, question, known, texts.taught.rows(rest), options, work=work, stage=stage, report=report)
    return by_head, trained.learner.scores(texts.taught.rows(test))


def _judged(texts: Texts, rows: Rows, head: Array, lora: Array, figures: dict[str, Any]) -> Verdict:
    """LoRA where its log-loss is lower by more than one standard error, unless its macro F1, which is noisier, is
    clearly lower.
    """
    asked = texts.taught.rows(rows)
    losses = {"head": asked.losses(head), "lora": asked.losses(lora)}
    gain, noise = paired(losses["head"] - losses["lora"], texts.groups[rows])
    f1 = {name: _macro_f1(texts, rows, scores) for name, scores in (("head", head), ("lora", lora))}
    f1_noise = _f1_noise(texts, rows, head, lora)
    pays = gain > noise and f1["lora"] >= f1["head"] - CLEARLY * f1_noise
    figures = figures | {
        "texts": len(rows),
        "log_loss": {name: round(float(loss.mean()), 4) for name, loss in losses.items()},
        "macro_f1": {name: round(value, 4) for name, value in f1.items()},
        "gain": round(gain, 4),
        "standard_error": round(noise, 4),
        "macro_f1_standard_error": round(f1_noise, 4),
    }
    why = (
        f"On {len(rows)} labelled texts held out, a LoRA on the encoder has a log-loss lower by {gain:.3f} "
        f"(standard error {noise:.3f}) and a macro F1 of {f1['lora']:.3f} against {f1['head']:.3f} of a head alone "
        f"(standard error of the difference {f1_noise:.3f}): "
        f"{'it pays' if pays else 'not clearly better'}."
    )
    return Verdict(pays, why, figures)


def paired(differences: Array, groups: Groups) -> tuple[float, float]:
    """The mean of n differences and its standard error, with those of a group taken together (a ratio estimate with
    groups for units: Cochran 1977, Sampling Techniques, ch. 9); infinite for a single group.
    """
    mean = float(differences.mean())
    _, place = np.unique(groups, return_inverse=True)
    sums = np.bincount(place, weights=differences - mean)
    if len(sums) < 2:
        return mean, float("inf")
    return mean, float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(differences))


def _f1_noise(texts: Texts, rows: Rows, head: Array, lora: Array) -> float:
    """The standard error of the difference in macro F1: a paired bootstrap over groups (Efron & Tibshirani 1993)."""
    _, place = np.unique(texts.groups[rows], return_inverse=True)
    members = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    random = np.random.default_rng(RESAMPLES)
    found = []
    for _ in range(RESAMPLES):
        some = np.concatenate([members[n] for n in random.integers(len(members), size=len(members))])
        found.append(_macro_f1(texts, rows[some], lora[some]) - _macro_f1(texts, rows[some], head[some]))
    return float(np.std(found, ddof=1))


def _macro_f1(texts: Texts, rows: Rows, scores: Array) -> float:
    goal = texts.goal[rows]
    if texts.prior.family is not Family.BERNOULLI:
        return macro_f1(goal.argmax(axis=1), scores.argmax(axis=1))
    pairs = zip((goal > 0.5).T.astype(np.int64), (scores > 0).T.astype(np.int64), strict=True)
    return float(np.mean([macro_f1(truth, guess) for truth, guess in pairs]))


def _labels(texts: Texts) -> NDArray[np.int64]:
    """One number a text, by which folds are balanced: its label, or its set of labels."""
    if texts.prior.family is not Family.BERNOULLI:
        return np.asarray(texts.goal.argmax(axis=1), dtype=np.int64)
    return np.asarray(np.unique(texts.goal > 0.5, axis=0, return_inverse=True)[1].ravel(), dtype=np.int64)


def _teaches(texts: Texts, rows: Rows) -> bool:
    """Whether the part of these texts that is learned from has more than one answer."""
    fit = texts.goal[rows[~texts.taught.held[rows]]]
    return len(fit) > 1 and not bool((fit == fit[0]).all())


def _within(groups: Groups, rows: Rows) -> Groups:
    """The groups of some rows, named by their own first row."""
    _, first, place = np.unique(groups[rows], return_index=True, return_inverse=True)
    return np.asarray(first[place], dtype=np.int64)
