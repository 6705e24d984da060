"""How a project's suggestions reach its coders: ticked, or in words beside the question; and in which order.

The manner is a setting of the project, kept with its sampling design, and part of a release's name: another manner is
another release, so that Label Studio is given the suggestions anew, and each exposure says what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from backend.assist.order import POLICY
from db.models import Project
from db.projects import locked

BESIDE = "+beside-1"  # ending of an order policy: the suggestion is said in words, and nothing is ticked
SPREAD = "+cluster-margin-1"  # the uncertain texts are spread over groups of alike ones, see `backend.assist.spread`


@dataclass(frozen=True, slots=True)
class Manner:
    """`ticked`: a coder finds the suggested label ticked. `diverse`: texts that are like each other come apart."""

    ticked: bool = True
    diverse: bool = False

    @property
    def policy(self) -> str:
        """What a release remembers of it, beside the order."""
        return POLICY + SPREAD * self.diverse + BESIDE * (not self.ticked)


def manner_of(policy: str) -> Manner:
    """The manner of a release with this order policy."""
    return Manner(ticked=BESIDE not in policy, diverse=SPREAD in policy)


def manner(project: Project) -> Manner:
    """What is wanted of the project's next release."""
    wanted = project.sampling_design
    return Manner(ticked=bool(wanted.get("ticked", True)), diverse=bool(wanted.get("diverse", False)))


def settle(s: Session, project_id: int, *, ticked: bool | None = None, diverse: bool | None = None) -> Manner:
    """Change what is given (None: as it was), for good; the manner from now on."""
    project = locked(s, project_id)
    before = manner(project)
    after = replace(
        before,
        ticked=before.ticked if ticked is None else ticked,
        diverse=before.diverse if diverse is None else diverse,
    )
    if after != before:
        project.sampling_design = project.sampling_design | {"ticked": after.ticked, "diverse": after.diverse}
    return after
