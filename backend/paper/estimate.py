"""How much memory and time an instruction tuning takes, said before it starts: by formula, from the model's shape.

Memory: what lies on the device all the time (weights; of what is trained also the gradient, AdamW's two moments and a
copy of the best), and at most one row's activations: of each layer what its backward pass reads, or with checkpointing
one layer's and the inputs of all. Time: floating-point operations at the rate of matrix products on the device just
now. Both are estimates: measured, memory was within a factor of 1.5.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.engines import cost, devices, models
from backend.engines.causal import CausalEngine
from backend.engines.causal_model import FOUR_BIT
from backend.engines.packs import packs
from backend.engines.protocol import EngineError
from backend.tuners.instruct import Material
from backend.tuners.labelled import Batch, Course, share, steps
from backend.tuners.presets import Recipe

WITHIN = 1.5  # the factor that measured activations were within of these; the test holds it
FULL = 4  # bytes of a number that is trained
CONTEXT = 0.8e9  # bytes that CUDA takes for itself
GB = 1e9


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama-shaped model: `own` sizes of queries, `keys` of keys and values, `weights` in all and `layer` of those
    every token is multiplied with."""

    hidden: int
    inner: int
    layers: int
    own: int
    keys: int
    words: int
    weights: int
    layer: int


@dataclass(frozen=True, slots=True)
class RowShape:
    """A row of training: tokens of the instruction, number of texts, the longest's tokens, tokens of all, and places
    where a distribution is read."""

    prefix: int
    texts: int
    longest: int
    tokens: int
    reads: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes by what they hold, bytes there are `there`, and about the seconds of the whole training."""

    parts: dict[str, float]
    there: float
    where: str
    seconds: float
    steps: int
    tokens: int
    row: RowShape

    @property
    def memory(self) -> float:
        return sum(self.parts.values())

    def lines(self) -> list[str]:
        """What a person reads."""
        parts = ", ".join(f"{name} {_size(value)}" for name, value in self.parts.items())
        return [
            f"Memory: about {_size(self.memory)} of the {_size(self.there)} {self.where} ({parts}).",
            f"Time: about {cost.duration(self.seconds)} for {self.steps:,} steps and {self.tokens:,} tokens; "
            f"the longest row has {self.row.texts:,} texts and {self.row.tokens:,} tokens.",
        ]


def estimate(engine: CausalEngine, made: Material, recipe: Recipe, *, processes: int = 1) -> Estimate:
    """Of tuning the engine's base on these lessons by this recipe; the base is not loaded."""
    form = shape(engine.weights.folder)
    on_gpu = engine.model.device != "cpu"
    checkpointing = recipe.options(on_gpu=on_gpu).checkpointing
    plan = recipe.plan()
    order = np.random.default_rng([plan.seed, 0])
    epoch = list(steps(made.taught, plan.batch, plan.together or plan.batch, order))
    rows = [row for step in epoch for row in rows_of(share(step, 0, processes), plan.budget)]
    number = FULL if recipe.weights == "all" or engine.model.dtype == "float32" else 2
    worst = max(rows, key=lambda row: activations(form, row, recipe, number, checkpointing=checkpointing))
    parts = standing(form, recipe, engine.model.dtype)
    parts["activations"] = activations(form, worst, recipe, number, checkpointing=checkpointing)
    parts |= {"CUDA": CONTEXT} if on_gpu else {"checkpoints": 2 * FULL * 4 * trained(form, recipe)}
    there, where = devices.room(engine.model.device)
    taught = sum(row.tokens for step in epoch for row in rows_of(step, plan.budget))
    apart = sum(row.tokens for row in _validation((*made.held, *made.watched), plan.budget))
    work = taught * plan.epochs * _passes(recipe, checkpointing=checkpointing) + apart * (plan.epochs + 1)
    rate = cost.SHARE * cost.rate(engine.model.device) * processes
    return Estimate(
        parts, there, where, 2 * form.layer * work / rate, plan.epochs * len(epoch), taught * plan.epochs, worst
    )


def check_fits(found: Estimate, base: str, recipe: Recipe, *, four_bit: bool) -> None:
    """`EngineError` when it takes more memory than there is, with what to change."""
    if found.memory <= found.there:
        return
    changes = [
        "--weights lora" if recipe.weights == "all" else "",
        "--four-bit" if recipe.weights == "lora" and not four_bit and found.where.endswith("GPU") else "",
        "--checkpointing" if recipe.checkpointing is False else "",
        f"--window {max(256, found.row.longest // 2)}" if found.row.longest > 512 else "",
        f"--budget {max(512, found.row.tokens // 2)}" if found.row.texts > 1 else "",
    ]
    raise EngineError(
        f"Tuning '{base}' takes about {_size(found.memory)}, and there are {_size(found.there)} {found.where}. "
        f"Change: {', '.join(change for change in changes if change) or 'a smaller base'}, or use a larger device."
    )


