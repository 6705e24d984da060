"""What of the audit stays without an accepted value, why, and what it could change at worst and at best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import FAMILY
from backend.findings.corpus import Ints
from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table
from backend.findings.sample import Role, labels
from backend.findings.weighed import shown
from backend.learning.accepted import AHEAD
from backend.learning.estimate import FEW
from backend.stats.anchoring import Arm, share
from labelstudio_config.codebook import Question

TITLE = "What of the audit stays without an accepted label"
TEXT = (
    "The sample is the completed part of the random order. Texts in it that are skipped, tied, or whose task is gone "
    "have no accepted label. Leaving them out as if they were like the others is a guess, and hard texts are skipped "
    "more often: so the bounds say what the figures would be if all of them had a label, or none, and if the model "
    "were right on all of them, or wrong. Adjudicating them makes the bounds narrower.",
)
BOUNDS = (
    "The two columns to the right are no interval: they are what the texts of the sample would show, whatever the "
    "missing ones are."
)


def section(facts: Facts) -> Section:
    """Counts of both halves of the audit; what the model is right on, of the test only once it is opened."""
    if not any(labels(facts, part).completed.get(q.id) for part in _PARTS for q in facts.book.questions):
        return Section(
            "nonresponse",
            TITLE,
            missing="No audit text is through yet: what is skipped or tied is counted as soon as the audit is coded.",
        )
    tables = [_reasons(facts)]
    for question in facts.book.questions:
        found = _shares(facts, question) if question.labels else None
        tables += [found] if found else []
    accuracy = _accuracy(facts)
    if accuracy.rows:
        tables.append(accuracy)
    return Section("nonresponse", TITLE, TEXT, tuple(tables))


_PARTS: tuple[Role, ...] = ("gate", "test")


def _counts(facts: Facts, question: str, part: Role) -> tuple[int, int]:
    """Texts of the sample with an accepted value, and without one; a text that no row shows any more is not missed."""
    resolved, texts = labels(facts, part), facts.texts
    there = {one.text_id for one in resolved.accepted if one.question == question}
    lost = sorted(resolved.completed.get(question, frozenset()) - there)
    return len(there), int((texts.rows[texts.at(np.array(lost, dtype=np.int64))] > 0).sum())


def _reasons(facts: Facts) -> Table:
    """A row for each question and reason; texts behind the completed part are counted with their own reasons."""
    rows: list[str] = []
    cells: list[tuple[Cell, ...]] = []
    for question in facts.book.questions:
        counts = [_counts(facts, question.id, part) for part in _PARTS]
        rows += [f"{question.id}: in the sample", f"{question.id}: of them without a value"]
        cells += [tuple(there + lost for there, lost in counts), tuple(lost for _, lost in counts)]
        why = [labels(facts, part).unresolved[question.id] for part in _PARTS]
        reasons = sorted({*why[0], *why[1]} - {AHEAD}, key=lambda name: (-sum(one.get(name, 0) for one in why), name))
        for name in (*reasons, AHEAD):
            told = tuple(one.get(name, 0) for one in why)
            if any(told):
                rows.append(f"{question.id}: {name}")
                cells.append(told)
    return Table(
        key="nonresponse",
        title="Audit texts without an accepted value, by reason",
        question="",
        head="question and reason",
        rows=tuple(rows),
        columns=(Column("gate", "count"), Column("test", "count")),
        cells=tuple(cells),
        origin="audit texts; the reasons are of those in the sample and of those behind it that were tried",
        notes=(f"'{AHEAD}': an earlier text of the random order is not coded yet; that is no nonresponse.",),
    )


def _shares(facts: Facts, question: Question) -> Table | None:
    """The share of each label among the texts of both halves: as accepted, and if all or none of the missing had it."""
    both = [_counts(facts, question.id, part) for part in _PARTS]
    n, lost = sum(there for there, _ in both), sum(gone for _, gone in both)
    if n + lost < FEW:
        return None
    given = [one for part in _PARTS for one in labels(facts, part).accepted if one.question == question.id]
    ids = np.array([one.text_id for one in given], dtype=np.int64)
    cells: list[tuple[Cell, ...]] = []
    for label in question.label_ids:
        has = np.array([label in one.labels for one in given], dtype=np.bool_)
        cells.append(_bounded(facts, ids, has, lost))
    return Table(
        key="nonresponse-shares",
        title="Shares of labels, and what the missing texts could make of them",
        question=question.id,
        head="label",
        rows=tuple(label.code for label in question.labels),
        columns=(Column("accepted", "share"), Column("none has it", "share"), Column("all have it", "share")),
        cells=tuple(cells),
        origin=f"{n + lost:,} audit texts of both halves, coded blind, {lost:,} of them without an accepted value",
        notes=("Every text counts once here, however many rows show it.", BOUNDS),
    )


def _accuracy(facts: Facts) -> Table:
    """How often the model's label is people's, if it were right or wrong on all that is missing."""
    parts: tuple[Role, ...] = _PARTS if facts.opened else ("gate",)
    rows: list[str] = []
    cells: list[tuple[Cell, ...]] = []
    for question in facts.book.questions:
        scores = facts.scores.get(question.id)
        if question.kind not in FAMILY or scores is None:
            continue
        for part in parts:
            mine = [one for one in labels(facts, part).accepted if one.question == question.id]
            if not mine:
                continue
            truth = np.array([[label in one.labels for label in question.label_ids] for one in mine], dtype=np.bool_)
            ids = np.array([one.text_id for one in mine], dtype=np.int64)
            there, places = scores.at(ids)
            right = (scores.marks[places] == truth[there]).all(axis=1)
            rows.append(f"{question.id}, {part}")
            cells.append(_bounded(facts, ids[there], right, _counts(facts, question.id, part)[1]))
    return Table(
        key="nonresponse-accuracy",
        title="Texts on which the model's label is the accepted one, and what the missing texts could make of it",
        question="",
        head="question",
        rows=tuple(rows),
        columns=(Column("accepted", "share"), Column("all wrong", "share"), Column("all right", "share")),
        cells=tuple(cells),
        origin=f"{'audit' if facts.opened else 'gate'} texts of the sample, coded blind",
        notes=(BOUNDS,),
    )


def _bounded(facts: Facts, ids: Ints, yes: NDArray[np.bool_], lost: int) -> tuple[Cell, ...]:
    """The share among texts [n] with its interval, and with `lost` more texts that are all counted as no, or as yes."""
    found = share(Arm(yes.astype(np.float64), np.ones(len(yes)), facts.texts.cluster[facts.texts.at(ids)]))
    if found.clusters < FEW:
        return shown(found, found.n), None, None
    some, n = int(yes.sum()), len(yes) + lost
    return shown(found, found.n), some / n, (some + lost) / n
