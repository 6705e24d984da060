"""`socialite train-encoder`: labelled texts of many tasks in, a folder with one encoder out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import say, stages

if TYPE_CHECKING:
    from backend.engines.classifier_manifest import ClassifierManifest
    from backend.paper.task import Split
    from backend.tuners.multitask import Subject, Texts


def run(
    data: Sequence[str],
    chosen: str,
    model: str | None,
    output: Path | None,
    device: str | None,
    wishes: Mapping[str, Any],
) -> None:
    """Train, or only say what it would take where there is no `output`; `wishes` are parts of `EncoderOptions`."""
    from backend.engines import models
    from backend.engines.weights import find
    from backend.tuners import multitask, multitask_folder

    place = settings.load(device=device).device
    options = multitask.EncoderOptions(**wishes)
    options.check()
    if output is not None:
        multitask_folder.free(output)
    subjects = _subjects(data, chosen, options.seed, options.cap)
    weights = find(*(models.split(model) if model else (None, None)))
    if output is None:
        with stages() as report:
            found = multitask.estimate(weights, subjects, options, report=report, device=place)
        print(found.sentence())  # noqa: T201
        return
    work = output.with_name(f".{output.name}.work")
    with stages() as report:
        made = multitask.train_encoder(
            weights,
            subjects,
            output,
            options,
            work=work,
            report=report,
            device=place,
            told=lambda expected: say(f"{expected.sentence()} Ended early, it goes on when it is started again."),
        )
    shutil.rmtree(work, ignore_errors=True)
    for line in _said(made, output):
        print(line)  # noqa: T201


def _subjects(data: Sequence[str], chosen: str, seed: int, cap: int | None) -> list[Subject]:
    """The tasks that have texts to learn from; what was mapped or left out is said."""
    from backend.paper.sources import Caps, licences, tasks
    from backend.tuners.multitask import Subject

    found = tasks(data, chosen, seed=seed, caps=Caps(train=cap, validation=cap), say=say)
    for task in found:
        for remark in task.remarks:
            say(f"{task.name}: {remark}")
        if not len(task.train):
            say(f"{task.name}: there are no texts to learn from; it is left out.")
    for line in licences(found):
        say(f"Terms of {line}")
    return [
        Subject(task.question, _texts(task.train), _texts(task.validation), task.source, task.licence)
        for task in found
        if len(task.train)
    ]


def _texts(split: Split) -> Texts:
    from backend.tuners.multitask import Texts

    return Texts(split.items, split.answers)


def _said(made: ClassifierManifest, output: Path) -> list[str]:
    """What came out: a line a task, and how it is used."""
    width = max(len(task.question) for task in made.tasks)
    lines = [f"{'task':{width}}  {'texts':>7}  {'validation':>10}  macro F1"]
    for task in made.tasks:
        f1 = f"{task.macro_f1:.3f}" if task.macro_f1 is not None else "none"
        lines.append(f"{task.question:{width}}  {task.texts:>7,}  {task.validation_texts:>10,}  {f1}")
    mean = made.metrics["validation_macro_f1"]
    over = f"mean {mean:.3f}, " if mean is not None else ""
    lines.append(
        f"{over}epoch {made.metrics['best_epoch']} of {made.metrics['epochs']}, chosen by these texts: measure it on "
        f"others (socialite evaluate). Use it with --engine encoder --model {output}"
    )
    if cut := made.metrics["cut_texts"]:
        lines.append(f"{cut:,} texts were longer than the {made.length} tokens that are read.")
    return lines
