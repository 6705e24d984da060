"""Cards without a store: the gate texts of a project that asks one question of each kind, and runs that were kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.learning.accepted import Accepted, Resolved
from backend.learning.card import CHALLENGER, CHAMPION, TFIDF, ZERO_SHOT, Card, Facts, Used, build
from backend.learning.gate import Compared, Decision, decide
from backend.learning.measured import Predicted
from backend.learning.vote import Vote
from labelstudio_config.codebook import Kind, Question
from tests.backend.assist.world import BOOK

N = 40  # gate texts, with ids 100, 101, ...
TEXTS = tuple(range(100, 100 + N))
USED = Used(34, 6, {"no": 28, "yes": 12}, 3, {"tie": 2})
FACTS = Facts(
    project="posts",
    run=7,
    date=datetime(2026, 3, 2, 14, 5, tzinfo=UTC),
    tuner="head",
    base="all-MiniLM-L6-v2",
    seed=3,
    snapshot="5a" * 32,
    revision=2,
    codebook="c0" * 32,
    champion="encoder-old",
    challenger="encoder-new",
    adapter="ad" * 32,
)


def truth(question: Question) -> NDArray[np.bool_]:
    """What people accepted [N, K]: three in four texts have the first label, of several labels the others, too."""
    marks = np.zeros((N, len(question.labels)), dtype=np.bool_)
    rows = np.arange(N)
    marks[rows, np.where(rows % 4 == 0, 1, 0)] = True
    if question.kind is Kind.MULTIPLE:
        marks[::2, 2] = True
    return marks


def off(marks: NDArray[np.bool_], wrong: int) -> NDArray[np.bool_]:
    """The labels, with those of the first `wrong` texts moved by one."""
    moved = marks.copy()
    moved[:wrong] = np.roll(moved[:wrong], 1, axis=1)
    return moved


def gate() -> Resolved:
    """Two coders, of whom the second errs on the first 4 texts; these were adjudicated."""
    accepted, votes = [], {}
    for question in BOOK.questions:
        for row, text in enumerate(TEXTS):
            by = "adjudicated" if row < 4 else "majority"
            if question.kind is Kind.NUMBER:
                accepted.append(Accepted(text, question.id, frozenset(), 1990.0 + row, (), 2, by))
                votes[text, question.id] = (Vote(1, frozenset(), 1990.0 + row), Vote(2, frozenset(), 1991.0 + row))
                continue
            first, second = (_labels(question, marks[row]) for marks in (truth(question), off(truth(question), 4)))
            accepted.append(Accepted(text, question.id, first, None, (), 2, by))
            votes[text, question.id] = (Vote(1, first), Vote(2, second))
    accepted.sort(key=lambda one: (one.text_id, one.question))
    return Resolved(tuple(accepted), {q.id: Counter({"skipped": 1}) for q in BOOK.questions}, votes)


def _labels(question: Question, row: NDArray[np.bool_]) -> frozenset[str]:
    return frozenset(label for label, given in zip(question.label_ids, row, strict=True) if given)


def predictions() -> dict[str, dict[str, Predicted]]:
    """The challenger is always right, the champion errs on 8 texts, zero-shot on 20; TF-IDF says nothing of topics."""
    asked = [question for question in BOOK.questions if question.labels]
    said: dict[str, dict[str, Predicted]] = {
        who: {question.id: off(truth(question), wrong) for question in asked}
        for who, wrong in ((ZERO_SHOT, 20), (TFIDF, 12), (CHAMPION, 8), (CHALLENGER, 0))
    }
    said[TFIDF]["topics"] = "All 9 texts have the same answer."
    return said


def decision(look: int = 2) -> Decision:
    said = predictions()
    return decide(
        [
            Compared(
                question.id,
                question.kind,
                question.label_ids,
                truth(question),
                said[CHAMPION][question.id],  # type: ignore[arg-type]
                said[CHALLENGER][question.id],  # type: ignore[arg-type]
                np.arange(N),
            )
            for question in BOOK.questions
            if question.labels
        ],
        look=look,
        seed=5,
    )


def card(gate_labels: Resolved | None = None, **facts: Any) -> Card:
    learned = {"humor": USED}
    made = replace(FACTS, **facts)
    return build(made, learned, gate_labels or gate(), BOOK, predictions(), TEXTS, {}, decision())


def learned(run: int, labels: int, outcome: str = "undecided") -> Card:
    """A kept card of a later run that learned `humor` from so many labels."""
    made = card(run=run, date=datetime(2026, 3, run, 12, tzinfo=UTC))
    parts = tuple(replace(p, used=replace(USED, train=labels - 6)) if p.used else p for p in made.questions)
    return replace(made, questions=parts, decision=replace(made.decision, outcome=outcome))
