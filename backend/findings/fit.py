"""How far what the release says fits what people accepted of blind texts; of the test only once it was opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.findings.facts import Facts
from backend.learning.accepted import Accepted, Resolved
from backend.learning.agreed import Agreed, agreed
from backend.learning.estimate import Estimate
from backend.learning.judge import marked
from backend.learning.measured import precision_and_recall, scored
from backend.learning.vote import Vote
from backend.stats.f1 import Marks
from labelstudio_config.codebook import Question

GATE, TEST = "gate", "test"
_PEOPLE, _MODEL = 1, 2  # seats of a vote of two: the accepted value, and the release


@dataclass(frozen=True, slots=True)
class Fit:
    """One question on the texts of a role that have an accepted value and scores of the release.

    `gold` are all accepted values, `ids` [n] the texts of those that have scores, `truth` and `said` [n, K] what was
    accepted and what the release says. `measures`, and of each label `f1`, `precision` and `recall`, as
    `learning.measured` gives them. `alike`: alpha and percent agreement of the release with the accepted values.
    `unresolved`: reason -> texts without accepted value.
    """

    question: Question
    role: str
    gold: tuple[Accepted, ...]
    unresolved: Counter[str]
    ids: NDArray[np.int64]
    truth: Marks
    said: Marks
    measures: Mapping[str, Estimate]
    f1: tuple[Estimate, ...]
    precision: tuple[Estimate, ...]
    recall: tuple[Estimate, ...]
    alike: Agreed

    @property
    def unscored(self) -> int:
        """Texts with an accepted value that the release has not scored."""
        return len(self.gold) - len(self.ids)


def fits(facts: Facts) -> Mapping[str, tuple[Fit, ...]]:
    """Role -> one fit a question that has labels, in the codebook's order; nothing where there is no release.

    The test is in it only where it was opened for the current release under the current codebook.
    """
    if facts.release is None:
        return {}
    roles = {GATE: facts.gate} | ({TEST: facts.test} if facts.opened is not None else {})
    asked = [question for question in facts.book.questions if question.labels]
    clusters = facts.clusters
    return {role: tuple(_fit(facts, q, role, known, clusters) for q in asked) for role, known in roles.items()}


def _fit(facts: Facts, question: Question, role: str, known: Resolved, clusters: Mapping[int, int]) -> Fit:
    gold = tuple(one for one in known.accepted if one.question == question.id)
    ids = np.array([one.text_id for one in gold], dtype=np.int64)
    truth, k, seed = marks(question, gold), len(question.labels), facts.project.seed
    scores = facts.scores.get(question.id)
    said: Marks = np.zeros((0, k), dtype=np.bool_)
    if scores is None:
        ids, truth = ids[:0], truth[:0]
    else:
        there, places = scores.at(ids)
        ids, truth, said = ids[there], truth[there], marked(scores.raw[places], scores.family)
    tied = np.array([clusters.get(text, text) for text in ids.tolist()], dtype=np.int64)
    measures, f1 = scored(question.kind, truth, said, tied, seed)
    precision, recall = precision_and_recall(truth, said, tied)
    pairs = zip(ids.tolist(), _sets(question, truth), _sets(question, said), strict=True)
    votes = {text: (Vote(_PEOPLE, accepted), Vote(_MODEL, given)) for text, accepted, given in pairs}
    alike = agreed(question, votes, clusters, seed)
    unresolved = Counter(known.unresolved.get(question.id, Counter()))
    by_label = (tuple(f1), tuple(precision), tuple(recall))
    return Fit(question, role, gold, unresolved, ids, truth, said, measures, *by_label, alike)


def marks(question: Question, gold: tuple[Accepted, ...]) -> Marks:
    """Which labels [n, K] were accepted."""
    found = [[label in one.labels for label in question.label_ids] for one in gold]
    return np.array(found, dtype=np.bool_).reshape(len(gold), len(question.labels))


def _sets(question: Question, given: Marks) -> list[frozenset[str]]:
    return [frozenset(np.array(question.label_ids, dtype=object)[row]) for row in given]
