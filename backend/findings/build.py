"""The whole report of a project in one phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from backend.findings import (
    agreement,
    anchoring,
    calibration,
    coders,
    confusion,
    labels,
    model,
    nonresponse,
    prevalence,
    releases,
    shares,
    summary,
    suspects,
)
from backend.findings.about import about
from backend.findings.agreement import People, people
from backend.findings.arms import arms
from backend.findings.assisted import ballots
from backend.findings.corpus import metadata
from backend.findings.differing import differing
from backend.findings.facts import PRODUCTION, Facts, FindingsError, facts
from backend.findings.fit import Fit, fits
from backend.findings.report import Report, Section
from backend.learning.vote import Ballot
from db import projects, runs

PHASES = ("training", "pilot", PRODUCTION)


def build(s: Session, key: str, phase: str = PRODUCTION, by: Sequence[str] = ()) -> Report:
    """The report of the project with this key; `by`: metadata columns that prevalence is told apart by.

    Equal stores give equal reports, but for the date. ProjectNotFoundError, RuleError; FindingsError where the project
    has no codebook, the phase is none, or no row has such a column. Of a pilot or a training there is no model and no
    sample to tell of, since their labels never enter gold.
    """
    if phase not in PHASES:
        raise FindingsError(f"There is no phase '{phase}'. The phases are: {', '.join(PHASES)}.")
    found = facts(s, projects.by_key(s, key), phase)
    blind, helped = people(found), ballots(s, found)
    votes = {question: {text: one.votes for text, one in mine.items()} for question, mine in helped.items()}
    fitted = fits(found) if phase == PRODUCTION else {}
    people_only = [coders.section(found), agreement.section(found, blind, votes)]
    with_model = _with_model(s, found, blind, helped, fitted, by) if phase == PRODUCTION else []
    sections = [*people_only, *with_model, shares.section(found)]
    sections = [summary.section(found, blind, fitted, sections), *sections]
    return Report(f"{found.project.title}: what was found", about(s, found), tuple(sections))


def _with_model(
    s: Session,
    found: Facts,
    blind: Sequence[People],
    helped: Mapping[str, Mapping[int, Ballot]],
    fitted: Mapping[str, Sequence[Fit]],
    by: Sequence[str],
) -> list[Section]:
    """What needs a model, or a sample that gold is of."""
    return [
        model.section(found, fitted, blind, runs.looks(s, found.project.id)),
        labels.section(found, fitted),
        confusion.section(found, fitted, differing(s, found, helped, fitted) if found.release else ()),
        suspects.section(s, found),
        calibration.section(found),
        releases.section(s, found),
        anchoring.section(found, arms(s, found)),
        prevalence.section(found, metadata(s, found.project.id), by),
        nonresponse.section(found),
    ]
