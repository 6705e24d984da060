"""Training a causal language model on the answers to prompts: the one loop, which can be interrupted and goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from backend.engines.devices import out_of_memory
from backend.engines.packs import packs
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.labelled import Batch, Course, batches
from backend.tuners.rows import loss
from backend.tuners.targets import TrainingError
from backend.tuners.training import Report, Step

EVERY = 25  # steps between two checkpoints inside an epoch
BUDGET = 8192  # tokens run at once; a batch with more is run in parts, whose gradients are added


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is trained. `rate` is the highest learning rate, `warm_up` the share of steps that lead up to it.

    `patience`: epochs without a lower validation loss until it stops. `budget`: tokens that are run at once.
    """

    epochs: int = 5
    batch: int = 32
    rate: float = 1e-4
    warm_up: float = 0.1
    decay: float = 0.0
    clip: float = 1.0  # norm of the gradient
    seed: int = 0
    patience: int = 2
    budget: int = BUDGET


@dataclass(slots=True)
class Learned:
    """How training went: the mean loss of each epoch in training, and on what was `held` out, if something was.

    Losses are those of a lesson: minus the log-probability of its answer, by its weight. `before` is the held part's
    before any training, `best` the epoch (from 1) whose weights the model has, `tokens` how many were trained on.
    """

    losses: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    before: float | None = None
    tokens: int = 0

    @property
    def best(self) -> int:
        return int(np.argmin(self.held)) + 1 if self.held else len(self.losses)


def train(
    model: Any,
    taught: Sequence[Course],
    plan: Plan,
    *,
    held: Sequence[Course] = (),
    checkpoint: Checkpoint | None = None,
    report: Report | None = None,
) -> Learned:
    """Train the model's parameters that require a gradient; afterwards it has those of the best epoch.

    The best epoch is the one with the lowest loss on `held`, or without such lessons the last. The order of the lessons
    depends on the plan's seed alone, what is random in the model itself (dropout) on torch's state. With a checkpoint
    of the same run it goes on from there, to the same end; one is written every `EVERY` steps and after every epoch.
    `TrainingError` when the loss is no number any more, or a single lesson does not fit into memory.
    """
    run = _Run(model, taught, plan, held, checkpoint, report)
    while not run.over:
        run.epoch()
    run.keep_best()
    model.eval()
    return run.learned


