"""What training an encoder will take: memory by a formula, time by a few steps that are tried, both told before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.engines.classifier_model import batches
from backend.engines.cost import duration
from backend.tuners.encoder_learner import drawn
from backend.tuners.multitask_draw import Draw
from backend.tuners.multitask_learner import Learner
from backend.tuners.multitask_subjects import Course, EncoderOptions

TRIED = 4  # steps tried, the first not counted
WEIGHT = 16  # bytes a weight: itself, its gradient, and two moments of AdamW, all in float32
SCORED = 1 / 3  # of the time of learning from a token it takes to score one


@dataclass(frozen=True, slots=True)
class Estimate:
    """Weights that are learned; bytes for them and for the longest step's activations; steps and padded tokens of all
    epochs; and seconds on this machine, None where nothing was tried.
    """

    weights: int
    held_bytes: float
    activation_bytes: float
    texts: int
    steps: int
    tokens: int
    seconds: float | None = None

    @property
    def memory(self) -> float:
        """Bytes altogether."""
        return self.held_bytes + self.activation_bytes

    def sentence(self) -> str:
        took = f", about {duration(self.seconds)} on this machine" if self.seconds is not None else ""
        return (
            f"{self.weights / 1e6:,.1f} million weights learn from {self.texts:,} texts: about "
            f"{self.memory / 1e9:.1f} GB of memory ({self.held_bytes / 1e9:.1f} for weights, gradients and moments, "
            f"{self.activation_bytes / 1e9:.1f} for activations); at most {self.steps:,} steps and {self.tokens:,} "
            f"tokens{took}."
        )


def estimated(config: Any, weights: int, courses: Sequence[Course], options: EncoderOptions, *, half: bool) -> Estimate:
    """Memory and work of a training; `half` where layers compute in 16 bits."""
    draw = Draw([one.fit.lengths for one in courses], options.batch, options.sampling, options.seed)
    longest = max(int(one.fit.lengths.max()) for one in courses)
    plan = draw.epoch(0)
    tokens = sum(len(part.texts) * int(courses[part.course].fit.lengths[part.texts].max()) for part in plan)
    return Estimate(
        weights=weights,
        held_bytes=float(WEIGHT * weights),
        activation_bytes=activations(config, options.batch, longest, half=half, again=options.checkpointing),
        texts=sum(len(one.fit) for one in courses),
        steps=len(plan) * options.epochs,
        tokens=tokens * options.epochs,
    )


def activations(config: Any, batch: int, length: int, *, half: bool, again: bool) -> float:
    """Bytes that a step keeps for its way back: in 16 bits s b h (34 + 5 a s / h) a layer of s tokens, b texts, width h
    and a heads (Korthikanti et al. 2022, Reducing activation recomputation in large transformer models); twice that in
    float32. DeBERTa attends three times. Where activations are computed `again`, a layer keeps its input alone.
    """
    width, heads, layers = config.hidden_size, config.num_attention_heads, config.num_hidden_layers
    attention = 5 * heads * length / width * (3 if getattr(config, "relative_attention", False) else 1)
    number = 1 if half else 2
    one = length * batch * width * (34 + attention) * number
    return float(one + layers * length * batch * width * 2 * number) if again else float(layers * one)


def timed(learner: Learner, courses: Sequence[Course], options: EncoderOptions, expected: Estimate) -> float:
    """Seconds of the whole training, from a few steps whose gradients are thrown away: nothing is learned by it."""
    draw = Draw([one.fit.lengths for one in courses], options.batch, options.sampling, options.seed)
    plan = draw.epoch(0)
    rates = []
    for place in np.linspace(0, len(plan) - 1, min(TRIED, len(plan))).astype(int):
        part = plan[place]
        one = courses[part.course]
        begun = time.perf_counter()
        with drawn(options.seed):
            learner.gradients(one.subject.question.id, one.fit, part.texts)
        learner.forget()
        padded = len(part.texts) * int(one.fit.lengths[part.texts].max())
        rates.append((time.perf_counter() - begun) / padded)
    a_token = float(np.mean(rates[1:] or rates))
    validated = sum(_padded(one.held.lengths) for one in courses) * options.epochs
    return a_token * (expected.tokens + SCORED * validated)


def _padded(lengths: Any) -> int:
    found = batches([int(n) for n in lengths])
    return sum(len(places) * max(int(lengths[place]) for place in places) for places in found)
