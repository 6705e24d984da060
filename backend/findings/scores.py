"""What a release says of a project's texts, read from the store: probabilities and the labels that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.assist.calibration import temperatures
from backend.engines.protocol import FAMILY, Family
from backend.learning.judge import marked
from db.dialect import fetch
from db.models import Calibration, Release
from labelstudio_config.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Scored:
    """One question's scores on n texts: `ids` [n] ascending, `raw` log-probabilities [n, K] as the model gave them, and
    the `temperature` at which the release reads them (1: not calibrated).
    """

    ids: NDArray[np.int64]
    raw: NDArray[np.float64]
    family: Family
    temperature: float = 1.0

    @property
    def marks(self) -> NDArray[np.bool_]:
        """Which labels [n, K] are suggested; a temperature changes no ranking, and no side of one half."""
        return marked(self.raw, self.family)

    def at(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which of the text ids [n] have scores [n], and the places [m] of those that have."""
        places = np.minimum(np.searchsorted(self.ids, ids), max(len(self.ids) - 1, 0))
        there = self.ids[places] == ids if len(self.ids) else np.zeros(len(ids), dtype=np.bool_)
        return there, places[there]


def scored(s: Session, release: Release, book: Codebook, question_ids: Mapping[str, int]) -> dict[str, Scored]:
    """Question key -> scores of the project's texts; a question that has none is not there."""
    calibration = s.get(Calibration, release.calibration_id) if release.calibration_id else None
    heat = temperatures(calibration.parameters if calibration else None)
    found = {}
    for question in book.questions:
        k = len(question.labels)
        numbers = {"project": release.project_id, "scorer": release.scorer_id, "question": question_ids[question.id]}
        rows = fetch(s, _SCORES, **numbers) if question.kind in FAMILY else []
        rows = [row for row in rows if len(row[1]) == 8 * k]
        if rows:
            raw = np.frombuffer(b"".join(bytes(row[1]) for row in rows), dtype="<f8").reshape(len(rows), k)
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            found[question.id] = Scored(ids, raw, FAMILY[question.kind], heat.get(question.id, 1.0))
    return found


_SCORES = """
SELECT prediction.text_id, prediction.log_probabilities FROM prediction JOIN text ON text.id = prediction.text_id
WHERE text.project_id = :project AND prediction.scorer_id = :scorer AND prediction.question_id = :question
ORDER BY prediction.text_id
"""
