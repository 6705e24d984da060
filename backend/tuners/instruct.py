"""One causal model tuned on many tasks: a LoRA for all of them, a model it is merged into, or a model's own weights.

What is learned is what the engine scores: the answer and the end token behind the engine's own prompts.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import INSTRUCT, Manifest
from backend.engines.causal import CausalEngine
from backend.engines.causal_model import FOUR_BIT, loaded
from backend.engines.models import VOCABULARY
from backend.engines.protocol import Item
from backend.engines.scorable import checked
from backend.engines.tokens import Tokens
from backend.tuners.adapter import Card, adopt, free, versions
from backend.tuners.adapter import model as write_model
from backend.tuners.answers import Learned, train
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.labelled import Course, courses, goals
from backend.tuners.lora import MADE_WITH, gpus, tunable
from backend.tuners.presets import Recipe, check
from backend.tuners.processes import Processes
from backend.tuners.rows import attention
from backend.tuners.targets import TrainingError, targets
from backend.tuners.training import Report, Step
from labelstudio_config.codebook import Question

ANY = "*"  # of questions and kinds
CHECKPOINT = "instruct.checkpoint"
BESIDE = (*VOCABULARY, "special_tokens_map.json", "generation_config.json", "chat_template*")


@dataclass(frozen=True, slots=True)
class Taught:
    """Labelled texts of one task: n items, and the ids of the labels of each.

    An epoch draws `draws` of them, others each time; by default it takes each once. `source` and `licence` are noted.
    """

    name: str
    question: Question
    items: tuple[Item, ...]
    answers: tuple[frozenset[str], ...]
    draws: int | None = None
    source: str = ""
    licence: str = ""

    def __len__(self) -> int:
        return len(self.items)

    def labels(self) -> dict[str, int]:
        """Texts per label id."""
        return {label: sum(label in answer for answer in self.answers) for label in self.question.label_ids}


@dataclass(frozen=True, slots=True)
class Material:
    """The lessons: what is learned, what decides on the best epoch (`held`), and what is `watched` only; `owners` are
    the names of the tasks of the courses that are held and watched, in their order."""

    taught: tuple[Course, ...]
    held: tuple[Course, ...]
    watched: tuple[Course, ...]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: a folder with an adapter or a model, its manifest, and how training went."""

    folder: Path
    manifest: Manifest
    learned: Learned


def instruct(
    engine: CausalEngine,
    taught: Sequence[Taught],
    held: Sequence[Taught],
    recipe: Recipe,
    folder: Path,
    *,
    work: Path,
    report: Report,
    watched: Sequence[Taught] = (),
    merge: bool = False,
    lessons: Material | None = None,
    about: Mapping[str, Any] | None = None,
    card: Card | None = None,
    processes: Processes | None = None,
) -> Made:
    """Tune the engine's base on all tasks and write what was learned to `folder`, which must not exist.

    `taught` are the texts learned, `held` texts of the same tasks and `watched` those of tasks never trained on: the
    recipe says which of them decide on the best epoch, the loss on the others is told. `lessons` is what `material`
    made of them, if that has been done. The base is loaded anew, on the engine's device, in its dtype, or in
    float32 where all weights are trained. An adapter is written, or a whole model with `merge` and where all weights
    are trained. `about` is noted among the manifest's metrics, `card` makes the README of the manifest. `work` holds
    checkpoints: a call with the same arguments goes on where one before it was interrupted, and comes to the same end.
    Raises `TrainingError` or `EngineError` with a sentence.
    """
    import torch

    free(folder)
    check(recipe)
    together = processes or Processes()
    made = lessons or material(engine, taught, held, watched, recipe)
    snapshot = fingerprint(taught, held, watched)
    checkpoint = Checkpoint(work / CHECKPOINT, _key(engine, made, recipe, snapshot, together.size))
    report(Step("loading the model", 0, 1))
    device = engine.model.device
    with torch.random.fork_rng(devices=gpus(device)):
        torch.manual_seed(recipe.seed)
        model = trainable(engine, recipe)
        if together.rank:
            torch.manual_seed(recipe.seed + together.rank)  # so that each drops other values out
        learned = train(
            model,
            made.taught,
            recipe.plan(),
            held=made.held,
            watched=made.watched,
            checkpoint=checkpoint,
            report=report,
            processes=together,
        )
    manifest = _manifest(engine, recipe, (taught, held, watched), made, learned, snapshot, dict(about or {}))
    if together.main:
        report(Step("writing", 0, 1))
        manifest = _write(engine, model, recipe, folder, manifest, work, merge=merge, card=card)
        report(Step("writing", 1, 1))
    return Made(folder, together.told(manifest), learned)


