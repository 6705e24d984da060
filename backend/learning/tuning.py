"""Tuning all questions of a snapshot into one bundle; what was tuned before an interruption is taken as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backend.engines import bundle
from backend.engines.adapter import digest, read
from backend.engines.protocol import Engine, EngineError
from backend.tuners.bundle import gather
from backend.tuners.targets import TrainingError
from backend.tuners.training import Labelled, Options, Report, Step
from backend.tuners.tune import tune
from labelstudio_config.codebook import Question


@dataclass(frozen=True, slots=True)
class Tuned:
    """`tuned`: questions with an adapter from these labels; `inherited`: those that keep their earlier one; `passed`:
    question -> the reason why nothing was learned of it.
    """

    tuned: tuple[str, ...]
    inherited: tuple[str, ...]
    passed: Mapping[str, str]


def tune_all(
    engine: Engine,
    questions: Mapping[str, tuple[Question, Labelled]],
    folder: Path,
    options: Options,
    *,
    work: Path,
    snapshot: str,
    parents: Mapping[str, Path],
    report: Report,
) -> Tuned:
    """Tune an adapter for each question, and put them into the new bundle `folder`.

    `parents` are the adapters that answer now, by question: one of which nothing can be learned keeps its own. `work`
    is kept between attempts. `TrainingError` when nothing can be learned of any question, with all the reasons.
    """
    parts: dict[str, Path] = {}
    passed: dict[str, str] = {}
    for number, (key, (question, labelled)) in enumerate(questions.items(), 1):
        place = work / key / "adapter"
        told = _told(report, question, number, len(questions))
        told(Step(f"{len(labelled)} labelled texts", 0, 1))
        try:
            if not _there(place, snapshot):
                tune(
                    engine,
                    question,
                    labelled,
                    place,
                    options,
                    work=work / key,
                    snapshot=snapshot,
                    parent=digest(parents[key]) if key in parents else None,
                    report=told,
                )
            parts[key] = place
            told(Step("tuned", 1, 1))
        except TrainingError as error:
            passed[key] = str(error)
    if not parts:
        raise TrainingError(
            " ".join(dict.fromkeys(passed.values())) or "There are no labels to learn from yet. Code some texts first."
        )
    inherited = {key: place for key, place in parents.items() if key not in parts}
    put(folder, parts | inherited)
    return Tuned(tuple(parts), tuple(inherited), passed)


def put(folder: Path, adapters: Mapping[str, Path]) -> None:
    """Make `folder` the bundle of these adapters, given by question; one that an attempt left stays if it is that."""
    if not _holds(folder, adapters):
        _remove(folder)
        gather(folder, adapters)


def _holds(folder: Path, adapters: Mapping[str, Path]) -> bool:
    """Whether an attempt that broke off left the bundle of just these adapters."""
    if not folder.exists():
        return False
    try:
        there = {key: digest(place) for key, place in bundle.parts(folder).items()}
    except EngineError:
        return False
    return there == {key: digest(place) for key, place in adapters.items()}


def _remove(folder: Path) -> None:
    """Out of sight first: whoever looks finds a folder whole, or none."""
    if folder.exists():
        gone = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _there(place: Path, snapshot: str) -> bool:
    """Whether the adapter was made before an interruption; one that is not whole, or of other labels, is removed."""
    if not place.exists():
        return False
    try:
        if read(place).snapshot == snapshot:
            return True
    except EngineError:
        pass
    _remove(place)
    return False


def _told(report: Report, question: Question, number: int, questions: int) -> Callable[[Step], None]:
    name = f"{question.name} ({number} of {questions})" if questions > 1 else question.name
    return lambda step: report(replace(step, stage=f"{name}: {step.stage}"))


def parents(folder: Path | None) -> dict[str, Path]:
    """The adapters of the bundle that answers now, by question."""
    if folder is None:
        return {}
    return bundle.parts(folder)
