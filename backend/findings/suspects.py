"""Labels of assisted texts to look at again: a model that knows the other labels finds them unlikely.

Confident learning, after Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset
labels", Journal of Artificial Intelligence Research 70.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.findings.facts import Facts
from backend.findings.held_out import HeldOut, held_out
from backend.findings.report import Column, Example, Examples, Section, Table
from backend.learning.accepted import Accepted, work_labels
from backend.learning.vote import ADJUDICATED
from db import texts
from labelstudio_config.codebook import Kind, Question

LEAST = 20  # texts with an accepted label and scores, below which nothing is compared
FEW = 5  # texts of a label, below which it has no threshold
ROUNDING = 1e-9  # a mean of equal probabilities may come out higher than each of them
SHOWN = 10  # examples of a question
ORIGIN = "accepted labels of assisted texts, which coders gave with a suggestion before them"
WORDS = (
    "These accepted labels should be looked at again: the model finds them unlikely, and finds another label as likely "
    "as it does where coders gave that one (confident learning; Northcutt, Jiang and Chuang 2021). The model may be "
    "the one that errs, so nothing here is changed by itself.",
    "Only assisted texts are listed, never one of the audit: there a model's label beside a coder's would end the "
    "blindness. A coder who kept a wrong suggestion agrees with the model, and is not found in this way.",
    "A model that learned a label finds it likely. So the scores are those of the newest release that did not learn "
    "from the text; where there is none, the text is marked, and more such labels are missed.",
)
UNSEEN, SEEN = "did not learn from this text", "learned from this text"


@dataclass(frozen=True, slots=True)
class Suspect:
    """An accepted label to look at again, by its id, and the label `instead`; in a multiple choice the two are whether
    one label applies ('joy', 'not joy'). `p` and `p_instead` are their probabilities, `unseen` as in `HeldOut`.
    """

    text_id: int
    question: str
    label: str
    instead: str
    p: float
    p_instead: float
    unseen: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A question's `n` assisted texts with an accepted label and scores, of which the model had learned from `seen`;
    the suspects, by the margin between the two probabilities. `missing`: why none were looked for.
    """

    question: Question
    n: int
    seen: int
    suspects: tuple[Suspect, ...] = ()
    missing: str = ""


def compared(s: Session, facts: Facts) -> tuple[Compared, ...]:
    """Every question's work texts, which are assisted ones, but those that an adjudicator has looked at. RuleError."""
    found = work_labels(s, facts.project, facts.book, live=facts.answers)
    accepted = [one for one in found.accepted if one.by != ADJUDICATED]
    return tuple(
        _question(s, facts, q, [one for one in accepted if one.question == q.id]) for q in facts.book.questions
    )


def _question(s: Session, facts: Facts, question: Question, accepted: Sequence[Accepted]) -> Compared:
    if question.kind is Kind.NUMBER:
        return Compared(question, 0, 0, missing="a number has no probability")
    labels = {one.text_id: one.labels for one in accepted}
    scores = held_out(s, facts, question, sorted(labels))
    n, seen = len(scores.ids), int((~scores.unseen).sum())
    if n < LEAST:
        why = f"{n} assisted texts have an accepted label and scores, of at least {LEAST}"
        return Compared(question, n, seen, missing=why)
    ticks = np.array([[label in labels[text] for label in question.label_ids] for text in scores.ids.tolist()])
    found = sorted(_suspects(question, ticks, scores), key=lambda one: (one.p - one.p_instead, one.text_id, one.label))
    return Compared(question, n, seen, tuple(found))


def _suspects(question: Question, ticks: NDArray[np.bool_], scores: HeldOut) -> Iterator[Suspect]:
    """`ticks` [n, K] of the accepted labels. Labels that exclude each other are compared with each other, those of a
    multiple choice each with its absence.
    """
    ids = question.label_ids
    if question.kind is not Kind.MULTIPLE:
        yield from _named(question, scores, ids, ticks.argmax(axis=1), scores.p)
        return
    for k, label in enumerate(ids):
        p = np.stack([1 - scores.p[:, k], scores.p[:, k]], axis=1)
        yield from _named(question, scores, (f"not {label}", label), ticks[:, k].astype(np.int64), p)


