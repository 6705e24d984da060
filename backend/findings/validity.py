"""How far people agree with each other on the texts that they coded blind, and the model with them, by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.findings.facts import Facts
from backend.findings.sample import NoSampleError, frame, labels, role
from backend.learning.accepted import Accepted
from backend.learning.agreed import Agreed, agreed
from backend.learning.estimate import Estimate
from backend.learning.measured import MEASURES, scored
from labelstudio_config.codebook import Question

NO_SCORES = "the release that answers has not scored these texts"


@dataclass(frozen=True, slots=True)
class Validity:
    """One question, on the texts of a role (gate | test).

    `n` texts have an accepted label, by `coders` (coders a text -> texts); `unresolved`: reason -> texts that have
    none. `agreement`: of people with each other. `measure` and `fit`: the question's first measure, of the model
    against the accepted labels. `no_sample`: why they are no random sample of the corpus, or ''.
    """

    question: Question
    role: str
    n: int
    coders: Mapping[int, int]
    unresolved: Mapping[str, int]
    agreement: Agreed
    measure: str
    fit: Estimate
    no_sample: str


def validities(facts: Facts) -> tuple[Validity, ...]:
    """Of every question: on the test where it is opened, else on the gate."""
    return tuple(_validity(facts, question) for question in facts.book.questions)


def _validity(facts: Facts, question: Question) -> Validity:
    resolved = labels(facts, role(facts))
    mine = [one for one in resolved.accepted if one.question == question.id]
    votes = {text: cast for (text, key), cast in resolved.votes.items() if key == question.id}
    clusters, seed = facts.clusters, facts.project.seed
    return Validity(
        question=question,
        role=role(facts),
        n=len(mine),
        coders=dict(sorted(Counter(one.coders for one in mine).items())),
        unresolved=dict(resolved.unresolved.get(question.id, {})),
        agreement=agreed(question, votes, clusters, seed),
        measure=next(iter(MEASURES[question.kind]), ""),
        fit=_fit(facts, question, mine, seed),
        no_sample=_no_sample(facts, question.id),
    )


def _no_sample(facts: Facts, question: str) -> str:
    try:
        frame(facts, question, role(facts))
    except NoSampleError as error:
        return str(error)
    return ""


def _fit(facts: Facts, question: Question, mine: Sequence[Accepted], seed: int) -> Estimate:
    """The model's first measure on the texts with an accepted label."""
    if not MEASURES[question.kind]:
        return Estimate(0, missing="the model suggests no numbers")
    if question.id not in facts.scores:
        return Estimate(0, missing=NO_SCORES)
    scores = facts.scores[question.id]
    ids = np.array([one.text_id for one in mine], dtype=np.int64)
    there, places = scores.at(ids)
    kept = [one for one, yes in zip(mine, there, strict=True) if yes]
    truth = np.array([[label in one.labels for label in question.label_ids] for one in kept], dtype=np.bool_)
    if not kept:
        return Estimate(0, missing=NO_SCORES if mine else "no text has an accepted label yet")
    tied = facts.texts.cluster[facts.texts.at(ids[there])]
    found, _ = scored(question.kind, truth, scores.marks[places], tied, seed)
    return found[MEASURES[question.kind][0]]
