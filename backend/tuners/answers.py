"""Training a causal language model on the answers to prompts: the one loop, which can be interrupted and goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from backend.engines.devices import out_of_memory
from backend.engines.packs import packs
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.labelled import Batch, Course, count, share, steps
from backend.tuners.processes import Processes
from backend.tuners.rows import loss
from backend.tuners.targets import TrainingError
from backend.tuners.training import Report, Step

EVERY = 25  # steps between two checkpoints inside an epoch
BUDGET = 8192  # tokens run at once; a batch with more is run in parts, whose gradients are added


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is trained. `rate` is the highest learning rate, `warm_up` the share of steps that lead up to it.

    A step is of `batch` lessons, `together` of which are of one course: by default all of them. `patience`: epochs
    without a lower validation loss until it stops. `budget`: tokens that are run at once. After the warm-up the rate
    falls by half a cosine, or in a straight line.
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
    together: int | None = None
    schedule: Literal["cosine", "linear"] = "cosine"


@dataclass(slots=True)
class Learned:
    """How training went: the mean loss of each epoch in training, and on what was `held` out, if something was.

    Losses are those of a lesson: minus the log-probability of its answer, by its weight. `before` is the held part's
    before any training, `best` the epoch (from 1) whose weights the model has, `tokens` how many were trained on.
    `courses` has the loss of each course that was held or watched, a row before training and one for each epoch.
    """

    losses: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    before: float | None = None
    tokens: int = 0
    courses: list[list[float]] = field(default_factory=list)

    @property
    def best(self) -> int:
        return int(np.argmin(self.held)) + 1 if self.held else len(self.losses)


def train(
    model: Any,
    taught: Sequence[Course],
    plan: Plan,
    *,
    held: Sequence[Course] = (),
    watched: Sequence[Course] = (),
    checkpoint: Checkpoint | None = None,
    report: Report | None = None,
    processes: Processes | None = None,
) -> Learned:
    """Train the model's parameters that require a gradient; afterwards it has those of the best epoch.

    The best epoch is the one with the lowest loss on `held`, or without such lessons the last; the loss on `watched` is
    told and decides nothing. The order of the lessons depends on the plan's seed alone, what is random in the model
    itself (dropout) on torch's state. With a checkpoint of the same run it goes on from there, to the same end; one is
    written every `EVERY` steps and after every epoch. Several `processes`, which have found each other and have the
    same model, come to what one comes to, up to rounding (and dropout). `TrainingError` when the loss is no number any
    more, or a single lesson does not fit into memory.
    """
    run = _Run(model, taught, plan, (held, watched), checkpoint, report, processes or Processes())
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
        apart: tuple[Sequence[Course], Sequence[Course]],
        checkpoint: Checkpoint | None,
        report: Report | None,
        processes: Processes,
    ) -> None:
        import torch

        self.learned = Learned()
        self._model, self._taught, self._plan = model, taught, plan
        self._held, self._watched = apart
        self._checkpoint, self._report, self._processes = checkpoint, report, processes
        self._weights = {name: part for name, part in model.named_parameters() if part.requires_grad}
        self._optimiser = torch.optim.AdamW(self._weights.values(), lr=plan.rate, weight_decay=plan.decay)
        self._best: dict[str, Any] = {}
        self._together = plan.together or plan.batch
        self._steps = plan.epochs * count(taught, plan.batch, self._together)
        self._done, self._place, self._sum = 0, 0, (0.0, 0.0)  # steps in all, and of this epoch: its losses and weights
        self._budget = plan.budget
        self._clock, self._ran = time.perf_counter(), 0  # since this call began, and the tokens since then
        state = processes.told(checkpoint.read() if checkpoint and processes.main else None)
        if state:
            self._go_on(state)
        elif self._held or self._watched:
            self.learned.before = self._validation()

    @property
    def over(self) -> bool:
        done = len(self.learned.losses)
        return done == self._plan.epochs or (bool(self._held) and done - self.learned.best >= self._plan.patience)

    def epoch(self) -> None:
        """Train for one epoch, or for what is left of it."""
        order = np.random.default_rng([self._plan.seed, len(self.learned.losses)])
        self._model.train()
        for number, step in enumerate(steps(self._taught, self._plan.batch, self._together, order)):
            if number < self._place:
                continue
            self._step(step)
            if self._done % EVERY == 0:
                self._save()
        losses, weights = self._sum
        self.learned.losses.append(losses / weights)
        self._place, self._sum = 0, (0.0, 0.0)
        if self._held or self._watched:
            value = self._validation()
            if value is not None:
                self.learned.held.append(value)
                if self.learned.best == len(self.learned.held):
                    self._best = {name: part.detach().clone() for name, part in self._weights.items()}
        self._save()

    def keep_best(self) -> None:
        import torch

        with torch.no_grad():
            for name, part in self._best.items():
                self._weights[name].copy_(part)

    def _step(self, step: Sequence[Batch]) -> None:
        import torch

        lessons = [lesson for batch in step for lesson in batch.lessons]
        mine = share(step, self._processes.rank, self._processes.size)
        (value,) = self._processes.total([self._through(mine, learn=len(lessons))], self._model.device)
        if not math.isfinite(value):
            raise TrainingError(
                f"Training went astray: the loss of step {self._done + 1} is no number. Choose a lower learning rate."
            )
        self._processes.add(self._gradients())
        torch.nn.utils.clip_grad_norm_(self._weights.values(), self._plan.clip)
        for group in self._optimiser.param_groups:
            group["lr"] = self._plan.rate * _rate(self._done, self._steps, self._plan)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._done += 1
        self._place += 1
        weight = sum(lesson.weight for lesson in lessons)
        self._sum = (self._sum[0] + value, self._sum[1] + weight)
        tokens = sum(len(batch.prefix) for batch in step) + sum(map(len, lessons))
        self.learned.tokens += tokens
        self._ran += tokens
        self._tell("training", self._done, self._steps, value / weight)

    def _gradients(self) -> list[Any]:
        """Every weight's gradient, where there are processes to add them up: also of one that this part never met."""
        import torch

        if self._processes.size == 1:
            return []
        for part in self._weights.values():
            if part.grad is None:
                part.grad = torch.zeros_like(part)
        return [part.grad for part in self._weights.values()]

    def _validation(self) -> float | None:
        """The mean loss of the lessons that were held out; None without any. That of each course is noted."""
        import torch

        self._model.eval()
        apart = [*self._held, *self._watched]
        values, rank, size = [], self._processes.rank, self._processes.size
        with torch.no_grad():
            for course in apart:
                lessons = tuple(sorted(course.lessons, key=len))
                values.append(self._through(share([Batch(course.prefix, lessons)], rank, size), learn=0))
        values = self._processes.total(values, self._model.device)
        weights = [sum(lesson.weight for lesson in course.lessons) for course in apart]
        self.learned.courses.append([value / weight for value, weight in zip(values, weights, strict=True)])
        first = len(self._held)
        value = sum(values[:first]) / sum(weights[:first]) if first else None
        told = sum(values) / sum(weights) if value is None else value
        self._tell("validation", len(self.learned.losses), self._plan.epochs, told)
        return value

    def _through(self, step: Sequence[Batch], *, learn: int) -> float:
        """The summed loss of a step, part by part, and the gradient of its `learn`-th part, if that is not 0; when
        memory runs out, parts become half as large."""
        while True:
            value = 0.0
            try:
                for batch in step:
                    value += sum(self._parts(batch, learn=learn))
                return value
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

    def _parts(self, batch: Batch, *, learn: int) -> list[float]:
        values = []
        room = max(1, self._budget - len(batch.prefix))
        for start, end in packs([len(lesson) for lesson in batch.lessons], room):
            value = loss(self._model, Batch(batch.prefix, batch.lessons[start:end]))
            if learn:
                (value / learn).backward()
            values.append(float(value.detach()))
        return values

    def _tell(self, stage: str, done: int, steps: int, value: float) -> None:
        if self._report:
            rate = self._ran / (time.perf_counter() - self._clock)
            self._report(Step(stage, done, steps, value, rate if self._ran else None))

    def _save(self) -> None:
        if self._checkpoint is None:
            return
        random = self._processes.gathered(_random_states(self._model.device))
        if not self._processes.main:
            return
        self._checkpoint.write(
            {
                "weights": {name: part.detach() for name, part in self._weights.items()},
                "optimiser": self._optimiser.state_dict(),
                "best": self._best,
                "learned": asdict(self.learned),
                "at": [self._done, self._place],
                "sum": list(self._sum),
                "random": random,
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
        losses, weights = state["sum"]
        self._sum = (losses, weights)
        random = state["random"][self._processes.rank]
        torch.set_rng_state(random[0])
        if self._model.device.type == "cuda":
            torch.cuda.set_rng_state(random[1], self._model.device)


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


def _rate(step: int, steps: int, plan: Plan) -> float:
    """Share of the highest rate: a straight way up, then half a cosine, or a straight line, down to nothing."""
    rising = max(1, round(plan.warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    gone = (step - rising) / max(1, steps - rising)
    return 1 - gone if plan.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * gone))