def _named(
    question: Question, scores: HeldOut, names: Sequence[str], given: NDArray[np.int64], p: NDArray[np.float64]
) -> Iterator[Suspect]:
    instead = confident(given, p)
    for n in np.flatnonzero(instead >= 0):
        label, other = int(given[n]), int(instead[n])
        yield Suspect(
            int(scores.ids[n]), question.id, names[label], names[other],
            float(p[n, label]), float(p[n, other]), bool(scores.unseen[n]),
        )  # fmt: skip


def confident(given: NDArray[np.int64], p: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each text [n] the label that is confidently another one than the `given` [n]; -1 where there is none.

    `p` [n, K] are probabilities. A label's threshold is its mean probability over the texts it was given to: a text is
    confidently of the most probable of the labels whose threshold it reaches, here only where that is more probable
    than the given one. Labels given to fewer than `FEW` texts have no threshold.
    """
    k, rows = p.shape[1], np.arange(len(given))
    counts = np.bincount(given, minlength=k)
    sums = np.bincount(given, weights=p[rows, given], minlength=k)
    thresholds = np.where(counts >= FEW, sums / np.maximum(counts, 1), np.inf)
    reached = np.where(p >= thresholds - ROUNDING, p, -1.0)
    best = reached.argmax(axis=1)
    return np.where((reached[rows, best] > p[rows, given]) & (best != given), best, -1)


def section(s: Session, facts: Facts) -> Section:
    """Labels to look at again, with the texts of the foremost of each question."""
    found = compared(s, facts)
    looked = [one for one in found if not one.missing]
    if not looked:
        why = "; ".join(f"{one.question.name}: {one.missing}" for one in found)
        return Section("suspects", "Labels to look at again", missing=f"Nothing could be compared ({why}).")
    table = Table(
        key="suspects",
        title="Accepted labels that the model finds unlikely",
        question="",
        head="question",
        rows=tuple(one.question.name for one in looked),
        columns=(
            Column("texts compared", "count"),
            Column("to look at again", "count"),
            Column("of the texts, learned from", "count"),
        ),
        cells=tuple((one.n, len({each.text_id for each in one.suspects}), one.seen) for one in looked),
        origin=ORIGIN,
        notes=tuple(f"Not compared: {one.question.name} ({one.missing})." for one in found if one.missing),
    )
    shown = {each.text_id for one in looked for each in one.suspects[:SHOWN]}
    bodies, rows = texts.bodies(s, sorted(shown)), texts.units(s, sorted(shown))
    names = {text: row.external_id for text, row in rows.items()}
    examples = tuple(_examples(one, bodies, names) for one in looked if one.suspects)
    return Section("suspects", "Labels to look at again", WORDS, (table,), examples)


def _examples(found: Compared, bodies: Mapping[int, tuple[str, ...]], names: Mapping[int, str]) -> Examples:
    shown = [one for one in found.suspects[:SHOWN] if one.text_id in bodies and one.text_id in names]
    return Examples(
        title=f"{found.question.name}: the foremost {len(shown)} of {len(found.suspects)}",
        question=found.question.id,
        texts=tuple(Example(names[one.text_id], bodies[one.text_id], _said(one)) for one in shown),
        notes=("By the difference between the probabilities of the accepted label and the other one.",),
    )


def _said(one: Suspect) -> dict[str, str]:
    return {
        "accepted": f"{one.label} (the model: {one.p:.2f})",
        "the model's": f"{one.instead} ({one.p_instead:.2f})",
        "the model": UNSEEN if one.unseen else SEEN,
    }
