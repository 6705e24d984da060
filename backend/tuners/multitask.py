"""From many questions with labelled texts to one encoder with a head for each: a folder that the encoder engine serves.

It is the supervised comparison of SOCIALITE-LLAMA's paper, and for a lab a small model of its own coded corpora.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.engines import cache, devices, hub
from backend.engines.classifier_manifest import Answered, ClassifierManifest
from backend.engines.classifier_model import Body, body
from backend.engines.conversion import SOURCE
from backend.engines.weights import Weights
from backend.tuners import multitask_estimate, multitask_folder
from backend.tuners.adapter import versions
from backend.tuners.multitask_estimate import Estimate
from backend.tuners.multitask_learner import Learner
from backend.tuners.multitask_subjects import Course, EncoderOptions, Subject, Texts, course, drawn_texts
from backend.tuners.multitask_training import Outcome, mean, train
from backend.tuners.targets import TrainingError, counts
from backend.tuners.training import Report, Step

__all__ = ["EncoderOptions", "Estimate", "Subject", "Texts", "estimate", "train_encoder"]

MADE_WITH = ("torch", "transformers", "socialite")


def train_encoder(
    weights: Weights,
    subjects: Sequence[Subject],
    folder: Path,
    options: EncoderOptions,
    *,
    work: Path,
    report: Report,
    device: str = "auto",
    told: Callable[[Estimate], None] | None = None,
) -> ClassifierManifest:
    """Fine-tune the encoder on all questions at once and write it to `folder`, which must not exist.

    `work` is a folder for checkpoints: a call with the same arguments goes on where one before it was interrupted, and
    comes to the same end. `told` hears before it starts what it will take. Raises `TrainingError` or `EngineError`
    with a sentence.
    """
    multitask_folder.free(folder)
    made, courses, settled = _prepared(weights, subjects, options, device, report)
    learner = Learner(made, courses, settled)
    if told is not None:
        told(_estimate(learner, courses, settled))
    key = _key(weights, courses, settled, made)
    outcome = train(learner, courses, settled, work=work, fingerprint=key, report=report)
    return multitask_folder.write(folder, learner, _manifest(weights, courses, settled, outcome, made))


def estimate(
    weights: Weights,
    subjects: Sequence[Subject],
    options: EncoderOptions,
    *,
    report: Report,
    device: str = "auto",
) -> Estimate:
    """What `train_encoder` would take: memory by a formula, time by a few steps that are thrown away."""
    made, courses, settled = _prepared(weights, subjects, options, device, report)
    return _estimate(Learner(made, courses, settled), courses, settled)


def _prepared(
    weights: Weights, subjects: Sequence[Subject], options: EncoderOptions, device: str, report: Report
) -> tuple[Body, list[Course], EncoderOptions]:
    """The encoder in memory, the texts as its tokens, and the options settled for it; refused where memory is short."""
    options.check()
    chosen = drawn_texts(subjects, options)
    report(Step("loading the model", 0, 1))
    made = body(weights.folder, weights.base, device=device, pooling=options.pooling, length=weights.window)
    settled = options.settled(made.width, weights.window)
    assert settled.length is not None
    made.length = settled.length
    courses = []
    for place, subject in enumerate(chosen):
        courses.append(course(made, subject))
        report(Step("reading the texts", place + 1, len(chosen)))
    _check_memory(made, courses, settled, weights.base)
    return made, courses, settled


def _check_memory(made: Body, courses: Sequence[Course], options: EncoderOptions, base: str) -> None:
    takes = _formula(made, courses, options).memory
    there, where = devices.room(str(made.device))
    if takes > there:
        raise TrainingError(
            f"Training '{base}' takes about {takes / 1e9:.1f} GB of memory, and {there / 1e9:.1f} are {where}. Take "
            "smaller batches (--batch), shorter texts (--length), --checkpointing, a smaller encoder, or a larger "
            "machine."
        )


def _formula(made: Body, courses: Sequence[Course], options: EncoderOptions) -> Estimate:
    weights = sum(part.numel() for part in made.encoder.parameters())
    half = made.device.type == "cuda"
    return multitask_estimate.estimated(made.encoder.config, weights, courses, options, half=half)


def _estimate(learner: Learner, courses: Sequence[Course], options: EncoderOptions) -> Estimate:
    found = _formula(learner.body, courses, options)
    return replace(found, seconds=multitask_estimate.timed(learner, courses, options, found))


def _key(weights: Weights, courses: Sequence[Course], options: EncoderOptions, made: Body) -> str:
    """What a checkpoint belongs to: everything that the weights which come out depend on."""
    libraries = versions()
    whole = hashlib.sha256(repr((weights.digest, weights.tokenizer, options, made.device.type)).encode())
    whole.update(repr([libraries[name] for name in MADE_WITH]).encode())
    for one in courses:
        question = one.subject.question
        whole.update(repr((question.id, question.kind, question.label_ids, one.fit.rows, one.held.rows)).encode())
        whole.update(one.fit.goal.tobytes())
        whole.update(one.held.goal.tobytes())
    return whole.hexdigest()


def _manifest(
    weights: Weights, courses: Sequence[Course], options: EncoderOptions, outcome: Outcome, made: Body
) -> ClassifierManifest:
    kept = outcome.f1[outcome.best - 1]
    assert options.length is not None
    left_out = ("seed", "pooling", "length")
    return ClassifierManifest(
        base=weights.base,
        base_digest=weights.digest,
        revision=_revision(weights),
        pooling=options.pooling,
        length=options.length,
        tasks=tuple(_answered(one, f1) for one, f1 in zip(courses, kept, strict=True)),
        seed=options.seed,
        hyperparameters={name: value for name, value in asdict(options).items() if name not in left_out}
        | {"loss": "cross-entropy divided by that of a guess", "precision": _precision(made)},
        metrics={
            "epochs": len(outcome.losses),
            "best_epoch": outcome.best,
            "losses": outcome.losses,
            "validation_macro_f1": mean(kept) if any(x is not None for x in kept) else None,
            "validation_macro_f1_of_epochs": [mean(x) for x in outcome.f1],
            "tokens": outcome.tokens,
            "cut_texts": sum(one.fit.cut for one in courses),
        },
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
    )


def _answered(one: Course, f1: float | None) -> Answered:
    question = one.subject.question
    return Answered(
        question=question.id,
        name=question.name,
        kind=question.kind.value,
        fields=len(question.fields),
        labels=question.label_ids,
        examples=counts(question, one.fit.goal),
        texts=len(one.fit),
        validation_texts=len(one.held),
        macro_f1=f1,
        source=one.subject.source,
        licence=one.subject.licence,
    )


def _precision(made: Body) -> str:
    return "bfloat16 layers, float32 weights" if made.device.type == "cuda" else "float32"


def _revision(weights: Weights) -> str:
    """The commit of the base at the hub, where it is known."""
    said: Any = cache.read_json(weights.folder / SOURCE).get("revision")
    return hub.commit(weights.folder) or (said if isinstance(said, str) else "")
