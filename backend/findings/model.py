"""The release against people: on the gate texts, which it was chosen by, and on the test texts once they are open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from backend.findings.agreement import UNITS, People
from backend.findings.facts import Facts
from backend.findings.fit import GATE, TEST, Fit
from backend.findings.report import Cell, Column, Section, Table
from backend.findings.words import counted, listed, tallied, times
from backend.learning.measured import MEASURES
from db.models import Release

TITLE = "The model against people"
NAMES = {GATE: "development (gate texts)", TEST: "test"}
PUSH = "`socialite push --project {key}` scores the texts with the model that is set up."
NO_RELEASE = f"The project has no release yet, so there is no model to compare with people. {PUSH}"
ONLY_NUMBERS = (
    "No question has labels: what is answered with a number is not suggested by the model, so there is nothing to "
    "compare."
)
NO_GOLD = (
    "No {role} text has an accepted value yet{why}. Texts of the audit count in their random order, up to the first "
    "that is not coded by as many coders as planned."
)


def section(facts: Facts, fits: Mapping[str, Sequence[Fit]], blind: Sequence[People], gate_looks: int) -> Section:
    """`gate_looks`: how often the gate labels were looked at to choose a release."""
    release = facts.release
    if release is None or not any(one.gold for found in fits.values() for one in found):
        return Section("model", TITLE, missing=nothing(facts, fits))
    ceilings = {one.question.id: one.ceiling for one in blind}
    text, tables = [_development(release, gate_looks)], []
    for role, found in fits.items():
        if any(one.gold for one in found):
            tables += [_measures(role, found, ceilings), _yardstick(role, found)]
        else:
            text.append(no_gold(role, found))
    text.append(test_sentence(facts))
    text.append(
        "Intervals are over texts, given these coders and this codebook: what other coders would have said is not in "
        "them."
    )
    return Section("model", TITLE, tuple(text), tuple(tables))


def nothing(facts: Facts, fits: Mapping[str, Sequence[Fit]]) -> str:
    """Why there is no text on which the release can be compared with people."""
    if facts.release is None:
        return NO_RELEASE.format(key=facts.project.key)
    if not any(fits.values()):
        return ONLY_NUMBERS
    if any(one.gold for found in fits.values() for one in found):
        return f"The release has scored none of the texts with an accepted value. {PUSH.format(key=facts.project.key)}"
    return " ".join(no_gold(role, found) for role, found in fits.items())


def no_gold(role: str, found: Sequence[Fit]) -> str:
    """Why no text of a role has an accepted value."""
    reasons = sum((one.unresolved for one in found), Counter[str]())
    return NO_GOLD.format(role=role, why=f": {tallied(reasons)}" if reasons else "")


def _development(release: Release, looks: int) -> str:
    chosen = (
        f"releases were chosen by these labels, which were looked at {times(looks)} for that"
        if looks
        else "no release was chosen by these labels yet, but the next ones will be"
    )
    also = ", and this one is calibrated on them" if release.calibration_id is not None else ""
    return (
        f"{release.name} is compared with what people accepted of blind texts. The gate texts are for development: "
        f"{chosen}{also}. Such figures flatter a model somewhat: report those of the test, once it is open."
    )


def test_sentence(facts: Facts) -> str:
    """Whether the test was opened, how often, and what that means."""
    n, opened = len(facts.looks), facts.opened
    before = f"It was opened {times(n)} so far, for other releases or under another codebook. " if n else ""
    if opened is None:
        coded = len({one.text_id for one in facts.test.accepted})
        return (
            f"The test is closed: {counted(coded, 'test text')} with accepted values wait{'s' if coded == 1 else ''} "
            f"for it. {before}Open it once, at the end, for the release that you will report: `socialite open-test "
            f"--project {facts.project.key}`."
        )
    often = (
        "This was its only opening."
        if n == 1
        else f"It was opened {times(n)} in all: what was found at one opening may have led to the next, so that the "
        "figures are less and less those of an untouched test."
    )
    return (
        f"The test was opened for this release on {opened.created_at:%Y-%m-%d} by {opened.by} ({opened.reason}). "
        f"{often}"
    )


def _measures(role: str, found: Sequence[Fit], ceilings: Mapping[str, Mapping[str, Cell]]) -> Table:
    """Each measure beside what coders reach by it, and alpha and accuracy with the accepted value."""
    names = [name for name in UNITS if any(name in MEASURES[one.question.kind] for one in found)]
    columns = [Column("alpha", "coefficient"), Column("accuracy", "share")]
    for name in names:
        columns += [Column(name, UNITS[name]), Column(f"{name} of a coder", UNITS[name])]
    return Table(
        key=f"model-{role}",
        title=f"The release and the accepted values: {NAMES[role]}",
        question="",
        head="question",
        rows=tuple(one.question.id for one in found),
        columns=tuple(columns),
        cells=tuple(_row(one, names, ceilings.get(one.question.id, {})) for one in found),
        origin=f"{role} texts, coded blind; a coder's figure is of audit texts of both halves, by what the others say",
        notes=tuple(note for one in found for note in _notes(one)),
        drawn="intervals",
    )


def _row(one: Fit, names: Sequence[str], ceiling: Mapping[str, Cell]) -> tuple[Cell, ...]:
    figures: list[Cell] = [one.alike.alpha, one.alike.percent]
    for name in names:
        figures += [one.measures.get(name), ceiling.get(name)]
    return tuple(figures)


def _notes(one: Fit) -> tuple[str, ...]:
    """Texts that have no scores."""
    if not one.unscored:
        return ()
    who = f"{one.question.id}: {counted(one.unscored, f'{one.role} text')} with an accepted value"
    return (f"{who} were not scored by this release and are left out; `socialite push` scores them.",)


def _yardstick(role: str, found: Sequence[Fit]) -> Table:
    """What gold is: how many texts, of how many coders, by what rule, and what is missing."""
    mixed = [one.question.id for one in found if len({gold.coders for gold in one.gold}) > 1]
    notes = (f"Gold of {listed(mixed)} comes from different numbers of coders: it is not equally firm.",)
    return Table(
        key=f"gold-{role}",
        title=f"The yardstick: {NAMES[role]}",
        question="",
        head="question",
        rows=tuple(one.question.id for one in found),
        columns=(
            Column("texts with gold", "count"),
            Column("scored", "count"),
            Column("coders a text"),
            Column("accepted by"),
            Column("without gold"),
        ),
        cells=tuple(
            (
                len(one.gold),
                len(one.ids),
                tallied(Counter(str(gold.coders) for gold in one.gold)),
                tallied(Counter(gold.by for gold in one.gold)),
                tallied(one.unresolved) or "none",
            )
            for one in found
        ),
        origin=f"{role} texts in their random order, coded blind, as far as the order is complete",
        notes=notes if mixed else (),
    )