def shape(folder: Path) -> Shape:
    """Of the model in a folder, from its settings and its files' headers."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    return Shape(
        hidden=config["hidden_size"],
        inner=config["intermediate_size"],
        layers=config["num_hidden_layers"],
        own=heads * size,
        keys=(config.get("num_key_value_heads") or heads) * size,
        words=config["vocab_size"],
        weights=models.parameters(folder),
        layer=models.parameters(folder, named=".layers.") or models.parameters(folder),
    )


def trained(form: Shape, recipe: Recipe) -> int:
    """Numbers that are trained."""
    if recipe.weights == "all":
        return form.weights
    return recipe.rank * form.layers * sum(a + b for a, b in _adapted(form, recipe))


def standing(form: Shape, recipe: Recipe, dtype: str) -> dict[str, float]:
    """Bytes that are taken all the time."""
    size = {FOUR_BIT: devices.FOUR_BIT, "float32": devices.FLOAT32}.get(dtype, devices.BFLOAT16)
    new, whole = trained(form, recipe) * FULL, recipe.weights == "all"
    first = {"weights": form.weights * FULL} if whole else {"weights": form.weights * size, "adapter": new}
    return {**first, "gradient": new, "optimiser": 2 * new, "best epoch": new}


def activations(form: Shape, row: RowShape, recipe: Recipe, number: int, *, checkpointing: bool) -> float:
    """Bytes of what a row's forward pass keeps for its backward pass, `number` bytes each, of its logits, and of the
    gradients inside one layer."""
    each = _layer(form, row, recipe, number)
    beside = row.reads * form.words * (2 * number + 2 * FULL)
    beside += row.tokens * (2 * form.hidden + 3 * form.inner) * number
    if checkpointing:
        return form.layers * row.tokens * form.hidden * number + each + beside
    return form.layers * each + beside


def rows_of(step: Iterable[Batch], budget: int) -> Iterator[RowShape]:
    """The rows that a step is run in."""
    for batch in step:
        lengths = [len(lesson) for lesson in batch.lessons]
        for start, end in packs(lengths, max(1, budget - len(batch.prefix))):
            reads = sum(len(answer) for lesson in batch.lessons[start:end] for answer in lesson.answers[:1])
            some = lengths[start:end]
            yield RowShape(len(batch.prefix), len(some), max(some), len(batch.prefix) + sum(some), reads)


def _validation(courses: Sequence[Course], budget: int) -> Iterator[RowShape]:
    for course in courses:
        yield from rows_of([Batch(course.prefix, tuple(sorted(course.lessons, key=len)))], budget)


def _layer(form: Shape, row: RowShape, recipe: Recipe, number: int) -> float:
    """Bytes of one layer: its norms, its attention over filled up texts, its inner layer, and inputs of what is
    trained."""
    token = 2.0 * form.hidden * FULL + 3 * form.inner * number  # norms count in float32
    if recipe.weights == "all":
        token += (4 * form.hidden + form.own + form.inner) * number
    else:
        kept = FULL + (1 if recipe.dropout else 0)  # the input, and what was dropped of it
        token += sum(a * kept + recipe.rank * FULL for a, _ in _adapted(form, recipe))
    filled, seen = row.texts * row.longest, row.texts * (row.prefix + row.longest)
    attention = 2 * (filled + row.prefix) * form.own + 2 * seen * form.keys + 2 * row.prefix * form.own
    mask = filled * (row.prefix + row.longest) * (form.own // form.keys)
    return row.tokens * token + (attention + mask) * number


def _adapted(form: Shape, recipe: Recipe) -> list[tuple[int, int]]:
    """Inputs and outputs of a layer's parts that get a LoRA."""
    h, m, own, keys = form.hidden, form.inner, form.own, form.keys
    found = [(h, own), (h, keys)]
    return found if recipe.targets == "qv" else [*found, (h, keys), (own, h), (h, m), (h, m), (m, h)]


def _passes(recipe: Recipe, *, checkpointing: bool) -> int:
    """Forward passes that a token's training costs as much as: with one backward through what is not trained, or
    two."""
    return (3 if recipe.weights == "all" else 2) + checkpointing


def _size(size: float) -> str:
    return f"{size / GB:.1f} GB" if size >= 0.05 * GB else f"{size / 1e6:.1f} MB"