class _Run:
    """A training run: the model and its optimiser, and how far it has come."""

    def __init__(
        self,
        model: Any,
        taught: Sequence[Course],
        plan: Plan,
        held: Sequence[Course],
        checkpoint: Checkpoint | None,
        report: Report | None,
    ) -> None:
        import torch

        self.learned = Learned()
        self._model, self._taught, self._plan, self._held = model, taught, plan, held
        self._checkpoint, self._report = checkpoint, report
        self._weights = {name: part for name, part in model.named_parameters() if part.requires_grad}
        self._optimiser = torch.optim.AdamW(self._weights.values(), lr=plan.rate, weight_decay=plan.decay)
        self._best: dict[str, Any] = {}
        self._steps = plan.epochs * sum(math.ceil(len(course.lessons) / plan.batch) for course in taught)
        self._done, self._place, self._sum = 0, 0, 0.0  # steps in all, and of this epoch, whose losses add up to this
        self._budget = plan.budget
        self._clock, self._ran = time.perf_counter(), 0  # since this call began, and the tokens since then
        state = checkpoint.read() if checkpoint else None
        if state:
            self._go_on(state)
        elif held:
            self.learned.before = self._validation()

    @property
    def over(self) -> bool:
        done = len(self.learned.losses)
        return done == self._plan.epochs or (bool(self._held) and done - self.learned.best >= self._plan.patience)

    def epoch(self) -> None:
        """Train for one epoch, or for what is left of it."""
        order = np.random.default_rng([self._plan.seed, len(self.learned.losses)])
        self._model.train()
        for number, batch in enumerate(batches(self._taught, self._plan.batch, order)):
            if number < self._place:
                continue
            self._step(batch)
            if self._done % EVERY == 0:
                self._save()
        self.learned.losses.append(self._sum / sum(len(course.lessons) for course in self._taught))
        self._place, self._sum = 0, 0.0
        if self._held:
            self.learned.held.append(self._validation())
            if self.learned.best == len(self.learned.held):
                self._best = {name: part.detach().clone() for name, part in self._weights.items()}
        self._save()

    def keep_best(self) -> None:
        import torch

        with torch.no_grad():
            for name, part in self._best.items():
                self._weights[name].copy_(part)

    def _step(self, batch: Batch) -> None:
        import torch

        value = self._through(batch, learn=True)
        if not math.isfinite(value):
            raise TrainingError(
                f"Training went astray: the loss of step {self._done + 1} is no number. Choose a lower learning rate."
            )
        torch.nn.utils.clip_grad_norm_(self._weights.values(), self._plan.clip)
        for group in self._optimiser.param_groups:
            group["lr"] = self._plan.rate * _rate(self._done, self._steps, self._plan.warm_up)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._done += 1
        self._place += 1
        self._sum += value
        tokens = len(batch.prefix) + sum(map(len, batch.lessons))
        self.learned.tokens += tokens
        self._ran += tokens
        self._tell("training", self._done, self._steps, value / len(batch.lessons))

    def _validation(self) -> float:
        """The mean loss of the lessons that were held out."""
        import torch

        self._model.eval()
        total = 0.0
        with torch.no_grad():
            for course in self._held:
                lessons = tuple(sorted(course.lessons, key=len))
                total += self._through(Batch(course.prefix, lessons), learn=False)
        value = total / sum(lesson.weight for course in self._held for lesson in course.lessons)
        self._tell("validation", len(self.learned.losses), self._plan.epochs, value)
        return value

    def _through(self, batch: Batch, *, learn: bool) -> float:
        """The summed loss of a batch, part by part, and its gradient; when memory runs out, parts become half as
        large."""
        while True:
            try:
                return sum(self._parts(batch, learn=learn))
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
            self._optimiser.zero_grad(set_to_none=True)
            if self._budget <= len(batch.prefix) + min(map(len, batch.lessons)):
                raise TrainingError(
                    f"Training on a text of {min(map(len, batch.lessons))} tokens after {len(batch.prefix)} of "
                    f"instruction does not fit into the memory of '{self._model.device}'. Allow a shorter window, use "
                    "gradient checkpointing, 4-bit weights, or a larger device."
                )
            self._budget //= 2
            _give_back()

    def _parts(self, batch: Batch, *, learn: bool) -> list[float]:
        values = []
        room = max(1, self._budget - len(batch.prefix))
        for start, end in packs([len(lesson) for lesson in batch.lessons], room):
            value = loss(self._model, Batch(batch.prefix, batch.lessons[start:end]))
            if learn:
                (value / len(batch.lessons)).backward()
            values.append(float(value.detach()))
        return values

    def _tell(self, stage: str, done: int, steps: int, value: float) -> None:
        if self._report:
            rate = self._ran / (time.perf_counter() - self._clock)
            self._report(Step(stage, done, steps, value, rate if self._ran else None))

    def _save(self) -> None:
        if self._checkpoint is None:
            return
        self._checkpoint.write(
            {
                "weights": {name: part.detach() for name, part in self._weights.items()},
                "optimiser": self._optimiser.state_dict(),
                "best": self._best,
                "learned": asdict(self.learned),
                "at": [self._done, self._place],
                "sum": self._sum,
                "random": _random_states(self._model.device),
            }
        )

    def _go_on(self, state: dict[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for name, part in self._weights.items():
                part.copy_(state["weights"][name])
        self._optimiser.load_state_dict(state["optimiser"])
        self._best = state["best"]
        self.learned = Learned(**state["learned"])
        self._done, self._place = state["at"]
        self._sum = state["sum"]
        torch.set_rng_state(state["random"][0])
        if self._model.device.type == "cuda":
            torch.cuda.set_rng_state(state["random"][1], self._model.device)


def _random_states(device: Any) -> list[Any]:
    """What dropout is drawn from: the processor's state, and that of a GPU."""
    import torch

    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def _give_back() -> None:
    """Memory that torch keeps for itself."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest rate: a straight way up, then half a cosine down to nothing."""
    rising = max(1, round(warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
