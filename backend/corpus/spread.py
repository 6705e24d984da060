"""The places of a Label Studio project's tasks in an order that spreads texts which are like each other."""

from __future__ import annotations

from math import fsum

import numpy as np
from sqlalchemy import func, select

from backend.assist.asked import Values
from backend.assist.calibration import calibrated
from backend.assist.catalogue import ProjectState
from backend.assist.order import margin
from backend.assist.spread import spread_scores
from backend.engines.protocol import FAMILY
from db import predictions, texts
from db.dialect import chunks
from db.models import LsProject, LsTask, Placement, Unit
from db.store import Store

CHUNK = 5000


def places(store: Store, row: LsProject, state: ProjectState, seed: int) -> dict[int, float]:
    """Text id -> place of every text for work that has a live task and a score; whether its suggestion was sent or not,
    so that a push that was broken off goes on in the same order. Control texts keep theirs, the audit has none.

    A text that comes to the project later finds its place among those that are there, which stay where they are.
    """
    families = {state.question_ids[q.id]: (q.id, FAMILY[q.kind]) for q in state.codebook.questions if q.kind in FAMILY}
    work = (
        select(Unit.text_id)
        .join(LsTask, LsTask.unit_id == Unit.id)
        .outerjoin(Placement, Placement.text_id == Unit.text_id)
        .where(LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None))
        .where(func.coalesce(Placement.stream, "work") == "work")
    )
    certain: dict[int, list[float]] = {}
    words: dict[int, str] = {}
    with store.reading() as s:
        ids = sorted(set(s.scalars(work)))
        for part in chunks(ids, CHUNK):
            scores: dict[tuple[int, int], Values] = predictions.lookup(s, state.scorer_id, list(families), part)
            for (text, question), raw in scores.items():
                key, family = families[question]
                read = calibrated(raw.tolist(), family, state.temperatures.get(key, 1.0))
                certain.setdefault(text, []).append(margin(read, family))
            words |= {text: " ".join(fields) for text, fields in texts.bodies(s, part).items()}
    known = [text for text in ids if text in certain and text in words]
    mean = np.array([fsum(certain[text]) / len(certain[text]) for text in known])
    found = spread_scores([words[text] for text in known], mean, seed)
    return dict(zip(known, found.tolist(), strict=True))
