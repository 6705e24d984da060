"""A challenger before the gate: scored on the blind gate texts beside the champion, decided on, and written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.asked import Asked, Values, asked
from backend.assist.bulk import score_missing
from backend.assist.catalogue import ProjectState
from backend.engines.protocol import Engine, Family
from backend.learning.accepted import Accepted, Resolved, audit_labels
from backend.learning.gate import Compared, Decision, decide
from backend.learning.registry import push_again
from backend.tuners.training import Report, Step
from db import predictions, releases, runs
from db.dialect import chunks
from db.models import Project, Release, Text
from db.store import Store

Marks = NDArray[np.bool_]
Scored = Mapping[tuple[int, int], Values]  # (text id, question id) -> log-probabilities
ROWS = 500
UNSCORED = "not scored"
CHANGED = "The release that answers was changed while this one was tuned, so it stays. Run `socialite retrain` again."


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate texts that have an accepted label on some question, and what each scorer says of them.

    `ids` [n]; `clusters`: text id -> its cluster's, of all texts that somebody coded; `marks` [n, K] by who says so and
    by question key, rows of texts that have no accepted label on the question being of no account.
    """

    resolved: Resolved
    ids: tuple[int, ...]
    clusters: Mapping[int, int]
    questions: tuple[Asked, ...]
    marks: Mapping[str, Mapping[str, Marks]]

    def accepted(self, question: str) -> list[Accepted]:
        return [one for one in self.resolved.accepted if one.question == question]


def gate(store: Store, engine: Engine, project: Project, states: Mapping[str, ProjectState], report: Report) -> Gate:
    """The gate as it is now, with everybody's labels; `states` are the project's by who says so. Texts without scores
    are scored.
    """
    first = next(iter(states.values()))
    with store.reading() as s:
        resolved = audit_labels(s, project, first.codebook, "gate")
    ids = sorted({one.text_id for one in resolved.accepted})
    for who, state in states.items():

        def told(done: int, total: int, who: str = who) -> None:
            report(Step(f"Scoring the gate texts: {who}", done, total))

        for _ in score_missing(store, engine, state, ids, progress=told):
            pass
    questions = asked(engine, first.codebook, first.question_ids)
    with store.reading() as s:
        clusters = _clusters(s, sorted({*ids, *(text for text, _ in resolved.votes)}))
        numbers = [one.question_id for one in questions]
        scores = {who: predictions.lookup(s, state.scorer_id, numbers, ids) for who, state in states.items()}
    marks = {who: {one.question.id: _marks(one, ids, known) for one in questions} for who, known in scores.items()}
    resolved = _scored_only(resolved, questions, list(scores.values()))
    return Gate(resolved, tuple(ids), clusters, questions, marks)


def _scored_only(resolved: Resolved, questions: Sequence[Asked], scores: Sequence[Scored]) -> Resolved:
    """Without what an engine could not score, which is counted."""
    number = {one.question.id: one.question_id for one in questions}
    lost: dict[str, Counter[str]] = {}
    kept = []
    for one in resolved.accepted:
        if one.question in number and not all((one.text_id, number[one.question]) in known for known in scores):
            lost.setdefault(one.question, Counter())[UNSCORED] += 1
        else:
            kept.append(one)
    unresolved = {key: reasons + lost.get(key, Counter()) for key, reasons in resolved.unresolved.items()}
    return replace(resolved, accepted=tuple(kept), unresolved=unresolved)


def _marks(one: Asked, ids: Sequence[int], scores: Scored) -> Marks:
    marks = np.zeros((len(ids), len(one.question.labels)), dtype=np.bool_)
    rows = [row for row, text in enumerate(ids) if (text, one.question_id) in scores]
    if rows:
        marks[rows] = marked(np.stack([scores[ids[row], one.question_id] for row in rows]), one.family)
    return marks


def marked(log_probabilities: NDArray[np.float64], family: Family) -> Marks:
    """What is suggested [n, K] at these scores [n, K]: the most probable label, or each with a probability of .5."""
    if family is Family.BERNOULLI:
        return np.asarray(np.exp(log_probabilities) >= 0.5)
    best = log_probabilities.argmax(axis=1)
    return np.asarray(np.arange(log_probabilities.shape[1]) == best[:, None])


def _clusters(s: Session, ids: Sequence[int]) -> dict[int, int]:
    """Text id -> the id of its cluster."""
    found: dict[int, int] = {}
    for part in chunks(ids, ROWS):
        rows = s.execute(select(Text.id, Text.cluster).where(Text.id.in_(part)))
        found.update((text, text if cluster is None else cluster) for text, cluster in rows)
    return found


def judged(found: Gate, questions: Collection[str], *, look: int, seed: int) -> Decision:
    """The decision between 'champion' and 'challenger' on the questions on which they may differ."""
    place = {text: row for row, text in enumerate(found.ids)}
    compared = []
    for one in found.questions:
        if one.question.id not in questions:
            continue
        mine = found.accepted(one.question.id)
        rows = np.array([place[a.text_id] for a in mine], dtype=np.intp)
        columns = one.question.label_ids
        truth = np.array([[label in a.labels for label in columns] for a in mine], dtype=np.bool_)
        compared.append(
            Compared(
                question=one.question.id,
                kind=one.question.kind,
                labels=columns,
                truth=truth.reshape(len(mine), len(columns)),
                champion=found.marks["champion"][one.question.id][rows],
                challenger=found.marks["challenger"][one.question.id][rows],
                clusters=np.array([found.clusters[a.text_id] for a in mine], dtype=np.int64),
            )
        )
    return decide(compared, look=look, seed=seed)


def settle(
    s: Session, run_id: int, champion: ProjectState, challenger: ProjectState, decision: Decision, *, push: bool
) -> tuple[str, str]:
    """Write the decision down and, where it is to promote, move the pointer, in one transaction; the outcome, and what
    a person is told.

    The champion must still be the current release, else what is current stays so.
    """
    project_id = champion.project_id
    current = releases.current(s, project_id)
    outcome, sentence = str(decision.outcome), decision.sentence
    if outcome == "promote" and (current is None or current.id != champion.release_id):
        outcome, sentence = "undecided", CHANGED
    runs.decide(
        s,
        project_id,
        run_id=run_id,
        challenger_id=challenger.release_id,
        champion_id=champion.release_id,
        n=decision.n,
        delta=_number(decision.delta),
        lower=_number(decision.lower),
        upper=_number(decision.upper),
        outcome=outcome,
        details=decision.plain() | {"outcome": outcome, "sentence": sentence},
    )
    if outcome == "promote":
        releases.point(s, project_id, s.get_one(Release, challenger.release_id), by="gate", reason=sentence)
        if push:
            push_again(s, project_id)
    return outcome, sentence


def _number(value: float) -> float:
    """The columns hold numbers; that nothing could be computed is said in the decision's details."""
    return float(value) if np.isfinite(value) else 0.0
