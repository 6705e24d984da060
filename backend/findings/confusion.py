"""Which labels the release takes for which, in numbers; and in texts where coders had seen its suggestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.findings.facts import Facts
from backend.findings.fit import Fit
from backend.findings.model import NAMES, nothing
from backend.findings.report import Cell, Column, Examples, Section, Table
from backend.stats.f1 import confusion
from labelstudio_config.codebook import Kind

TITLE = "What is taken for what"
PAIRS = 10  # most confused ones that are listed
MANY = 8  # labels from which on the pairs are listed beside the table
_TEXT = (
    "Numbers of blind texts by the label that people accepted (rows) and the label that the model suggests (columns). "
    "Texts of the audit themselves are shown to nobody while the test is closed; the texts below, if any, are ones "
    "that were coded with the suggestion in sight."
)


def section(facts: Facts, fits: Mapping[str, Sequence[Fit]], examples: Sequence[Examples] = ()) -> Section:
    """`examples`: texts on which coders and the release differ, of those that may be shown."""
    there = [one for found in fits.values() for one in found if len(one.ids)]
    tables = tuple(table for one in there for table in (_of_sets(one) if _several(one) else _of_labels(one)))
    if not tables and not examples:
        return Section("confusion", TITLE, missing=nothing(facts, fits))
    return Section("confusion", TITLE, (_TEXT,), tables, tuple(examples))


def _several(one: Fit) -> bool:
    return one.question.kind is Kind.MULTIPLE


def _of_sets(one: Fit) -> tuple[Table, ...]:
    """A row a label: whether people and the release gave it."""
    truth, said = one.truth, one.said
    counts = [truth & said, truth & ~said, ~truth & said, ~truth & ~said]
    table = Table(
        key=f"confusion-{one.role}",
        title=f"People and the model: {NAMES[one.role]}",
        question=one.question.id,
        head="label",
        rows=tuple(label.code for label in one.question.labels),
        columns=tuple(Column(name, "count") for name in ("both", "people only", "model only", "neither")),
        cells=tuple(tuple(row) for row in np.stack([each.sum(axis=0) for each in counts], axis=1).tolist()),
        origin=f"{one.role} texts, coded blind",
    )
    return (table,)


def _of_labels(one: Fit) -> tuple[Table, ...]:
    """Every label by every label, and from `MANY` labels on the pairs that are confused most."""
    codes = [label.code for label in one.question.labels]
    matrix = confusion(one.truth.argmax(axis=1), one.said.argmax(axis=1), len(codes)).astype(np.int64)
    table = Table(
        key=f"confusion-{one.role}",
        title=f"People and the model: {NAMES[one.role]}",
        question=one.question.id,
        head="accepted",
        rows=tuple(codes),
        columns=tuple(Column(code, "count") for code in codes),
        cells=tuple(tuple(row) for row in matrix.tolist()),
        origin=f"{one.role} texts, coded blind; rows: accepted by people, columns: suggested by the model",
        drawn="confusion",
    )
    off = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-off.ravel(), kind="stable")[:PAIRS]
    pairs = [(int(at) // len(codes), int(at) % len(codes)) for at in order if off.ravel()[at]]
    if len(codes) < MANY or not pairs:
        return (table,)
    rows: list[tuple[Cell, ...]] = []
    for true, said in pairs:
        given = int(matrix[true].sum())
        rows.append((int(matrix[true, said]), given, matrix[true, said] / given))
    listed = Table(
        key=f"confused-{one.role}",
        title=f"Confused most: {NAMES[one.role]}",
        question=one.question.id,
        head="accepted → suggested",
        rows=tuple(f"{codes[true]} → {codes[said]}" for true, said in pairs),
        columns=(Column("texts", "count"), Column("of texts accepted as it", "count"), Column("share", "share")),
        cells=tuple(rows),
        origin=table.origin,
        notes=(f"At most {PAIRS} pairs are listed.",) if len(pairs) == PAIRS else (),
    )
    return (table, listed)
