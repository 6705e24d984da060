"""The dictionary beside an exported table: what it is of, and what its columns, questions and labels mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from backend.corpus.tables.cells import plain
from backend.corpus.tables.writing import new_table
from backend.findings.export.columns import Described
from backend.findings.export.source import Source
from labelstudio_config.codebook import Question

COLUMNS = ("part", "name", "type", "meaning", "question", "label", "values", "missing")
BLIND = (
    "the model's labels of audit texts are left out: these texts are coded blind until the test is opened for this "
    "release and codebook (`socialite open-test`)"
)
Cells = tuple[str, str, str, str, str, str, str, str]


def path_of(table: Path) -> Path:
    """out.xlsx -> out.dictionary.csv"""
    return table.with_suffix(".dictionary.csv")


def write(
    path: Path,
    source: Source,
    columns: Sequence[Described],
    missing: Sequence[int],
    *,
    about: Mapping[str, str],
    withheld: Mapping[str, int],
    overwrite: bool,
) -> None:
    """Write it. `missing`: empty cells of each column; `about`: more to say of the table; TableError."""
    with new_table(path, COLUMNS, overwrite=overwrite) as writer:
        for cells in (*_table(source, about, withheld), *_columns(columns, missing), *_codebook(source)):
            writer.writerow(cells)


def _table(source: Source, about: Mapping[str, str], withheld: Mapping[str, int]) -> Iterator[Cells]:
    facts, scorer = source.facts, source.facts.scorer
    told = {
        "project": f"{source.project.key}: {source.project.title}",
        **about,
        "codebook": f"revision {facts.revision.number}, {facts.revision.content_hash}",
        "rule": source.project.gold_rule,
        "release": f"{facts.release.name}: {scorer.engine}, {scorer.base}" if facts.release and scorer else "none",
        "test": f"opened {_time(facts.opened.created_at)}" if facts.opened else "not open",
    }
    for name, meaning in told.items():
        yield "table", name, "", meaning, "", "", "", ""
    for question, n in withheld.items():
        if n:
            yield "table", "withheld", "", BLIND, question, "", str(n), ""


def _columns(columns: Sequence[Described], missing: Sequence[int]) -> Iterator[Cells]:
    for one, n in zip(columns, missing, strict=True):
        column = one.column
        yield "column", column.name, str(column.kind), column.meaning, one.question, one.label, one.values, str(n)


def _codebook(source: Source) -> Iterator[Cells]:
    """The questions and labels, those of earlier revisions too where an answer may hold them."""
    now = {question.id for question in source.book.questions}
    for question in source.questions.values():
        asked = question.asked if question.id in now else f"(no longer asked) {question.asked}"
        yield "question", question.id, str(question.kind), asked, question.id, "", _range(question), ""
        for label in question.labels:
            meaning = f"{label.wording}: {label.definition}" if label.definition else label.wording
            yield "label", label.code, "", meaning, question.id, label.id, "; ".join(label.examples), ""


def _range(question: Question) -> str:
    low, high = (plain(bound) for bound in (question.minimum, question.maximum))
    return f"{low} to {high}".strip() if low or high else ""


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
