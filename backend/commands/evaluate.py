"""`socialite evaluate`: models side by side, on published tasks or on a project's own test."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.engines.causal import CausalEngine
    from backend.paper.comparison import Comparison
    from backend.paper.own import Own
    from backend.paper.run import Plan, Row, Scored
    from backend.paper.systems import System

WORTH_TELLING = 30.0  # seconds that a forecast is worth a sentence
SAMPLE = 50  # texts of a task that it goes by


class EvaluateError(Exception):
    """The models cannot be compared."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was typed. `scored`: settings of how texts are scored."""

    data: tuple[str, ...]
    tasks: str
    models: tuple[str, ...]
    shots: str
    split: str
    reference: str | None
    decode: str
    examples: str
    paraphrases: bool
    limit: int | None
    seeds: str | None
    seed: int
    level: float
    output: Path
    as_json: bool
    project: str | None
    by: str
    reason: str
    yes: bool
    scored: Mapping[str, Any]


def run(wishes: Wishes) -> None:
    """What is wrong with the order is said before a model is loaded, and before a project's test is opened."""
    from backend.paper.named import systems

    plan = _plan(wishes)
    _check(wishes)
    _check_folder(wishes.output)
    in_force = settings.load(**wishes.scored)
    found = systems(wishes.models, in_force)
    names = [system.name for system in found]
    reference = wishes.reference or names[0]
    if reference not in names:
        raise EvaluateError(f"The reference '{reference}' is none of the models: {', '.join(names)}.")
    if wishes.project is not None:
        compared = _project(wishes, in_force, found, plan, reference)
    else:
        compared = _tasks(wishes, found, plan, reference)
    _show(wishes, compared)


def _plan(wishes: Wishes) -> Plan:
    from backend.paper.run import Plan

    shots = _numbers("--shots", wishes.shots)
    seeds = _numbers("--seeds", wishes.seeds) if wishes.seeds is not None else (wishes.seed,)
    return Plan(
        wishes.split, shots, wishes.examples, seeds, wishes.decode, wishes.paraphrases, wishes.limit, wishes.seed
    )