def material(
    engine: CausalEngine,
    taught: Sequence[Taught],
    held: Sequence[Taught],
    watched: Sequence[Taught],
    recipe: Recipe,
) -> Material:
    """The lessons of all tasks. `TrainingError` when nothing can be learned from one of them."""
    if not taught:
        raise TrainingError("There is no task to learn. Choose tasks with texts for training.")
    tokens = _tokens(engine, recipe)
    for one in taught:
        targets(one.question, one.items, one.answers)
    if recipe.best_by == "tasks" and not watched:
        raise TrainingError("No task is held out, so none can decide on the best epoch. Hold one out, or let texts do.")
    apart = (held, watched) if recipe.best_by == "texts" else (watched, held)
    made = [[_courses(engine, tokens, one, recipe) for one in part] for part in (taught, *apart)]
    flat = [tuple(course for task in part for course in task) for part in made]
    pairs = zip((*apart[0], *apart[1]), (*made[1], *made[2]), strict=True)
    return Material(flat[0], flat[1], flat[2], tuple(one.name for one, found in pairs for _ in found))


def trainable(engine: CausalEngine, recipe: Recipe) -> Any:
    """The engine's base, loaded anew for training; torch's seed decides the first values of a LoRA."""
    on_gpu = engine.model.device != "cpu"
    options = recipe.options(on_gpu=on_gpu)
    if recipe.weights == "lora":
        return tunable(engine, options)
    if engine.model.dtype == FOUR_BIT:
        raise TrainingError("Weights of four bits cannot all be trained. Train a LoRA, or leave out the 4-bit option.")
    model = loaded(engine.weights, engine.model.device, "float32", attention()).requires_grad_(True)
    if options.checkpointing:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # another name for it, which older transformers lack
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def fingerprint(*parts: Sequence[Taught]) -> str:
    """sha256 of the labelled texts, those that are learned and those that are not."""
    found = hashlib.sha256()
    for part in parts:
        found.update(b"part")
        for one in part:
            rows = [(item, sorted(answer)) for item, answer in zip(one.items, one.answers, strict=True)]
            found.update(repr((one.name, one.question.id, rows)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _tokens(engine: CausalEngine, recipe: Recipe) -> Tokens:
    tokens = engine.tokens
    return tokens if recipe.window is None else Tokens(tokens.tokenizer, min(recipe.window, tokens.window))


def _courses(engine: CausalEngine, tokens: Tokens, one: Taught, recipe: Recipe) -> tuple[Course, ...]:
    question = one.question
    if reason := engine.why_not(question):
        raise TrainingError(reason)
    checked(question, one.items)
    engine.frames(question)  # says what is wrong with the labels' words
    made = courses(tokens, question, engine.wording, one.items, goals(question, _found(one)), shots=engine.shots)
    return tuple(replace(course, lessons=_weighed(course, recipe), draws=one.draws) for course in made)


def _weighed(course: Course, recipe: Recipe) -> Any:
    if not recipe.per_token:
        return course.lessons
    return tuple(replace(lesson, weight=1 / len(lesson.answers[0])) for lesson in course.lessons)


def _found(one: Taught) -> NDArray[np.float64]:
    """Zeros and ones [n, K]."""
    column = {label: k for k, label in enumerate(one.question.label_ids)}
    found = np.zeros((len(one), len(column)))
    for row, answer in enumerate(one.answers):
        found[row, [column[label] for label in answer]] = 1.0
    return found


def _key(engine: CausalEngine, made: Material, recipe: Recipe, snapshot: str, size: int) -> str:
    """What a checkpoint belongs to: everything that the weights which come out depend on."""
    identity, libraries = engine.identity, versions()
    with_them = [libraries[name] for name in MADE_WITH]
    device = engine.model.device.split(":")[0]
    parts = (identity.digest, identity.prompt, identity.dtype, device, snapshot, size, recipe, with_them)
    return hashlib.sha256(repr((*parts, made)).encode()).hexdigest()


def _manifest(
    engine: CausalEngine,
    recipe: Recipe,
    parts: tuple[Sequence[Taught], Sequence[Taught], Sequence[Taught]],
    made: Material,
    learned: Learned,
    snapshot: str,
    about: dict[str, Any],
) -> Manifest:
    taught, held, watched = parts
    identity, used = engine.identity, asdict(recipe)
    used["checkpointing"] = recipe.options(on_gpu=engine.model.device != "cpu").checkpointing
    return Manifest(
        method=INSTRUCT,
        engine=identity.engine,
        base=identity.base,
        base_digest=identity.digest,
        prompt=identity.prompt,
        question=ANY,
        kind=ANY,
        fields=0,
        labels=(),
        examples={one.name: len(one) for one in taught},
        parent=None,
        snapshot=snapshot,
        seed=recipe.seed,
        hyperparameters=used | {"dtype": "float32" if recipe.weights == "all" else identity.dtype},
        metrics={
            "tasks": [one.name for one in taught],
            "held_out_tasks": [one.name for one in watched],
            "data": [_described(one, held) for one in taught],
            "watched": [_described(one, ()) for one in watched],
            "texts": sum(map(len, taught)),
            "validation_texts": sum(map(len, held)),
            "cut_prompts": sum(course.cut for course in made.taught),
            "losses": learned.losses,
            "validation_losses": learned.held,
            "validation_loss_before": learned.before,
            "validation_loss": learned.held[learned.best - 1] if learned.held else None,
            "losses_of_tasks": _by_task(made, learned),
            "epochs": len(learned.losses),
            "best_epoch": learned.best,
            "tokens": learned.tokens,
        }
        | about,
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
        vocabulary=engine.weights.tokenizer,
    )


def _described(one: Taught, held: Sequence[Taught]) -> dict[str, Any]:
    about = {"name": one.name, "source": one.source, "licence": one.licence, "texts": len(one), "labels": one.labels()}
    return about | {"drawn": one.draws, "validation_texts": sum(len(other) for other in held if other.name == one.name)}


def _by_task(made: Material, learned: Learned) -> dict[str, list[float]]:
    """The loss of each task that was held or watched, before training and after each epoch: the mean of its
    courses'."""
    found: dict[str, list[float]] = {}
    for name in dict.fromkeys(made.owners):
        places = [n for n, owner in enumerate(made.owners) if owner == name]
        found[name] = [float(np.mean([row[n] for n in places])) for row in learned.courses]
    return found


def _write(
    engine: CausalEngine,
    model: Any,
    recipe: Recipe,
    folder: Path,
    manifest: Manifest,
    work: Path,
    *,
    merge: bool,
    card: Card | None,
) -> Manifest:
    if recipe.weights == "all":
        return write_model(folder, manifest, lambda part: _fill(engine, model, part), card)
    saved = work / "lora"
    shutil.rmtree(saved, ignore_errors=True)
    model.save_pretrained(saved, save_embedding_layers=False)
    try:
        if not merge:
            return adopt(saved, folder, manifest, card=card)
        whole = _merged(engine, model, saved)
        return write_model(folder, manifest, lambda part: _fill(engine, whole, part), card)
    finally:
        shutil.rmtree(saved, ignore_errors=True)


def _merged(engine: CausalEngine, model: Any, saved: Path) -> Any:
    """The base with the LoRA inside its weights; of four bits, the whole base is loaded for it."""
    if engine.model.dtype == FOUR_BIT:
        from peft import PeftModel

        base = loaded(engine.weights, "cpu", "bfloat16", attention())
        model = PeftModel.from_pretrained(base, str(saved))
    return model.merge_and_unload()


def _fill(engine: CausalEngine, model: Any, part: Path) -> None:
    """A model's folder: weights, settings, and the base's own tokenizer."""
    model.save_pretrained(part)
    for pattern in BESIDE:
        for path in engine.weights.folder.glob(pattern):
            if not (part / path.name).exists():
                shutil.copyfile(path, part / path.name)
