"""Tuning the encoder: a head with its prior while labels are few, a LoRA where labels held out say that it pays."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from backend.engines.adapter import ENCODER_LORA, Manifest
from backend.engines.embeddings import Progress
from backend.engines.encoder import EncoderEngine
from backend.engines.scorable import checked
from backend.tuners import head
from backend.tuners.adapter import adopt, described, free
from backend.tuners.encoder_choice import Texts, Verdict, verdict
from backend.tuners.encoder_learner import HEAD_RATE, RATE
from backend.tuners.encoder_lessons import lessons
from backend.tuners.encoder_training import batch, train
from backend.tuners.logistic import Array
from backend.tuners.targets import TrainingError, counts, shared, targets
from backend.tuners.training import Labelled, Options, Report, Step
from backend.tuners.validation import USUAL, tied
from labelstudio_config.codebook import Question


def tune_encoder(
    engine: EncoderEngine,
    question: Question,
    labelled: Labelled,
    folder: Path,
    options: Options,
    *,
    work: Path,
    snapshot: str,
    parent: str | None,
    report: Report,
) -> Manifest:
    """Train what `options.encoder` says and write it to `folder`, which must not exist.

    A head is fitted on all texts: it stops for nothing, and its strength is chosen by cross-validation inside them. A
    LoRA is trained on those that are not held, and stops by those that are; a small encoder takes `encoder_learner`'s
    multiple of `options.rate`. "auto" tries both where there are texts and time enough (`encoder_choice`), and the
    manifest's metrics say what came of it. `work` keeps how far a LoRA is: called again with the same arguments after
    an interruption, the same comes out as without one. `snapshot` is the hash of the labels, `parent` the digest of
    the adapter that this one replaces. Raises `TrainingError` or `EngineError` with a sentence.
    """
    free(folder)
    checked(question, labelled.items)
    found = targets(question, labelled.items, labelled.answers)
    choice = None
    if options.encoder != "head":
        texts = _texts(engine, question, labelled, found, options, report)
        choice = Verdict(True, "A LoRA on the encoder was asked for.", {})
        if options.encoder == "auto":
            choice = verdict(engine, question, texts, options, work=work, report=report)
        if choice.lora:
            examples = counts(question, found)
            return _lora(engine, question, texts, examples, folder, options, choice, work, snapshot, parent, report)
    return head.train(
        engine,
        question,
        labelled.items,
        labelled.answers,
        folder,
        seed=options.seed,
        snapshot=snapshot,
        parent=parent,
        progress=_embedded(report, labelled, question),
        shares=labelled.shares if options.shares else None,
        clusters=labelled.clusters,
        metrics={"tuner": choice.plain()} if choice else None,
    )


def _texts(
    engine: EncoderEngine, question: Question, labelled: Labelled, found: Array, options: Options, report: Report
) -> Texts:
    goal = shared(question, found, labelled.shares) if options.shares else found
    items = list(labelled.items)
    prior = engine.prior(question, items, _embedded(report, labelled, question))
    taught = lessons(engine, prior, items, goal, labelled.held)
    return Texts(items, goal, tied(items, labelled.clusters), prior, taught)


def _lora(
    engine: EncoderEngine,
    question: Question,
    texts: Texts,
    examples: dict[str, int],
    folder: Path,
    options: Options,
    choice: Verdict,
    work: Path,
    snapshot: str,
    parent: str | None,
    report: Report,
) -> Manifest:
    fit = texts.goal[~texts.taught.held]
    if not len(fit) or (fit == fit[0]).all():
        raise TrainingError(
            f"The texts to learn from all have the same answer to the question '{question.name}'; others are in the "
            "validation part only. Code more texts, or train the head alone."
        )
    trained = train(engine, question, texts.prior, texts.taught, options, work=work, stage="LoRA", report=report)
    hyperparameters = {
        "rank": options.rank,
        "alpha": options.alpha,
        "dropout": options.dropout,
        "targets": options.targets,
        "rslora": options.rslora,
        "rate": options.rate * RATE,
        "head_rate": options.rate * HEAD_RATE,
        "strength": {question.id: USUAL},
        "epochs": options.epochs,
        "batch": batch(len(fit), options),
        "patience": options.patience,
        "balance": head.BALANCE[texts.prior.family],
        "shares": options.shares,
    }
    metrics = {
        "texts": len(texts.items),
        "held": len(texts.items) - len(fit),
        "epoch": trained.epoch,
        "loss": [round(loss, 4) for loss in trained.losses],
        "held_loss": [round(loss, 4) for loss in trained.held],
        "tuner": choice.plain(),
    }
    manifest = described(
        engine.identity,
        question,
        examples,
        method=ENCODER_LORA,
        hyperparameters=hyperparameters,
        metrics=metrics,
        seed=options.seed,
        snapshot=snapshot,
        parent=parent,
    )
    saved = work / f"saved-{uuid4().hex[:8]}"
    try:
        trained.learner.save(saved)
        return adopt(saved, folder, manifest, trained.learner.head().tensors())
    finally:
        shutil.rmtree(saved, ignore_errors=True)


def _embedded(report: Report, labelled: Labelled, question: Question) -> Progress:
    """Reports the texts that were embedded, of all."""
    done, texts = 0, len(labelled) * len(question.fields)

    def more(count: int) -> None:
        nonlocal done
        done += count
        report(Step("embeddings", done, texts))

    return more
