"""Training one encoder on many questions: epochs, early stop, and going on after an interruption."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.devices import out_of_memory
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.encoder_learner import drawn
from backend.tuners.multitask_draw import Draw, Part
from backend.tuners.multitask_learner import Learner
from backend.tuners.multitask_subjects import Course, EncoderOptions
from backend.tuners.targets import TrainingError
from backend.tuners.training import Report, Step

CHECKPOINT = "encoder.checkpoint"
EVERY = 600.0  # seconds between two checkpoints, besides that after each epoch
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training; the learner holds the weights of the `best` epoch, counted from 1.

    `losses` are the mean losses of each epoch's steps, `f1` the macro F1 on the validation texts after each, by
    question (None for one without any).
    """

    best: int
    losses: tuple[float, ...]
    f1: tuple[tuple[float | None, ...], ...]
    tokens: int


def train(
    learner: Learner,
    courses: Sequence[Course],
    options: EncoderOptions,
    *,
    work: Path,
    fingerprint: str,
    report: Report,
) -> Outcome:
    """Learn until the epochs are over, or `options.patience` of them brought no higher mean macro F1.

    `work` keeps what it takes to go on to the same end; `fingerprint` names all that decides what comes out.
    """
    draw = Draw([one.fit.lengths for one in courses], options.batch, options.sampling, options.seed)
    checkpoint = Checkpoint(work / CHECKPOINT, fingerprint)
    state = _found(checkpoint, work) or _start()
    if "learner" in state:
        learner.resume(state.pop("learner"))
    while len(state["f1"]) < options.epochs and len(state["f1"]) - state["best"] < options.patience:
        _epoch(learner, courses, draw, options, state, checkpoint, report)
        _judge(learner, courses, state, work, report)
        checkpoint.write(state | {"learner": learner.state()})
        _tidy(work, state["best"])
    learner.take(_read(_best(work, state["best"])))
    return Outcome(state["best"], tuple(state["losses"]), tuple(map(tuple, state["f1"])), state["tokens"])


def mean(found: Sequence[float | None]) -> float:
    """The mean of the macro F1 of questions that have validation texts."""
    known = [x for x in found if x is not None]
    return float(np.mean(known)) if known else 0.0


def rate(done: int, steps: int, warm_up: float) -> float:
    """Of the highest rate, after so many steps: it rises evenly, then falls evenly to nothing."""
    return min(1.0, (done + 1) / (warm_up * steps + 1)) * (1 - done / steps)


def _start() -> State:
    """`step` steps of the epoch after those in `f1` are done, which lost `lost` altogether."""
    return {"step": 0, "lost": 0.0, "losses": [], "f1": [], "best": 0, "tokens": 0}


def _found(checkpoint: Checkpoint, work: Path) -> State | None:
    """The state to go on from, if its best weights are there too."""
    state = checkpoint.read()
    return state if state and (not state["best"] or _best(work, state["best"]).is_file()) else None


def _epoch(
    learner: Learner,
    courses: Sequence[Course],
    draw: Draw,
    options: EncoderOptions,
    state: State,
    checkpoint: Checkpoint,
    report: Report,
) -> None:
    """Go through the rest of an epoch; the state is changed in place."""
    number, written = len(state["f1"]), time.monotonic()
    plan = draw.epoch(number)
    steps = len(plan) * options.epochs
    for place in range(state["step"], len(plan)):
        part, done = plan[place], number * len(plan) + place
        begun = time.perf_counter()
        with drawn(options.seed, 1, done):
            loss = _step(learner, courses[part.course], part, rate(done, steps, options.warm_up))
        tokens = _tokens(courses[part.course], part)
        state["step"], state["lost"], state["tokens"] = place + 1, state["lost"] + loss, state["tokens"] + tokens
        report(Step("training", done + 1, steps, loss, tokens / max(time.perf_counter() - begun, 1e-9)))
        if time.monotonic() - written >= EVERY and place + 1 < len(plan):
            checkpoint.write(state | {"learner": learner.state()})
            written = time.monotonic()
    state["losses"].append(state["lost"] / len(plan))
    state["step"], state["lost"] = 0, 0.0


def _step(learner: Learner, course: Course, part: Part, share: float) -> float:
    try:
        loss = learner.step(course.subject.question.id, course.fit, part.texts, share)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise TrainingError(
            f"A step of {len(part.texts)} texts does not fit into the memory. Take smaller batches (--batch), shorter "
            "texts (--length), or compute activations again (--checkpointing)."
        ) from error
    if not np.isfinite(loss):
        raise TrainingError("The training has run away: its loss is no number any more. Take a lower rate (--rate).")
    return loss


def _judge(learner: Learner, courses: Sequence[Course], state: State, work: Path, report: Report) -> None:
    """Note the macro F1 of each question; better weights than all before are kept in a file."""
    found: list[float | None] = []
    for place, one in enumerate(courses):
        found.append(learner.macro_f1(one.subject.question.id, one.held) if len(one.held) else None)
        report(Step("validation", place + 1, len(courses)))
    state["f1"].append(found)
    means = [mean(x) for x in state["f1"]]
    if not any(x is not None for x in found) or means[-1] > max(means[:-1], default=-1.0):
        state["best"] = len(means)
        _write(_best(work, state["best"]), learner)


def _tokens(course: Course, part: Part) -> int:
    return int(course.fit.lengths[part.texts].sum())


def _best(work: Path, epoch: int) -> Path:
    return work / f"best-{epoch}.safetensors"


def _write(path: Path, learner: Learner) -> None:
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    try:
        work = path.parent
        work.mkdir(parents=True, exist_ok=True)
        save_file(learner.learned(), part)
        part.replace(path)
    except OSError as error:
        raise TrainingError(
            f"The weights cannot be written to {path.parent}: {error.strerror}. Make room, and start the training "
            "again: it goes on from the state that was written last."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(path)


def _tidy(work: Path, best: int) -> None:
    for path in work.glob("best-*.safetensors"):
        if path != _best(work, best):
            path.unlink()
