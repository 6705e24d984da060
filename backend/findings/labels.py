"""How well the release finds each label: precision, recall and F1 on texts that people coded blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.findings.facts import Facts
from backend.findings.fit import Fit
from backend.findings.model import NAMES, nothing
from backend.findings.report import Column, Section, Table

TITLE = "Each label by itself"
_TEXT = (
    "Precision is the share of the texts given the label by the model that people gave it, too; recall the share of "
    "those given it by people that the model finds. F1 lies between the two. A label that few texts have gets no "
    "figures: they would say more of those few texts than of the model."
)


def section(facts: Facts, fits: Mapping[str, Sequence[Fit]]) -> Section:
    """A table a question and role, of labels in the codebook's order."""
    tables = tuple(_table(one) for found in fits.values() for one in found if len(one.ids))
    if not tables:
        return Section("labels", TITLE, missing=nothing(facts, fits))
    return Section("labels", TITLE, (_TEXT,), tables)


def _table(one: Fit) -> Table:
    accepted, said = one.truth.sum(axis=0).tolist(), one.said.sum(axis=0).tolist()
    return Table(
        key=f"labels-{one.role}",
        title=f"Precision, recall and F1: {NAMES[one.role]}",
        question=one.question.id,
        head="label",
        rows=tuple(label.code for label in one.question.labels),
        columns=(
            Column("texts by people", "count"),
            Column("texts by the model", "count"),
            Column("precision", "share"),
            Column("recall", "share"),
            Column("F1", "share"),
        ),
        cells=tuple(zip(accepted, said, one.precision, one.recall, one.f1, strict=True)),
        origin=f"{one.role} texts, coded blind",
        drawn="intervals",
    )
