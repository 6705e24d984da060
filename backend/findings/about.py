"""What a report is about: the facts at its head, by which its numbers can be traced and computed again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.findings.facts import Facts
from backend.findings.words import times
from backend.learning.accepted import CODERS
from backend.learning.measured import DRAWS
from backend.learning.recode import Said, said
from db import runs
from db.base import now
from db.models import Draw, Look, Release

NO_RELEASE = "none yet"


def about(s: Session, facts: Facts) -> Mapping[str, str]:
    """Name -> value, in the order in which a person reads them; all but the date follow from the store."""
    project, revision = facts.project, facts.revision
    opened = openings(s, facts)
    return {
        "project": project.key,
        "title": project.title,
        "phase": facts.phase,
        "date": f"{now():%Y-%m-%d %H:%M} UTC",
        "codebook": facts.book.title,
        "codebook revision": f"{revision.number} ({revision.content_hash})",
        **{f"same meaning {n}": _same(one) for n, one in enumerate(said(s, project.id), 1)},
        **_model(facts),
        "rule of gold": project.gold_rule,
        "coders a text": str(project.sampling_design.get("coders", CODERS)),
        "sampling": _sampling(s, facts),
        "seed": str(project.seed),
        "bootstrap": f"{DRAWS:,} resamples of texts, or of whole clusters of texts that belong together",
        "gate looked at": times(runs.looks(s, project.id)),
        "test opened": times(len(opened)),
        **{f"opening {n}": told for n, told in enumerate(opened, 1)},
    }


def _same(one: Said) -> str:
    return (
        f"'{one.question}' under revisions {one.earlier} and {one.later}, said by {one.by} on {one.at:%Y-%m-%d}: "
        f"{one.reason}"
    )


def openings(s: Session, facts: Facts) -> list[str]:
    """Each opening of the test, the first one first: when, by whom, for which release, why."""
    ids = {look.release_id for look in facts.looks}
    names = {row.id: row.name for row in s.execute(select(Release.id, Release.name).where(Release.id.in_(ids)))}
    return [_opening(look, names[look.release_id]) for look in facts.looks]


def _opening(look: Look, release: str) -> str:
    return f"{look.created_at:%Y-%m-%d %H:%M} UTC by {look.by}, for {release}: {look.reason}"


def _model(facts: Facts) -> dict[str, str]:
    release, scorer = facts.release, facts.scorer
    if release is None or scorer is None:
        return {"release": NO_RELEASE}
    return {
        "release": release.name,
        "model": f"{scorer.base} ({scorer.engine})",
        "base digest": scorer.base_digest,
        "adapter digest": scorer.adapter_digest or "none: the model is not tuned",
        **({"prompt hash": scorer.prompt_hash} if scorer.prompt_hash else {}),
        "calibrated": "yes" if release.calibration_id else "no",
    }


def _sampling(s: Session, facts: Facts) -> str:
    """What was drawn at random, of how much."""
    query = select(Draw).where(Draw.project_id == facts.project.id).order_by(Draw.number)
    drawn = [
        f"draw {draw.number}, seed {draw.seed}: audit {draw.audit:,}, control {draw.control:,} of {draw.population:,} "
        "texts or clusters of texts that belong together"
        for draw in s.scalars(query)
    ]
    return "; ".join(drawn) or "nothing was drawn: no text is in the audit"
