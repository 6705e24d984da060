"""A learning curve as a table for a terminal, and as rows for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.learning.card import CHALLENGER, TFIDF, ZERO_SHOT
from backend.learning.curve import Curve, Line, Point
from backend.learning.estimate import LEVEL, Estimate
from backend.reports import page
from backend.reports.card import CEILING, NAMES
from backend.reports.estimates import MEASURED, reasons, shown, shown_or_why
from backend.reports.page import Section, Table

SHOWN = (CHALLENGER, ZERO_SHOT, TFIDF)
COLUMNS = (
    "project",
    "question",
    "measure",
    "run",
    "date",
    "labels",
    "outcome",
    "served",
    "who",
    "value",
    "lower",
    "upper",
    "n",
    "missing",
)


def text(curve: Curve) -> str:
    """A table a question: a row a run, at most 100 columns wide."""
    return page.text([_section(curve.project, line) for line in curve.lines])


def rows(curve: Curve) -> list[dict[str, Any]]:
    """A row for each question, run, and who labelled the gate texts; `who` is 'ceiling' for people."""
    return [
        dict(
            zip(COLUMNS, (curve.project, line.question, line.measure, *_run(point), *_figure(who, figure)), strict=True)
        )
        for line in curve.lines
        for point in line.points
        for who, figure in _figures(point)
    ]


def _figures(point: Point) -> Iterator[tuple[str, Estimate]]:
    yield from point.scores.items()
    yield "ceiling", point.ceiling


def _run(point: Point) -> tuple[Any, ...]:
    return (point.run, point.date.isoformat(timespec="seconds"), point.labels, point.outcome, point.served)


def _figure(who: str, figure: Estimate) -> tuple[Any, ...]:
    return (who, figure.value, figure.lower, figure.upper, figure.n, figure.missing)


def _section(project: str, line: Line) -> Section:
    last = line.points[-1]
    told = tuple(_row(point, line.measure) for point in line.points)
    head = ("run", "date", "labels", "served", "n", *(NAMES[who] for who in (CHALLENGER, ZERO_SHOT)), "TF-IDF + LR")
    facts = (
        (CEILING, f"{shown_or_why(last.ceiling, MEASURED[line.measure])}, n = {last.ceiling.n:,}"),
        ("figures", f"{line.measure} on gate texts, {100 * LEVEL:.0f} % intervals; n: gate texts of that run"),
    )
    notes = reasons((f"{NAMES[who]} of run {p.run}", p.scores[who]) for who in SHOWN for p in line.points)
    return Section(f"{project}: {line.name}", facts, (Table(head, told, notes),))


def _row(point: Point, measure: str) -> tuple[str, ...]:
    figures = (shown(point.scores[who], MEASURED[measure]) for who in SHOWN)
    served, n = "yes" if point.served else "no", f"{point.scores[CHALLENGER].n:,}"
    return (str(point.run), f"{point.date:%Y-%m-%d}", f"{point.labels:,}", served, n, *figures)
