"""From a question and labelled texts to a LoRA on a causal model's base (Hu et al. 2022, LoRA, ICLR).

What is learned is what the engine scores: the answer and the end token behind the engine's own prompts. Multiple choice
is a yes or no for each label. Labels count more evenly than they occur: a lesson's weight is the inverse of its label's
frequency to the power of one half, 1 on average, so that of 90 texts of one label and 10 of another the rare one counts
for 25 % instead of 10; with full balance it would be suggested wherever it is merely likelier than usual. With
`Options.shares` a text teaches each label by its share of the coders. Two texts that are alike with different labels
are both learned: the model is drawn to the share of each, as with two coders who disagree.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import Manifest
from backend.engines.causal import CausalEngine
from backend.engines.causal_model import FOUR_BIT, loaded
from backend.engines.devices import check_room
from backend.engines.models import parameters
from backend.engines.scorable import checked
from backend.tuners.adapter import adopt, described, free, versions
from backend.tuners.answers import Learned, Plan, train
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.labelled import Course, courses, goals
from backend.tuners.rows import attention
from backend.tuners.targets import TrainingError, counts, shared, targets
from backend.tuners.training import Labelled, Options, Report, Step
from labelstudio_config.codebook import Question

Array = NDArray[np.float64]
BALANCE = 0.5  # how far labels are weighted to count the same: 0 not at all, 1 wholly
TARGETS = {
    "qv": ["q_proj", "v_proj"],
    "all": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}
CHECKPOINT = "lora.checkpoint"
MADE_WITH = ("torch", "transformers", "peft", "socialite")


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned (`taught`) and what tells when to stop (`held`); `found` [n, K] are the labels as zeros and ones,
    `fitted` [n] marks the texts that are learned."""

    taught: tuple[Course, ...]
    held: tuple[Course, ...]
    found: Array
    fitted: NDArray[np.bool_]


