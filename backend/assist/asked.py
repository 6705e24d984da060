"""The questions of a codebook that an engine answers, and how its answers to one text become Label Studio's regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.assist.calibration import calibrated
from backend.assist.order import margin_of, probabilities
from backend.engines.protocol import FAMILY, Engine, Family, Item
from labelstudio_config import beside
from labelstudio_config.codebook import Codebook, Question
from labelstudio_config.regions import Answer, Region, regions

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the engine is asked it, and `places`: which of the codebook's texts it is about."""

    question: Question
    question_id: int
    family: Family
    places: tuple[int, ...]

    def item(self, fields: Sequence[str]) -> Item | None:
        """The question's texts among those of the codebook; None when one of them is blank."""
        texts = tuple(fields[place] for place in self.places)
        return texts if all(text.strip() for text in texts) else None


def asked(engine: Engine, codebook: Codebook, question_ids: Mapping[str, int]) -> tuple[Asked, ...]:
    """The questions that the engine can answer; those about numbers are not among them."""
    place = {field: i for i, field in enumerate(codebook.fields)}
    return tuple(
        Asked(codebook.standalone(q), question_ids[q.id], FAMILY[q.kind], tuple(place[field] for field in q.fields))
        for q in codebook.questions
        if q.kind in FAMILY and engine.why_not(q) is None
    )


def read(
    codebook: Codebook,
    scores: Sequence[tuple[Asked, Values]],
    temperatures: Mapping[str, float],
    *,
    ticked: bool = True,
) -> tuple[list[Region], list[float]]:
    """One text's scores as the regions that suggest its labels, and a margin for each question. The regions tick the
    labels or, unless `ticked`, say them.

    A question with any number of labels suggests those with a probability of at least .5, so perhaps none; its region
    then is left out.
    """
    answers, margins = [], []
    for one, raw in scores:
        p = probabilities(calibrated(raw.tolist(), one.family, temperatures.get(one.question.id, 1.0)))
        answers.append(_answer(one.question, one.family, p))
        margins.append(margin_of(p, one.family))
    return (regions if ticked else beside.regions)(codebook, answers), margins


def _answer(question: Question, family: Family, p: list[float]) -> Answer:
    """The labels to suggest; the score is the probability of the label, for several labels that of the least likely."""
    if family is Family.BERNOULLI:
        chosen = [i for i, x in enumerate(p) if x >= 0.5]
        score = min([p[i] for i in chosen], default=None)
    else:
        score = max(p)
        chosen = [p.index(score)]
    return Answer(question.id, tuple([question.labels[i].id for i in chosen]), score=score)