def _numbers(option: str, text: str) -> tuple[int, ...]:
    """'0,3,5' as numbers, each once."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 7 for word in words):
        raise EvaluateError(f"{option} takes whole numbers with commas between them, such as 0,3,5, not '{text}'.")
    return tuple(dict.fromkeys(int(word) for word in words))


def _check(wishes: Wishes) -> None:
    """Data or a project, not both; and what goes with each."""
    if bool(wishes.data) == (wishes.project is not None):
        raise EvaluateError("Name either data with --data, or a project with --project.")
    if not wishes.models:
        raise EvaluateError("Name at least one model with --model.")
    if not 0 < wishes.level < 1:
        raise EvaluateError("--level is a share such as .95.")
    if wishes.project is None:
        return
    if not wishes.by.strip() or not wishes.reason.strip():
        raise EvaluateError("Give a name with --by and a sentence with --reason: the report repeats both.")
    if wishes.split != "test" or wishes.limit is not None or wishes.tasks != "all":
        raise EvaluateError(
            "Of a project all questions and all test texts are used: leave out --split, --limit, --tasks."
        )


def _check_folder(folder: Path) -> None:
    from backend.paper.answers import CELLS

    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / CELLS).is_dir()):
        raise EvaluateError(f"{folder} holds other files. Take a new folder, or one that this command made.")


def _tasks(wishes: Wishes, found: Sequence[System], plan: Plan, reference: str) -> Comparison:
    from backend.paper.comparison import compare
    from backend.paper.run import scored
    from backend.paper.sources import tasks

    chosen = tasks(wishes.data, wishes.tasks, say=say)
    say(f"Looking for near-duplicates in {len(chosen)} {'task' if len(chosen) == 1 else 'tasks'}.")
    texts = [scored(task, plan) for task in chosen]
    cells = _answers(wishes, found, texts, plan)
    return compare(found, texts, cells, plan, reference=reference, level=wishes.level)


def _answers(wishes: Wishes, found: Sequence[System], texts: Sequence[Scored], plan: Plan) -> Any:
    from backend.paper.run import run

    wishes.output.mkdir(parents=True, exist_ok=True)
    with bars() as bar:
        return run(found, texts, plan, wishes.output, bar=lambda name: bar(name, "texts"), forecast=_forecast)


def _forecast(system: System, missing: Sequence[tuple[Scored, int]]) -> None:
    """Say how long a large model takes on a processor, before it starts."""
    from backend.engines.cost import duration, forecast, seconds
    from backend.paper.systems import Scorer

    if not isinstance(system, Scorer) or not forecast(system.engine, [], 0):
        return
    engine = cast("CausalEngine", system.engine)
    took = sum(seconds(engine, one.task.question, one.items[:SAMPLE], n) for one, n in missing)
    if took >= WORTH_TELLING:
        texts = sum(n for _, n in missing)
        say(f"{system.name}: about {duration(took)} for {texts:,} texts on this processor; with examples, longer.")


def _project(
    wishes: Wishes, in_force: settings.Settings, found: Sequence[System], plan: Plan, reference: str
) -> Comparison:
    """The test is opened when all answers are there, and before any of them meets a person's label."""
    from backend.paper.comparison import compare
    from backend.paper.own import opened, own
    from backend.paper.run import rows
    from db.store import open_store

    assert wishes.project is not None
    store = open_store(in_force.database_url)
    try:
        mine = own(store, wishes.project)
        by_row = {row: system for system in found for row in rows(system, plan)}
        _ask(mine, by_row, wishes.yes)
        cells = _answers(wishes, found, mine.tasks, plan)
        answering = {row for (row, _), cell in cells.items() if not isinstance(cell, str)}
        made = opened(
            store,
            mine,
            {row: system for row, system in by_row.items() if row in answering},
            plan,
            by=wishes.by.strip(),
            reason=wishes.reason.strip(),
        )
    finally:
        store.close()
    new = sum(one.new for one in made)
    say(
        f"The test of '{mine.key}' was opened {new} times more, {mine.openings + new} times in all: "
        f"{', '.join(f'{one.row.system} as {one.release}' for one in made) or 'for nothing'}. "
        "`socialite report` shows each."
    )
    return compare(found, mine.tasks, cells, plan, reference=reference, level=wishes.level)


def _ask(mine: Own, rows: Mapping[Row, System], yes: bool) -> None:
    """A test that was seen is no longer untouched, so a person says that it is time."""
    say(
        f"The test texts of '{mine.key}' are the only ones that no decision was taken on. This opens them for "
        f"{len(rows)} systems, each opening counted and shown by `socialite report`. They were opened "
        f"{mine.openings} times before. Who chooses a model by the result has no untouched test for it any more."
    )
    if yes:
        return
    if not sys.stdin.isatty():
        raise EvaluateError("Nobody is there to be asked. Give --yes to open the test.")
    if input("Open the test now? [y/N] ").strip().lower() not in ("y", "yes"):
        raise EvaluateError("Nothing was opened.")


def _show(wishes: Wishes, compared: Comparison) -> None:
    from backend.reports.comparison import FILES, markdown, plain, write
    from db.base import now

    when, made_by = now(), version("socialite")
    what = f"the test of {wishes.project}" if wishes.project else f"the {wishes.split} split"
    title = f"Models side by side on {what}"
    write(compared, wishes.output, title, when, made_by)
    say(f"{', '.join(FILES)} are in {wishes.output}.")
    if wishes.as_json:
        text = json.dumps(plain(compared, wishes.output, when, made_by), ensure_ascii=False, allow_nan=False)
    else:
        text = markdown(compared, title).rstrip()
    print(text)  # noqa: T201
