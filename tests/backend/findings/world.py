"""A project with coded texts and the scores of a release, for the findings to be read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.findings.facts import PRODUCTION, Facts, facts
from db import predictions, releases, revisions
from db.models import Look, Release
from tests.backend.learning.coding import Coding


def score(coding: Coding, said: Mapping[int, Mapping[str, Any]]) -> int:
    """A current release that gives the texts these labels: text id -> question key -> probabilities [K]; its id."""
    release_id = coding.release()
    with coding.store.writing() as s:
        release = s.get_one(Release, release_id)
        releases.point(s, coding.world.project_id, release, by="test", reason="test")
        ids = revisions.question_ids(s, coding.world.project_id)
        rows = [
            (text, ids[key], np.log(np.asarray(p, dtype=np.float64)), 0)
            for text, by_question in said.items()
            for key, p in by_question.items()
        ]
        predictions.store(s, release.scorer_id, rows)
    return release_id


def open_test(coding: Coding, release_id: int) -> None:
    """The test of the current codebook is opened for this release."""
    with coding.store.writing() as s:
        revision = revisions.current(s, coding.world.project_id)
        assert revision is not None
        same = {"project_id": coding.world.project_id, "revision_id": revision.id}
        s.add(Look(**same, release_id=release_id, by="test", reason="test"))


def read(coding: Coding, phase: str = PRODUCTION) -> Facts:
    with coding.store.reading() as s:
        return facts(s, coding.project, phase)
