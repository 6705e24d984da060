"""Which release answered when, who decided it, and how well each did on the gate texts as they were then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.findings.agreement import UNITS
from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table
from backend.learning.card import CHALLENGER, CHAMPION, TFIDF, ZERO_SHOT, CardError, Part
from backend.learning.cards import Kept, kept
from backend.learning.curve import Line, curve
from backend.learning.estimate import Estimate
from db import runs
from db.models import Pointer, Release, Scorer

TITLE = "Releases over time"
FIRST, NEW, BACK = "the first one", "a new one", "back to an earlier one"
NEVER = Estimate(0, missing="never compared with people on gate texts")
_TEXT = (
    "A line a change: from then on this release made the suggestions. Nothing is overwritten, so that going back is a "
    "line, too.",
    "Figures are of the gate texts as they were at that time, when there were fewer of them: a difference between two "
    "lines may come of the texts, not of the model. Only the gate's own comparisons set two releases side by side.",
)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the log of which release was current."""

    pointer: Pointer
    release: Release
    scorer: Scorer
    what: str

    @property
    def when(self) -> str:
        return f"{self.pointer.created_at:%Y-%m-%d %H:%M} {self.release.name}"


def section(s: Session, facts: Facts) -> Section:
    """The log, what each release in it came to, and what each run came to."""
    changes = _changes(runs.pointed(s, facts.project.id))
    if not changes:
        return Section(
            "releases",
            TITLE,
            missing=f"No release has answered yet. `socialite push --project {facts.project.key}` makes the first one.",
        )
    text: tuple[str, ...] = _TEXT
    try:
        cards = kept(s, facts.project)
    except CardError as error:
        cards, text = [], (*_TEXT, f"What the runs came to cannot be told: {error}")
    tables = [_log(changes), *_figures(changes, cards)]
    tables += [_runs(line) for line in curve(facts.project.key, cards).lines]
    return Section("releases", TITLE, text, tuple(tables))


def _changes(log: Sequence[tuple[Pointer, Release, Scorer]]) -> list[Change]:
    """The first one first."""
    seen: set[int] = set()
    changes = []
    for pointer, release, scorer in reversed(log):
        what = BACK if release.id in seen else NEW if seen else FIRST
        seen.add(release.id)
        changes.append(Change(pointer, release, scorer, what))
    return changes


def _log(changes: Sequence[Change]) -> Table:
    return Table(
        key="releases",
        title="Which release answered",
        question="",
        head="from",
        rows=tuple(one.when for one in changes),
        columns=(Column("model"), Column("adapter"), Column("what"), Column("by"), Column("why")),
        cells=tuple(
            (one.scorer.base, one.scorer.adapter_digest[:12] or "none", one.what, one.pointer.by, one.pointer.reason)
            for one in changes
        ),
        origin="the log of the pointer to the current release; times are UTC",
    )


def _figures(changes: Sequence[Change], cards: Sequence[Kept]) -> list[Table]:
    """A table a question: each release's figure, of the first card that has one, and a coder's at that time."""
    found: dict[str, dict[str, tuple[Part, str]]] = {}  # question -> release -> (card's part, who it was there)
    for one in cards:
        named = {one.card.facts.champion: CHAMPION, one.card.facts.challenger: CHALLENGER}
        for part in one.card.questions:
            for release, who in named.items() if part.measures else ():
                found.setdefault(part.question, {}).setdefault(release, (part, who))
    return [_over_time(question, changes, mine) for question, mine in found.items()]


def _over_time(question: str, changes: Sequence[Change], mine: Mapping[str, tuple[Part, str]]) -> Table:
    measure = next(iter(mine.values()))[0].measures[0].name
    cells: list[tuple[Cell, ...]] = []
    for change in changes:
        there = mine.get(change.release.name)
        if there is None:
            cells.append((NEVER, NEVER))
        else:
            part, who = there
            cells.append((part.measures[0].scores[who], part.measures[0].ceiling))
    return Table(
        key="releases-figures",
        title=f"{measure} of the release that answered",
        question=question,
        head="from",
        rows=tuple(change.when for change in changes),
        columns=(Column("release", UNITS[measure]), Column("a coder by the others", UNITS[measure])),
        cells=tuple(cells),
        origin="gate texts as they were when the release was first compared, coded blind",
        drawn="time",
    )


def _runs(line: Line) -> Table:
    unit = UNITS[line.measure]
    shown = {CHALLENGER: "tuned in this run", ZERO_SHOT: "not tuned", TFIDF: "TF-IDF and logistic regression"}
    return Table(
        key="runs",
        title=f"{line.measure} of each run, by the labels that it learned from",
        question=line.question,
        head="run",
        rows=tuple(f"{point.run}" for point in line.points),
        columns=(
            Column("day"),
            Column("labels learned from", "count"),
            Column("outcome"),
            Column("has answered"),
            *(Column(name, unit) for name in shown.values()),
            Column("a coder by the others", unit),
        ),
        cells=tuple(
            (
                f"{point.date:%Y-%m-%d}",
                point.labels,
                point.outcome,
                "yes" if point.served else "no",
                *(point.scores.get(who) for who in shown),
                point.ceiling,
            )
            for point in line.points
        ),
        origin="gate texts as they were at the end of that run, coded blind",
    )
