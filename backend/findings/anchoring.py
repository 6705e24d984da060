"""Whether coders follow the model: agreement with it where its suggestion is seen, less where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np

from backend.findings.arms import Arms, Case, by_text
from backend.findings.facts import Facts
from backend.findings.report import Column, Section, Table
from backend.findings.weighed import shown
from backend.learning.estimate import FEW, Estimate, proportion
from backend.stats.anchoring import Arm, Share, anchoring, same_mix, share
from backend.stats.interval import Interval
from backend.stats.power import needed

TITLE = "Whether suggestions change what coders say"
Figures = tuple[Estimate, Estimate, Estimate]  # in sight, blind, the difference
APART = f"it takes {FEW} texts of each kind at least, and about 120 of each to see 15 points"
SEEN = (0.1, 0.15, 0.2)  # differences that texts are counted for
TEXT = (
    "Some random texts, the control, are coded with the suggestion in sight, and the random texts of the audit without "
    "any. Coders who are not led by suggestions agree equally often with the model on both. What they agree more on "
    "the control is anchoring: labels that would have been others without the suggestion. A difference below 0 would "
    "mean that coders contradict what they see.",
    "On a control text the model's label is the one that was in sight. Blind answers are held against the same "
    "releases, in the mix that the control has. A text counts once, whatever the number of its coders. In a multiple "
    "choice coder and model agree when all their labels do.",
)


def section(facts: Facts, arms: Mapping[str, Arms]) -> Section:
    """`arms`: question key -> the answers on both kinds of texts."""
    if not arms:
        return Section("anchoring", TITLE, missing="No question has labels that a model could suggest.")
    both = {key: _common(one) for key, one in arms.items()}
    if not any(seen or blind for seen, blind in both.values()) and not any(one.work[0] for one in arms.values()):
        return Section("anchoring", TITLE, missing=" ".join([_nothing(facts), *_all_notes(arms)]))
    found = {key: _figures(facts, *cases) for key, cases in both.items()}
    tables = [_differences(facts, arms, found), _needed(found), _kept(facts, arms)]
    return Section("anchoring", TITLE, TEXT, tuple(table for table in tables if table.rows))


def _nothing(facts: Facts) -> str:
    control = int((facts.texts.stream == 2).sum())
    if not control:
        return (
            "No control texts were drawn: `socialite connect --control N` draws random texts that are coded with the "
            "suggestion in sight."
        )
    return (
        f"Nothing can be compared yet: it takes audit texts coded blind, and the first of {control:,} control texts "
        "coded with a suggestion, under one release."
    )


def _common(one: Arms) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The cases of the scorers that both arms have seen."""
    common = {case.scorer_id for case in one.seen} & {case.scorer_id for case in one.blind}
    if not common:
        return one.seen, one.blind
    first, second = ([case for case in cases if case.scorer_id in common] for cases in (one.seen, one.blind))
    return tuple(first), tuple(second)


def compared(seen: Arm, blind: Arm) -> Figures:
    """Agreement with the model in sight, blind, and the difference; with enough texts of each."""
    found = anchoring(seen, blind)
    least, n = min(found.seen.clusters, found.blind.clusters), found.seen.clusters + found.blind.clusters
    if least < FEW:
        return _estimate(found.seen), _estimate(found.blind), Estimate(n, missing=APART)
    difference = proportion(Interval(found.difference, found.lower, found.upper), n, n)
    return _estimate(found.seen), _estimate(found.blind), difference


def _figures(facts: Facts, seen: tuple[Case, ...], blind: tuple[Case, ...]) -> Figures:
    """The comparison, with the releases of the blind answers in the mix of the control; or the shares alone where there
    is none that both have.
    """
    first, second = _arm(facts, seen), _arm(facts, blind)
    by = [np.array([case.scorer_id for case in cases], dtype=np.int64) for cases in (seen, blind)]
    if seen and blind and set(by[0].tolist()) == set(by[1].tolist()):
        return compared(first, replace(second, weight=same_mix(by[1], second.weight, by[0], first.weight)))
    shares = [_estimate(share(arm) if cases else None) for arm, cases in ((first, seen), (second, blind))]
    why = "no release has scored texts of both kinds: two releases would be compared" if seen and blind else APART
    return shares[0], shares[1], Estimate(shares[0].n + shares[1].n, missing=why)


