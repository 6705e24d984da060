"""From the names of a base model and of labelled texts to one model tuned on all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backend.engines import choice, dataset, hub, instructions, models
from backend.engines.causal import CausalEngine
from backend.engines.wording import remarks
from backend.paper import model_card
from backend.paper.estimate import Estimate, check_fits, estimate
from backend.paper.mix import Mix, held_out, mixed
from backend.paper.sources import licences, tasks
from backend.settings import Settings
from backend.tuners.adapter import free
from backend.tuners.instruct import Made, Material, instruct, material
from backend.tuners.presets import Recipe
from backend.tuners.processes import Processes
from backend.tuners.training import Report

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants: of which labelled texts (`sources`, see `backend.paper.sources`) which tasks are learned,
    and which are held out, by which recipe; and the folder that is made. `settings` name the base and its device."""

    sources: Sequence[str]
    chosen: str
    out: str
    recipe: Recipe
    folder: Path
    merge: bool
    settings: Settings

    @property
    def work(self) -> Path:
        """Where checkpoints lie until it is done."""
        return self.folder.with_name(f".{self.folder.name}.work")


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that training needs, but for the base in memory."""

    order: Order
    engine: CausalEngine
    mix: Mix
    lessons: Material
    estimate: Estimate

    def check(self) -> None:
        """`EngineError` when it does not fit into the device's memory."""
        base, four_bit = self.engine.weights.base, self.order.settings.four_bit
        check_fits(self.estimate, base, self.order.recipe, four_bit=four_bit)


def prepared(order: Order, say: Say, processes: Processes) -> Prepared:
    """Everything that can be wrong is found here, before minutes of loading; `say` is told what a person should know.

    Raises `SourceError`, `TrainingError` or `EngineError` with a sentence.
    """
    free(order.folder)
    order = _worded(order, say)
    recipe, settings = order.recipe, order.settings
    weights = models.find_causal(settings.model or None)
    found = tasks(order.sources, order.chosen, seed=recipe.seed, say=say)
    mix = mixed(
        found,
        held_out(found, order.out),
        cap=recipe.cap,
        held_cap=recipe.held_cap,
        balance=recipe.balance,
        seed=recipe.seed,
    )
    wording = choice.wording_of(settings, weights)
    for sentence in (
        *(f"{task.name}: {remark}" for task in found for remark in task.remarks),
        *mix.remarks,
        *remarks(wording, [one.question for one in mix.taught]),
        *(f"Terms of {line}" for line in licences(found)),
    ):
        say(sentence)
    engine = CausalEngine(
        weights,
        wording=wording,
        device=processes.device(settings.device),
        four_bit=settings.four_bit,
        ready=False,
    )
    lessons = material(engine, mix.taught, mix.held, mix.watched, recipe)
    return Prepared(order, engine, mix, lessons, estimate(engine, lessons, recipe, processes=processes.size))


def tuned(ready: Prepared, report: Report, processes: Processes) -> Made:
    """Train, and write the folder; what an interruption left is gone on from, and is removed at the end."""
    order, engine, mix = ready.order, ready.engine, ready.mix
    ready.check()
    whole = order.merge or order.recipe.weights == "all"
    made = instruct(
        engine,
        mix.taught,
        mix.held,
        order.recipe,
        order.folder,
        work=order.work,
        report=report,
        watched=mix.watched,
        merge=order.merge,
        lessons=ready.lessons,
        about=_about(ready, processes),
        card=lambda manifest: model_card.text(manifest, order.folder.name, whole=whole),
        processes=processes,
    )
    if processes.main:
        shutil.rmtree(order.work, ignore_errors=True)
    return made


def _worded(order: Order, say: Say) -> Order:
    """The order with our wording where the authors' is wanted and not on this machine."""
    source = order.recipe.instructions
    if source == "authors" and instructions.known() is None:
        say(
            "The authors' instructions are not on this machine: our own wording is learned. Get theirs with: "
            f"socialite model fetch {dataset.DATASET}"
        )
        source = "ours"
    return replace(
        order,
        recipe=replace(order.recipe, instructions=source),
        settings=order.settings.model_copy(update={"instructions": source}),
    )


def _about(ready: Prepared, processes: Processes) -> dict[str, Any]:
    """What the manifest says besides: where base and texts come from, and how they are asked for later."""
    weights = ready.engine.weights
    return {
        "base_revision": hub.commit(weights.folder) or "",
        "base_licence": model_card.licence_of(weights),
        "sources": list(ready.order.sources),
        "remarks": list(ready.mix.remarks),
        "processes": processes.size,
        "merged": ready.order.merge,
        "verbalised": choice.verbalised(ready.order.settings, weights),
    }
