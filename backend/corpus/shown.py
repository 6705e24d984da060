"""What a coder had been shown when an answer was given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.calibration import calibrated, temperatures
from backend.assist.manner import manner_of
from backend.corpus.books import book
from backend.engines.protocol import FAMILY, Family
from db import predictions, revisions
from db.models import Calibration, CodebookRevision, Exposure, Release


@dataclass(frozen=True, slots=True)
class Shown:
    """The release whose suggestion was handed out, and the questions it ticked (None: its scores are not stored)."""

    release_id: int
    questions: frozenset[str] | None


def shown(s: Session, ls_task_id: int, when: datetime) -> Shown | None:
    """What was handed out for a task last before this time, or at all where clocks differ; None: nothing was."""
    handed = select(Exposure).where(Exposure.ls_task_id == ls_task_id)
    exposure = s.scalar(handed.where(Exposure.created_at <= when).order_by(Exposure.id.desc()).limit(1))
    exposure = exposure or s.scalar(handed.order_by(Exposure.id).limit(1))
    if exposure is None:
        return None
    return Shown(exposure.release_id, _answered(s, s.get_one(Release, exposure.release_id), exposure.text_id))


def _answered(s: Session, release: Release, text_id: int) -> frozenset[str] | None:
    """The questions that the release's suggestion for a text ticks a label of; none where it says them beside."""
    if not manner_of(release.order_policy).ticked:
        return frozenset()
    codebook = book(s.get_one(CodebookRevision, release.revision_id))
    ids = revisions.question_ids(s, release.project_id)
    asked = {q.id: FAMILY[q.kind] for q in codebook.questions if q.kind in FAMILY}
    scores = predictions.lookup(s, release.scorer_id, [ids[question] for question in asked], [text_id])
    if not scores:
        return None
    calibration = s.get(Calibration, release.calibration_id) if release.calibration_id else None
    scales = temperatures(calibration.parameters if calibration else None)
    found = set()
    for question, family in asked.items():
        raw = scores.get((text_id, ids[question]))
        if raw is None:
            continue
        log_p = calibrated(raw.tolist(), family, scales.get(question, 1.0))
        if family is not Family.BERNOULLI or max(log_p) >= math.log(0.5):
            found.add(question)
    return frozenset(found)
