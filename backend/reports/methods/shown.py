"""Which outcome and which column of the corpus the analysis files begin with; a person puts others in their place."""

from __future__ import annotations

from collections import Counter

from backend.findings.table import AnalysisTable, Covariate, Outcome

MOST = 10  # levels of a column of words


def outcome(table: AnalysisTable) -> Outcome | None:
    """The label that people are most divided on, if the sample has both: the first of equals."""
    cells = dict(zip(table.names, table.columns, strict=True))

    def divided(one: Outcome) -> int:
        counts = Counter(cells[one.gold])
        return min(counts["0"], counts["1"])

    found = max((one for one in table.outcomes if one.binary), key=divided, default=None)
    return found if found and divided(found) else None


def covariate(table: AnalysisTable) -> Covariate | None:
    """A column of few words that most rows have, else one of numbers that is no row number."""
    usable = [one for one in table.covariates if one.levels > 1 and 10 * one.empty <= table.n]
    words = [one for one in usable if not one.numeric and one.levels <= MOST]
    numbers = [one for one in usable if one.numeric and one.levels < table.n]
    return next(iter([*words, *numbers]), None)
