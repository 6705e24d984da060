"""The whole report of a project in one phase."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.findings import coders
from backend.findings.about import about
from backend.findings.facts import PRODUCTION, FindingsError, facts
from backend.findings.report import Report
from db import projects

PHASES = ("training", "pilot", PRODUCTION)


def build(s: Session, key: str, phase: str = PRODUCTION, by: Sequence[str] = ()) -> Report:
    """The report of the project with this key; `by`: metadata columns that prevalence is told apart by.

    Equal stores give equal reports, but for the date. ProjectNotFoundError, RuleError; FindingsError where the project
    has no codebook, or the phase is none.
    """
    if phase not in PHASES:
        raise FindingsError(f"There is no phase '{phase}'. The phases are: {', '.join(PHASES)}.")
    found = facts(s, projects.by_key(s, key), phase)
    sections = [coders.section(found)]
    return Report(f"{found.project.title}: what was found", about(s, found), tuple(sections))
