"""Recipes for instruction-tuning a causal model on many tasks: SOCIALITE-LLAMA's authors' own, and ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from backend.tuners.answers import BUDGET, Plan
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is tuned on many tasks; the defaults are the authors' recipe, as far as it is known.

    `weights`: a LoRA, or all weights (in float32). `targets`: the linear layers that get a LoRA, query and value or
    all. A step is of `batch` texts, `together` of which are of one task and packed behind its instruction; with one
    they are drawn over all tasks. `window`: tokens that are read of a prompt, as far as the base reads so many.
    `per_token`: a text's loss is the mean over the tokens of its answer; else minus the log-probability of the whole
    answer, which is what is scored. `checkpointing`: compute activations again; None does so on a GPU. `schedule`:
    how the rate falls after the warm-up. `best_by`: the best epoch is the one with the lowest loss on held-out texts of
    the tasks that are learned, or on the tasks that are held out.

    Of the data: `cap` texts of a task at most, `held_cap` of those that say when to stop. `balance`: an epoch draws of
    a task with n texts a share proportional to n to this power: 1 as the texts are, 0 the same of each task.
    `instructions`: whose wording is learned.
    """

    preset: str = "authors"
    weights: Literal["lora", "all"] = "lora"
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    targets: Literal["qv", "all"] = "qv"
    rslora: bool = False
    rate: float = 1e-4
    warm_up: float = 0.1
    schedule: Literal["cosine", "linear"] = "linear"
    decay: float = 0.0
    clip: float = 1.0
    batch: int = 128
    together: int = 1
    epochs: int = 5
    patience: int = 5
    window: int | None = 3000
    per_token: bool = True
    checkpointing: bool | None = None
    balance: float = 1.0
    cap: int | None = None
    held_cap: int | None = None
    instructions: Literal["authors", "ours"] = "authors"
    best_by: Literal["texts", "tasks"] = "texts"
    seed: int = 0
    budget: int = BUDGET

    def plan(self) -> Plan:
        return Plan(
            epochs=self.epochs,
            batch=self.batch,
            rate=self.rate,
            warm_up=self.warm_up,
            decay=self.decay,
            clip=self.clip,
            seed=self.seed,
            patience=self.patience,
            budget=self.budget,
            together=min(self.together, self.batch),
            schedule=self.schedule,
        )

    def options(self, *, on_gpu: bool) -> Options:
        """Of these, what a LoRA is made with."""
        return Options(
            seed=self.seed,
            rank=self.rank,
            alpha=self.alpha,
            dropout=self.dropout,
            targets=self.targets,
            rslora=self.rslora,
            checkpointing=on_gpu if self.checkpointing is None else self.checkpointing,
        )


PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {
        "authors": Recipe(),
        "packed": Recipe(
            preset="packed",
            rank=16,
            alpha=32,
            targets="all",  # Dettmers et al. 2023, QLoRA, NeurIPS: what it takes to come up to tuning all weights
            rate=2e-4,  # theirs for 7B
            warm_up=0.03,
            schedule="cosine",
            together=16,  # eight tasks a step; an instruction is read once for sixteen texts
            epochs=3,
            patience=1,
            window=None,
            per_token=False,
            balance=0.5,
            held_cap=500,
            instructions="ours",
        ),
    }
)


CHOICES = {
    "weights": ("lora", "all"),
    "targets": ("qv", "all"),
    "schedule": ("cosine", "linear"),
    "instructions": ("authors", "ours"),
    "best_by": ("texts", "tasks"),
}


def recipe(preset: str, **given: Any) -> Recipe:
    """The preset's recipe with what was given (None is not) in its place. `TrainingError` for what cannot be."""
    if preset not in PRESETS:
        raise TrainingError(f"There is no preset '{preset}'. Choose one of: {', '.join(PRESETS)}.")
    made = replace(PRESETS[preset], **{name: value for name, value in given.items() if value is not None})
    check(made)
    return made


def check(made: Recipe) -> None:
    """`TrainingError` says which of the values cannot be."""
    whole = ("rank", "alpha", "batch", "together", "epochs", "patience", "budget")
    optional = ("window", "cap", "held_cap")
    low = [name for name in whole if getattr(made, name) < 1]
    low += [name for name in optional if getattr(made, name) is not None and getattr(made, name) < 1]
    if low:
        raise TrainingError(f"{low[0].replace('_', '-')} is a whole number from 1. Change it.")
    if not 0 <= made.dropout < 1 or not made.rate > 0 or not 0 <= made.warm_up <= 1 or made.decay < 0:
        raise TrainingError(
            "The dropout is from 0 to below 1, the learning rate above 0, the warm-up from 0 to 1 and the decay 0 or "
            "more. Change the options."
        )
    if not 0 <= made.balance <= 1:
        raise TrainingError("The balance of the tasks is from 0 (the same of each) to 1 (as the texts are). Change it.")
    for name, known in CHOICES.items():
        if getattr(made, name) not in known:
            raise TrainingError(f"{name.replace('_', '-')} is one of: {', '.join(known)}. Change it.")
