"""What people say of the audit's texts, every coder's answer counted: shares of labels, and how often coders differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table
from backend.learning.estimate import FEW, Estimate, proportion, too_few
from backend.learning.vote import Vote
from backend.stats.f1 import Array
from backend.stats.interval import Interval
from backend.stats.share import mean, student, totals, wilson
from labelstudio_config.codebook import Kind, Question

TITLE = "What people say, every answer counted"
TEXT = (
    "Where coders differ, no agreement is made up: a text that two of three coders call a joke counts two thirds for "
    "that label. Every text counts the same. Of questions that people answer differently for good reasons, such as "
    "what is funny or offends, this distribution is the finding.",
)
DIFFERENT = ("all coders agree", "most agree", "no label has most coders")
Votes = dict[int, tuple[Vote, ...]]


def section(facts: Facts) -> Section:
    """Texts of both halves of the audit count: no model is involved."""
    tables: list[Table] = []
    for question in facts.book.questions:
        votes: Votes = {
            text: cast
            for resolved in (facts.gate, facts.test)
            for (text, key), cast in resolved.votes.items()
            if key == question.id
        }
        if not votes:
            continue
        tables.append(
            _number(facts, question, votes) if question.kind is Kind.NUMBER else _shares(facts, question, votes)
        )
        twice = {text: cast for text, cast in votes.items() if len(cast) > 1}
        if twice and question.kind is not Kind.NUMBER:
            tables.append(_differences(facts, question, twice))
    if not tables:
        return Section("shares", TITLE, missing="No audit text is coded in the completed part of the random order yet.")
    return Section("shares", TITLE, TEXT, tuple(tables))


def _soft(question: Question, cast: Sequence[Vote]) -> list[float]:
    return [sum(label in vote.labels for vote in cast) / len(cast) for label in question.label_ids]


def _figures(facts: Facts, votes: Votes, values: Array, *, share: bool) -> tuple[Estimate, ...]:
    """The mean of each column of values [texts, J], with an interval between clusters."""
    cluster = facts.texts.cluster[facts.texts.at(np.array(list(votes), dtype=np.int64))]
    names, place = np.unique(cluster, return_inverse=True)
    n = len(names)
    if n < FEW:
        return (Estimate(len(votes), missing=too_few(n)),) * values.shape[1]
    found = mean(np.bincount(place, minlength=n).astype(np.float64), totals(place, n, values))
    if share:
        bounds = wilson(found.value, found.variance, found.degrees, n)
    else:
        bounds = student(found.value, found.variance, found.degrees)
    figures = [Interval(float(v), float(a), float(b)) for v, a, b in zip(found.value, *bounds, strict=True)]
    if share:
        return tuple(proportion(one, len(votes), n) for one in figures)
    return tuple(Estimate(len(votes), one.value, one.lower, one.upper) for one in figures)


def _shares(facts: Facts, question: Question, votes: Votes) -> Table:
    soft = np.array([_soft(question, cast) for cast in votes.values()])
    some = (soft > 0).mean(axis=0)
    shown = _figures(facts, votes, soft, share=True)
    cells: list[tuple[Cell, ...]] = list(zip(shown, some.tolist(), strict=True))
    return Table(
        key="shares",
        title="Shares of labels over all coders",
        question=question.id,
        head="label",
        rows=tuple(label.code for label in question.labels),
        columns=(Column("share of answers", "share"), Column("texts that some coder gives it", "share")),
        cells=tuple(cells),
        origin=_origin(votes),
        notes=("Several labels may apply to a text, so the shares need not sum to 100 %.",)
        if question.kind is Kind.MULTIPLE
        else (),
        drawn="intervals",
    )


def _number(facts: Facts, question: Question, votes: Votes) -> Table:
    said = [np.array([vote.number for vote in cast if vote.number is not None]) for cast in votes.values()]
    centre = np.array([[one.mean()] for one in said])
    spread = np.array([one.std(ddof=1) for one in said if len(one) > 1])
    within = Estimate(
        len(spread),
        float(np.sqrt((spread**2).mean())) if len(spread) >= FEW else None,
        missing="a spread, not an estimate of the corpus" if len(spread) >= FEW else too_few(len(spread)),
    )
    return Table(
        key="shares-number",
        title="Mean over all coders",
        question=question.id,
        head="",
        rows=("mean",),
        columns=(Column("mean", "number"), Column("standard deviation of coders within a text", "number")),
        cells=((*_figures(facts, votes, centre, share=False), within),),
        origin=_origin(votes),
    )


def _differences(facts: Facts, question: Question, votes: Votes) -> Table:
    """How far the coders of a text differ, in words; in a multiple choice an answer is the set of its labels."""
    kind = np.zeros((len(votes), len(DIFFERENT)))
    entropy = np.zeros(len(votes))
    for n, cast in enumerate(votes.values()):
        counts = np.array(list(Counter((vote.labels, vote.number) for vote in cast).values()))
        most = counts.max() / len(cast)
        kind[n, 0 if most == 1 else 1 if most > 1 / 2 else 2] = 1
        shares = counts / len(cast)
        entropy[n] = float(-(shares * np.log2(shares)).sum())
    shown = _figures(facts, votes, kind, share=True)
    return Table(
        key="shares-differences",
        title="How often the coders of a text differ",
        question=question.id,
        head="",
        rows=DIFFERENT,
        columns=(Column("share of texts", "share"),),
        cells=tuple((one,) for one in shown),
        origin=f"{len(votes):,} audit texts of both halves, coded blind by two coders or more",
        notes=(
            f"The entropy of a text's answers is {entropy.mean():.2f} bits on average; it is 0 where all agree, and 1 "
            "where two coders differ.",
        ),
    )


def _origin(votes: Votes) -> str:
    answers = sum(len(cast) for cast in votes.values())
    return f"{answers:,} answers to {len(votes):,} audit texts of both halves, random, coded blind"
