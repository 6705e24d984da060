"""Other coefficients of agreement beside alpha, for those whose field asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Table
from backend.learning.agreed import Clusters, Votes, coefficient, ratings
from backend.learning.estimate import Estimate
from backend.stats.kappa import ac1, cohen, fleiss
from backend.stats.sets import set_alpha
from labelstudio_config.codebook import Kind, Question

COHEN, WEIGHTED, FLEISS, AC1, MASI = "Cohen's kappa", "weighted kappa", "Fleiss' kappa", "Gwet's AC1", "alpha of sets"
_NOTES = {
    COHEN: "Cohen's kappa is of two coders; of more it is the mean over pairs of coders.",
    WEIGHTED: "Weighted kappa counts a disagreement by the square of the steps between the labels.",
    AC1: "AC1 stays high where one label is frequent: it takes less of the agreement for chance than the others do.",
    MASI: "Alpha of sets (MASI) counts sets of labels as less different where they share some.",
}


def coefficients(facts: Facts, votes: Sequence[tuple[Question, Votes]]) -> tuple[Table, ...]:
    """One table of the questions that have labels and texts coded twice, or none."""
    clusters, seed = facts.clusters, facts.project.seed
    found: dict[str, dict[str, Estimate]] = {}
    for question, cast in votes:
        twice = {text: given for text, given in sorted(cast.items()) if len(given) > 1}
        if question.labels and twice:
            tied = np.array([clusters.get(text, text) for text in twice], dtype=np.int64)
            figures = _of_sets if question.kind is Kind.MULTIPLE else _of_labels
            found[question.id] = figures(question, twice, tied, seed)
    if not found:
        return ()
    names = [name for name in (COHEN, WEIGHTED, FLEISS, AC1, MASI) if any(name in each for each in found.values())]
    cells: list[tuple[Cell, ...]] = [tuple(each.get(name) for name in names) for each in found.values()]
    table = Table(
        key="agreement-coefficients",
        title="Agreement by other coefficients",
        question="",
        head="question",
        rows=tuple(found),
        columns=tuple(Column(name, "coefficient") for name in names),
        cells=tuple(cells),
        origin="audit texts of both halves (gate and test), coded blind",
        notes=tuple(_NOTES[name] for name in names if name in _NOTES),
    )
    return (table,)


def _of_labels(question: Question, twice: Votes, tied: Clusters, seed: int) -> dict[str, Estimate]:
    """The labels are numbered in their order, which the weighted kappa of an ordinal question needs."""
    places = {label: n for n, label in enumerate(question.label_ids)}
    given = ratings(twice, lambda vote: float(places[min(vote.labels)]))
    figures = {COHEN: lambda weights: cohen(given, weights)}
    if question.kind is Kind.ORDINAL:
        figures[WEIGHTED] = lambda weights: cohen(given, weights, 2)
    figures |= {
        FLEISS: lambda weights: fleiss(given, weights),
        AC1: lambda weights: ac1(given, weights, len(places)),
    }
    return {name: coefficient(given, figure, tied, seed) for name, figure in figures.items()}


def _of_sets(question: Question, twice: Votes, tied: Clusters, seed: int) -> dict[str, Estimate]:
    sets = {
        labels: n for n, labels in enumerate(dict.fromkeys(vote.labels for cast in twice.values() for vote in cast))
    }
    given = ratings(twice, lambda vote: float(sets[vote.labels]))
    has = np.stack(
        [ratings(twice, lambda vote, label=label: float(label in vote.labels)) for label in question.label_ids],  # type: ignore[misc]
        axis=2,
    )
    return {MASI: coefficient(given, set_alpha(has == 1, ~np.isnan(given)), tied, seed)}
