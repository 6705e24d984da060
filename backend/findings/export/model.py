"""What the model says, in the cells of a wide table: its label, probabilities, margin, and how much it did not read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.assist.calibration import calibrated
from backend.assist.order import margin_of, probabilities
from backend.corpus.long_table import joined
from backend.corpus.tables.cells import Cell
from backend.engines.protocol import Family
from backend.findings.export.source import Source
from backend.learning.judge import marked
from db.dialect import fetch
from labelstudio_config.codebook import Kind, Question


class Model:
    """The current release's scores. `withheld`: question -> texts of which they are not told, since they are blind."""

    def __init__(self, source: Source) -> None:
        self._source, self._scores = source, source.facts.scores
        self._cut = _cut(source)
        texts = source.facts.texts
        blind = texts.ids[source.blind]
        self.withheld: Mapping[str, int] = {key: int(one.at(blind)[0].sum()) for key, one in self._scores.items()}
        self._shown = {key: one.at(texts.ids)[0] & ~source.blind for key, one in self._scores.items()}

    def cells(self, question: Question, text_id: int) -> list[Cell]:
        """Label, probability of each label [K], margin, tokens cut; all empty where it says nothing."""
        scores, k = self._scores.get(question.id), len(question.labels)
        if scores is None or not self._shown[question.id][self._source.place(text_id)]:
            return [None] * (k + 3)
        place = int(np.searchsorted(scores.ids, text_id))
        raw = scores.raw[place].tolist()
        p = probabilities(calibrated(raw, scores.family, scores.temperature))
        return [
            _label(question, raw, scores.family),
            *p,
            margin_of(p, scores.family),
            self._cut.get((text_id, question.id), 0),
        ]

    def release(self, text_id: int) -> str | None:
        """The release that says something of a text here; None where none does."""
        at, release = self._source.place(text_id), self._source.facts.release
        return release.name if release and any(shown[at] for shown in self._shown.values()) else None


def _label(question: Question, raw: list[float], family: Family) -> str:
    """The code that is suggested, or the codes."""
    marks = marked(np.array([raw]), family)[0]
    codes = [label.code for label, mark in zip(question.labels, marks, strict=True) if mark]
    return joined(codes) if question.kind is Kind.MULTIPLE else codes[0]


def _cut(source: Source) -> dict[tuple[int, str], int]:
    """(text id, question) -> tokens that the release's scorer did not read; those of which it read all are left out."""
    if source.facts.scorer is None:
        return {}
    found = fetch(source.session, _CUT, project=source.project.id, scorer=source.facts.scorer.id)
    return {(text, source.question_keys[question]): n for text, question, n in found}


_CUT = """
SELECT prediction.text_id, prediction.question_id, prediction.cut
FROM prediction JOIN text ON text.id = prediction.text_id
WHERE text.project_id = :project AND prediction.scorer_id = :scorer AND prediction.cut > 0
"""
