"""The status page: every project, what is done for it, what went wrong, and where to read on. It needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.reports import progress
from backend.reports.formats import FORMATS
from backend.reports.html import environment
from db.counts import ProjectStatus

STREAMS = {
    "audit": "audit (blind)",
    "control": "control (random)",
    "work": "work",
    "unplaced": "not drawn yet",
}
MEND = {
    "push": "`socialite push --project {key}` tries again, and shows how far it is.",
    "sync": "`socialite sync --project {key}` tries again; `socialite doctor --project {key}` looks for the cause.",
    "retrain": "`socialite retrain --project {key}` goes on where it was.",
}
REFUSED = "They are tried again when the server starts; `socialite sync --project {key}` fetches what they said."


@dataclass(frozen=True, slots=True)
class Line:
    """Texts of a stream, and those coded; `part` of 100."""

    name: str
    coded: int
    texts: int
    part: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A job: in words, and how far of 100, None while that is not known."""

    words: str
    part: float | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, and what to do about it."""

    what: str
    cure: str


@dataclass(frozen=True, slots=True)
class Card:
    """A project on the page."""

    status: ProjectStatus
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    troubles: tuple[Trouble, ...]


def board(found: Sequence[ProjectStatus], at: datetime, *, again: int | None) -> str:
    """The page as of `at`; every text in it is escaped. `again`: the seconds until it is read anew, None: never."""
    cards = [_card(one) for one in found]
    return environment().get_template("board.html").render(
        cards=[one for one in cards if one.status.archived_at is None],
        archived=[one for one in cards if one.status.archived_at is not None],
        at=at,
        again=again,
        formats=list(FORMATS),
    )  # fmt: skip


def busy(found: Sequence[ProjectStatus]) -> bool:
    """Whether a job runs, so that the page changes by itself."""
    return any(job.state == "running" for one in found for job in one.work.now) or any(
        one.training is not None and not one.training["broken_off"] for one in found
    )


def _card(one: ProjectStatus) -> Card:
    lines = [
        Line(words, one.coded.get(stream, 0), one.texts[stream], _part(one.coded.get(stream, 0), one.texts[stream]))
        for stream, words in STREAMS.items()
        if stream in one.texts
    ]
    n, coded = sum(one.texts.values()), sum(one.coded.values())
    if len(lines) > 1:
        lines.append(Line("all", coded, n, _part(coded, n)))
    return Card(one, tuple(lines), tuple(_bars(one)), tuple(_troubles(one)))


def _bars(one: ProjectStatus) -> list[Bar]:
    bars = [Bar(progress.task(job), _part(job.done, job.total) if job.total else None) for job in one.work.now]
    run = one.training
    if run is not None and not run["broken_off"]:
        steps = run.get("steps")
        left = f", {progress.span(run['seconds_left'])} left" if run.get("seconds_left") is not None else ""
        words = f"{run['stage']}: {run['done']:,} of {steps:,} steps{left}" if steps else "about to begin"
        bars.append(Bar(f"tuning, run {run['run']}, {words}", _part(run["done"], steps) if steps else None))
    return bars


def _troubles(one: ProjectStatus) -> list[Trouble]:
    failed = [
        Trouble(
            f"A job failed ({job.kind}{f', {job.at:%Y-%m-%d %H:%M} UTC' if job.at else ''}): {job.said}",
            MEND.get(job.kind, "`socialite doctor --project {key}` looks for the cause.").format(key=one.key),
        )
        for job in one.work.failed
    ]
    refused = [
        Trouble(f"{why.n:,} events from Label Studio could not be applied: {why.said}", REFUSED.format(key=one.key))
        for why in one.work.refused
    ]
    return [*failed, *refused]


def _part(done: int, total: int | None) -> float:
    return round(100 * min(1.0, done / total), 1) if total else 0.0