def _arm(facts: Facts, cases: tuple[Case, ...]) -> Arm:
    ids = np.array([case.text_id for case in cases], dtype=np.int64)
    agrees = np.array([case.agrees for case in cases], dtype=np.float64)
    return Arm(agrees, by_text(cases), facts.texts.cluster[facts.texts.at(ids)])


def _estimate(found: Share | None) -> Estimate:
    if found is None:
        return Estimate(0, missing="no such text is coded yet")
    return shown(found, found.clusters)


def _differences(facts: Facts, arms: Mapping[str, Arms], found: Mapping[str, Figures]) -> Table:
    return Table(
        key="anchoring",
        title="Agreement with the model, with its suggestion in sight and without",
        question="",
        head="question",
        rows=tuple(found),
        columns=(Column("in sight", "share"), Column("blind", "share"), Column("difference", "difference")),
        cells=tuple(found.values()),
        origin=f"control texts, assisted; {'audit' if facts.opened else 'gate'} texts, coded blind; both random",
        notes=tuple(_all_notes(arms)),
        drawn="intervals",
    )


def _all_notes(arms: Mapping[str, Arms]) -> list[str]:
    return [note for key, one in arms.items() for note in _notes(key, one)]


def _notes(key: str, one: Arms) -> list[str]:
    notes = []
    for arm, name in (("seen", "assisted"), ("blind", "blind")):
        if one.left_out[arm]:
            told = ", ".join(f"{why} ({n:,})" for why, n in one.left_out[arm].most_common())
            notes.append(f"{key}: {one.left_out[arm].total():,} {name} answers are left out: {told}.")
    common = {case.scorer_id for case in one.seen} & {case.scorer_id for case in one.blind}
    lost = sum(case.scorer_id not in common for case in (*one.seen, *one.blind)) if common else 0
    if lost:
        notes.append(f"{key}: {lost:,} answers under a release that has not scored texts of both kinds are left out.")
    if one.behind:
        notes.append(
            f"{key}: {one.behind:,} control texts are coded before others that come first in the random order, and "
            "count once those are coded."
        )
    return notes


def _needed(found: Mapping[str, Figures]) -> Table:
    """Blind texts and as many control texts, at the agreement that is seen."""
    base = {key: blind.value for key, (_, blind, _) in found.items() if blind.value is not None}
    rows = {
        key: [ceil(needed(rise, blind)) if blind + rise <= 1 else "more than 100 %" for rise in SEEN]
        for key, blind in base.items()
    }
    return Table(
        key="anchoring-sizes",
        title="Texts of each kind that would show anchoring",
        question="",
        head="question",
        rows=tuple(rows),
        columns=tuple(Column(f"of {100 * difference:.0f} points", "count") for difference in SEEN),
        cells=tuple(tuple(cells) for cells in rows.values()),
        origin="computed from the agreement on blind texts: two-sided at 5 %, in 8 of 10 studies",
    )


def _kept(facts: Facts, arms: Mapping[str, Arms]) -> Table:
    """How often a suggestion that a coder started from is left as it was."""
    rows, cells = [], []
    for key, one in arms.items():
        started = tuple(case for case in one.seen if case.kept is not None)
        if not started and not one.work[0]:
            continue
        arm = _arm(facts, started)
        kept = np.array([case.kept is True for case in started], dtype=np.float64)
        control = _estimate(share(Arm(kept, arm.weight, arm.cluster)) if started else None)
        n, unchanged = one.work
        why = "work texts are coded in any order, which is no random sample: no interval can be had"
        rows.append(key)
        cells.append((control, Estimate(n, unchanged / n, missing=why) if n else None))
    return Table(
        key="anchoring-kept",
        title="Suggestions that coders left as they were",
        question="",
        head="question",
        rows=tuple(rows),
        columns=(Column("control texts", "share"), Column("work texts", "share")),
        cells=tuple(cells),
        origin="answers that started from a suggestion; control texts are random, work texts are not",
        notes=(
            "A suggestion that is kept may be right, or not looked at: only the difference above tells them apart.",
        ),
    )