def tune_causal(
    engine: CausalEngine,
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
    """Train a LoRA for one question and write it to `folder`, which must not exist.

    The base is loaded anew, on the engine's device and in its dtype. `work` holds checkpoints: a call with the same
    arguments goes on where one before it was interrupted, and comes to the same end. `snapshot` is the caller's hash of
    the training set, `parent` the digest of the adapter that is replaced; both are noted only. Raises `TrainingError`
    or `EngineError` with a sentence.
    """
    import torch

    free(folder)
    _check(options)
    four_bit = engine.model.dtype == FOUR_BIT
    check_room(parameters(engine.weights.folder), engine.weights.base, engine.model.device, four_bit=four_bit)
    made = material(engine, question, labelled, options)
    plan = Plan(
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
        patience=options.patience,
    )
    checkpoint = Checkpoint(work / CHECKPOINT, _key(engine, question, made, options, plan, snapshot, parent))
    report(Step("loading the model", 0, 1))
    with torch.random.fork_rng(devices=gpus(engine.model.device)):
        torch.manual_seed(options.seed)
        model = tunable(engine, options)
        learned = train(model, made.taught, plan, held=made.held, checkpoint=checkpoint, report=report)
    saved = work / "lora"
    shutil.rmtree(saved, ignore_errors=True)
    model.save_pretrained(saved, save_embedding_layers=False)
    manifest = _manifest(engine, question, made, options, plan, learned, snapshot=snapshot, parent=parent)
    done = adopt(saved, folder, manifest)
    shutil.rmtree(saved, ignore_errors=True)
    return done


def material(engine: CausalEngine, question: Question, labelled: Labelled, options: Options) -> Material:
    """The lessons of labelled texts. `TrainingError` when nothing can be learned from them."""
    if reason := engine.why_not(question):
        raise TrainingError(reason)
    checked(question, labelled.items)
    engine.frames(question)  # says what is wrong with the labels' words
    fitted = ~np.asarray(labelled.held, dtype=bool)
    found = targets(question, labelled.items, labelled.answers)
    chosen = np.flatnonzero(fitted)
    targets(question, [labelled.items[n] for n in chosen], [labelled.answers[n] for n in chosen])
    goal = shared(question, found, np.asarray(labelled.shares)) if options.shares else found
    sides = goals(question, goal)
    weights = [evened(side, fitted) for side in sides]
    whole = courses(engine.tokens, question, engine.wording, labelled.items, sides, weights=weights, shots=engine.shots)
    held = _part(whole, ~fitted) if not fitted.all() else ()
    return Material(_part(whole, fitted), held, found, fitted)


def evened(goal: Array, fitted: NDArray[np.bool_]) -> Array:
    """Weights [n] of lessons with these goals [n, K], by how often labels occur among those `fitted`, where their mean
    is 1."""
    often = np.maximum(goal[fitted].sum(axis=0), 1.0)
    weights = (goal @ (1.0 / often)) ** BALANCE
    return np.asarray(weights / weights[fitted].mean())


def tunable(engine: CausalEngine, options: Options) -> Any:
    """The engine's base, loaded anew with a LoRA that is to be trained; torch's seed decides its first values."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    base = loaded(engine.weights, engine.model.device, engine.model.dtype, attention())
    again = {"use_reentrant": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers in a way it will drop
        if engine.model.dtype == FOUR_BIT:
            base = prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
                base, use_gradient_checkpointing=options.checkpointing, gradient_checkpointing_kwargs=again
            )
        elif options.checkpointing:
            base.gradient_checkpointing_enable(gradient_checkpointing_kwargs=again)
        config = LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            use_rslora=options.rslora,
            target_modules=TARGETS[options.targets],
            task_type="CAUSAL_LM",
        )
        return get_peft_model(base, config)


def _check(options: Options) -> None:
    whole = min(options.rank, options.alpha, options.epochs, options.batch, options.patience)
    if whole < 1 or not 0 <= options.dropout < 1 or not options.rate > 0:
        raise TrainingError(
            "Rank, alpha, epochs, batch and patience are whole numbers from 1, the dropout is from 0 to below 1, and "
            "the learning rate is above 0. Change the options."
        )


def _part(whole: Sequence[Course], chosen: NDArray[np.bool_]) -> tuple[Course, ...]:
    places = np.flatnonzero(chosen)
    return tuple(replace(course, lessons=tuple(course.lessons[n] for n in places)) for course in whole)


def _key(engine: CausalEngine, question: Question, made: Material, *rest: object) -> str:
    """What a checkpoint belongs to: everything that the weights which come out depend on, or their manifest."""
    identity, libraries = engine.identity, versions()
    with_them = [libraries[name] for name in MADE_WITH]
    device = engine.model.device.split(":")[0]
    parts = (identity.digest, identity.prompt, identity.dtype, device, question.id, made.taught, made.held)
    return hashlib.sha256(repr((*parts, *rest, BALANCE, with_them)).encode()).hexdigest()


def gpus(device: str) -> list[str]:
    """The GPUs whose random numbers training draws."""
    return [device] if device.startswith("cuda") else []


def _manifest(
    engine: CausalEngine,
    question: Question,
    made: Material,
    options: Options,
    plan: Plan,
    learned: Learned,
    *,
    snapshot: str,
    parent: str | None,
) -> Manifest:
    used = {name: value for name, value in asdict(options).items() if name not in ("seed", "encoder")}
    held = learned.held
    manifest = described(
        engine.identity,
        question,
        counts(question, made.found[made.fitted]),
        method="lora",
        hyperparameters=used
        | {"warm_up": plan.warm_up, "decay": plan.decay, "clip": plan.clip, "balance": BALANCE}
        | {"dtype": engine.identity.dtype},
        metrics={
            "texts": int(made.fitted.sum()),
            "validation_texts": int((~made.fitted).sum()),
            "cut_prompts": sum(course.cut for course in made.taught),
            "losses": learned.losses,
            "validation_losses": held,
            "validation_loss_before": learned.before,
            "validation_loss": held[learned.best - 1] if held else None,
            "epochs": len(learned.losses),
            "best_epoch": learned.best,
            "tokens": learned.tokens,
        },
        seed=options.seed,
        snapshot=snapshot,
        parent=parent,
    )
    return replace(manifest, vocabulary=engine.weights.tokenizer)
