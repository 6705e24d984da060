"""`socialite instruct-tune`: one model of many tasks, with what it will take said first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import settings
from backend.commands.console import say, stages


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was typed; `recipe` are parts of `backend.tuners.presets.Recipe`, None where the preset decides."""

    base: str
    data: list[str]
    tasks: str
    held_out: str
    preset: str
    recipe: Mapping[str, Any]
    merge: bool
    four_bit: bool | None
    device: str | None
    estimate: bool
    output: Path


def run(wishes: Wishes) -> None:
    """Tune the base and write the folder; with `estimate`, say what it would take and stop.

    Started by `accelerate launch` each process takes a part of every step; the main one alone speaks and writes.
    """
    from backend.paper.instruct import Order, prepared, tuned
    from backend.tuners.presets import recipe
    from backend.tuners.processes import processes

    in_force = settings.load(engine="causal", model=wishes.base, four_bit=wishes.four_bit, device=wishes.device)
    made = recipe(wishes.preset, **wishes.recipe)
    order = Order(wishes.data, wishes.tasks, wishes.held_out, made, wishes.output, wishes.merge, in_force)
    together = processes()
    tell = say if together.main else _nothing
    ready = prepared(order, tell, together)
    for line in ready.estimate.lines():
        tell(line)
    ready.check()
    if wishes.estimate:
        return
    together.start(ready.engine.model.device)
    try:
        with stages() as report:
            done = tuned(ready, report if together.main else _nothing, together)
    except KeyboardInterrupt:
        tell("Stopped. The same command goes on from the last checkpoint.")
        raise
    together.end()
    metrics = done.manifest.metrics
    what = "a model" if wishes.merge or made.weights == "all" else "an adapter"
    tasks = "1 task" if len(metrics["tasks"]) == 1 else f"{len(metrics['tasks'])} tasks"
    tell(
        f"{wishes.output} holds {what} of {tasks}: {metrics['texts']:,} texts, epoch {metrics['best_epoch']} of "
        f"{metrics['epochs']}{_loss(metrics['validation_loss'])}. Its README.md is the model card."
    )


def _loss(value: float | None) -> str:
    return "" if value is None else f", validation loss {value:.4f}"


def _nothing(_: Any) -> None:
    """The other processes are silent."""
