"""Other coefficients of agreement beside alpha, for those whose field asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from backend.findings.report import Cell, Column, Table
from backend.learning.agreed import AC1, COHEN, FLEISS, MASI, Agreed

_NOTES = {
    COHEN: "Cohen's kappa is given where there are two coders; of ordered labels it counts a disagreement by the "
    "square of the steps between them.",
    FLEISS: "Fleiss' kappa of texts with different numbers of coders is its generalisation (Gwet 2014).",
    AC1: "AC1 stays high where one label is frequent: it takes less of the agreement for chance than the others do.",
    MASI: "Alpha of sets counts sets of labels as less different where they share some.",
}


def coefficients(found: Mapping[str, Agreed]) -> tuple[Table, ...]:
    """One table of the questions (question key -> agreement) that have any, or none."""
    having = {key: one.others for key, one in found.items() if one.others and one.texts}
    names = [name for name in (COHEN, FLEISS, AC1, MASI) if any(name in others for others in having.values())]
    if not names:
        return ()
    cells: tuple[tuple[Cell, ...], ...] = tuple(tuple(others.get(name) for name in names) for others in having.values())
    table = Table(
        key="agreement-coefficients",
        title="Agreement by other coefficients",
        question="",
        head="question",
        rows=tuple(having),
        columns=tuple(Column(name, "coefficient") for name in names),
        cells=cells,
        origin="audit texts of both halves (gate and test), coded blind",
        notes=tuple(_NOTES[name] for name in names),
    )
    return (table,)
