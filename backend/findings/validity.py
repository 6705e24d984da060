"""How far people agree with each other, and the model with them, by question: the numbers of the report, in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from backend.findings.agreement import people
from backend.findings.facts import Facts
from backend.findings.fit import Fit, fits
from backend.findings.sample import NoSampleError, frame, labels, role
from backend.learning.agreed import Agreed
from backend.learning.estimate import Estimate
from backend.learning.measured import MEASURES
from labelstudio_config.codebook import Question


@dataclass(frozen=True, slots=True)
class Validity:
    """One question. `agreement`: of people with each other, on all texts of the audit that two or more coded blind.

    `n` texts of a `role` (the test once it is opened, before that the gate) have an accepted label, by `coders` (coders
    a text -> texts); `unresolved`: reason -> texts that have none. `measure` and `fit`: the question's first measure,
    of the model against them; '' where it suggests nothing. `no_sample`: why they are no random sample of the corpus,
    or ''.
    """

    question: Question
    agreement: Agreed
    role: str
    n: int
    coders: Mapping[int, int]
    unresolved: Mapping[str, int]
    measure: str
    fit: Estimate
    no_sample: str


def validities(facts: Facts) -> tuple[Validity, ...]:
    """One a question, in the codebook's order."""
    part = role(facts)
    resolved = labels(facts, part)
    fitted = {one.question.id: one for one in fits(facts).get(part, ())}
    found = []
    for one in people(facts):
        question = one.question
        mine = [value for value in resolved.accepted if value.question == question.id]
        measure = next(iter(MEASURES[question.kind]), "")
        found.append(
            Validity(
                question=question,
                agreement=one.agreed,
                role=part,
                n=len(mine),
                coders=dict(sorted(Counter(value.coders for value in mine).items())),
                unresolved=dict(resolved.unresolved.get(question.id, {})),
                measure=measure,
                fit=_fit(fitted.get(question.id), measure),
                no_sample=_no_sample(facts, question.id),
            )
        )
    return tuple(found)


def _fit(found: Fit | None, measure: str) -> Estimate:
    if found is None:
        return Estimate(0, missing="no model has labelled these texts")
    if not len(found.ids):
        return Estimate(0, missing="none of these texts has both an accepted label and one of the model")
    return found.measures[measure]


def _no_sample(facts: Facts, question: str) -> str:
    try:
        frame(facts, question, role(facts))
    except NoSampleError as error:
        return str(error)
    return ""
