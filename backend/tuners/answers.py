"""Training a causal language model on labelled texts: the loss is on the answers alone, the instruction is run once a
batch, with the gradient flowing through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.tuners.labelled import Batch, Course, batches

IGNORED = 0  # what fills a row up; it is masked


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is trained. `rate` is the highest learning rate, `warm_up` the share of steps that lead up to it."""

    epochs: int = 5
    batch: int = 32
    rate: float = 1e-4
    warm_up: float = 0.1
    decay: float = 0.0
    clip: float = 1.0  # norm of the gradient
    seed: int = 0


def train(
    model: Any, taught: Sequence[Course], plan: Plan, progress: Callable[[int, int, float], None] | None = None
) -> list[float]:
    """Train the model's parameters that require a gradient; the mean loss of each epoch.

    `progress` is told the steps done, the steps in all, and the loss of the last one. The order of the lessons depends
    on the seed alone; what is random in the model itself (dropout) on torch's state.
    """
    import torch

    generator = np.random.default_rng(plan.seed)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=plan.rate, weight_decay=plan.decay)
    steps = plan.epochs * sum(math.ceil(len(course.lessons) / plan.batch) for course in taught)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, plan.warm_up))
    model.train()
    done, losses = 0, []
    for _ in range(plan.epochs):
        sums = []
        for batch in batches(taught, plan.batch, generator):
            value = loss(model, batch)
            value.backward()
            torch.nn.utils.clip_grad_norm_(weights, plan.clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            done += 1
            sums.append(float(value.detach()))
            if progress:
                progress(done, steps, sums[-1])
        losses.append(float(np.mean(sums)))
    model.eval()
    return losses


def loss(model: Any, batch: Batch) -> Any:
    """Minus the log-probability of the answers' tokens, summed over an answer, mean over the lessons: a scalar tensor.

    It is what a whole padded prompt in each row gives, for a fraction of its cost: the prefix is run once, and the
    vocabulary's probabilities are computed where an answer is read only.
    """
    import torch

    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    device = next(model.parameters()).device
    prefix, rows = len(batch.prefix), len(batch.lessons)
    ids, mask, places, answers = (torch.tensor(part, device=device) for part in _laid_out(batch.lessons))
    past = None
    if prefix:
        first = torch.tensor([batch.prefix], device=device)
        past = whole.base_model(input_ids=first, use_cache=True).past_key_values
        past.batch_repeat_interleave(rows)
    seen = torch.cat([torch.ones(rows, prefix, dtype=mask.dtype, device=device), mask], dim=1)
    where = (prefix + torch.arange(ids.shape[1], device=device)).expand_as(ids)
    states = whole.base_model(
        input_ids=ids, attention_mask=seen, position_ids=where, past_key_values=past, use_cache=prefix > 0
    ).last_hidden_state
    scores = whole.get_output_embeddings()(states[places[:, 0], places[:, 1]])
    return torch.nn.functional.cross_entropy(scores.float(), answers, reduction="sum") / rows


def _laid_out(
    lessons: Sequence[Any],
) -> tuple[list[list[int]], list[list[int]], list[tuple[int, int]], list[int]]:
    """Ids and mask of each row, filled up on the right; where each answer's token is read, and which it is."""
    width = max(len(lesson) for lesson in lessons) - 1  # the last token is never fed
    ids, mask, places, answers = [], [], [], []
    for row, lesson in enumerate(lessons):
        fed = [*lesson.prompt, *lesson.answer[:-1]]
        ids.append(fed + [IGNORED] * (width - len(fed)))
        mask.append([1] * len(fed) + [0] * (width - len(fed)))
        places += [(row, len(lesson.prompt) - 1 + n) for n in range(len(lesson.answer))]
        answers += lesson.answer
    return ids, mask, places, answers


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest rate: a straight way up, then half a cosine down to nothing."""
    rising = max(1, round(warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def count(taught: Iterable[Course]) -> int:
    """The number of lessons."""
    return sum(len(course.lessons) for course in taught)
