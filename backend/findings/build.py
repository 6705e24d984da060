"""The whole report of a project in one phase."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.findings import agreement, coders, confusion, labels, model, prevalence, releases, summary, suspects
from backend.findings.about import about
from backend.findings.agreement import people
from backend.findings.assisted import ballots
from backend.findings.corpus import metadata
from backend.findings.differing import differing
from backend.findings.facts import PRODUCTION, FindingsError, facts
from backend.findings.fit import fits
from backend.findings.report import Report
from db import projects, runs

PHASES = ("training", "pilot", PRODUCTION)


def build(s: Session, key: str, phase: str = PRODUCTION, by: Sequence[str] = ()) -> Report:
    """The report of the project with this key; `by`: metadata columns that prevalence is told apart by.

    Equal stores give equal reports, but for the date. ProjectNotFoundError, RuleError; FindingsError where the project
    has no codebook, or the phase is none.
    """
    if phase not in PHASES:
        raise FindingsError(f"There is no phase '{phase}'. The phases are: {', '.join(PHASES)}.")
    found = facts(s, projects.by_key(s, key), phase)
    blind, helped = people(found), ballots(s, found)
    votes = {question: {text: one.votes for text, one in mine.items()} for question, mine in helped.items()}
    fitted = fits(found) if phase == PRODUCTION else {}
    sections = [
        summary.section(found, blind, fitted),
        coders.section(found),
        agreement.section(found, blind, votes),
    ]
    if phase == PRODUCTION:
        sections += [
            model.section(found, fitted, blind, runs.looks(s, found.project.id)),
            labels.section(found, fitted),
            confusion.section(found, fitted, differing(s, found, helped, fitted) if found.release else ()),
            suspects.section(s, found),
            releases.section(s, found),
            prevalence.section(found, metadata(s, found.project.id), by),
        ]
    return Report(f"{found.project.title}: what was found", about(s, found), tuple(sections))
