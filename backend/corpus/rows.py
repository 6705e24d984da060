"""The rows of a table, one by one, as what is stored of them: a row of the corpus, and an answer if it holds one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from backend.corpus.annotation import IMPORTED, moment
from backend.corpus.intake import Corpus, Keys, Labels
from backend.corpus.labels import Choices, LabelError, reader
from backend.corpus.tables.table import Table
from backend.corpus.tally import Tally
from db.tables import TableAnswer, Value
from db.texts import UnitRow
from labelstudio_config.codebook import Question

NOBODY = "table"  # the coder of labels that no column names a coder of
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RowError(Exception):
    """A row cannot be taken in; the message says why, and what would cure it."""


class Cells(NamedTuple):
    """A row of the table: its line in the file, its number among all rows, good and bad, and its cells."""

    line: int
    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A row of the corpus, or one more answer to it. `line` is where it stands in the file."""

    line: int
    source: str
    unit: UnitRow
    answer: TableAnswer | None


def numbered(table: Table, tally: Tally) -> Iterator[Cells]:
    """The rows, without what no database holds. Rows that could not be read count, so that repairing one does not give
    all later ones other numbers.
    """
    bad = sorted(row.line for row in table.bad)
    for row in table.bad:
        tally.bad.add(row.line, row.reason.rstrip("."))
    tally.bad.n += table.n_bad - len(bad)
    tally.rows += table.n_bad
    for n, (line, cells) in enumerate(table.numbered(), 1):
        tally.rows += 1
        yield Cells(line, n + bisect_left(bad, line), _storable(cells, tally))


def _storable(cells: list[str], tally: Tally) -> list[str]:
    joined = "".join(cells)
    if joined.isascii() and "\x00" not in joined:
        return cells
    found = len(_UNSTORABLE.findall(joined))
    if not found:
        return cells
    tally.removed += found
    return [_UNSTORABLE.sub("", cell) for cell in cells]


def rows(corpus: Corpus, keys: Keys, tally: Tally) -> Iterator[Incoming]:
    """What the table's rows come to; those that come to nothing are counted."""
    labels = corpus.columns.labels
    said = _answer(labels, corpus.source, keys) if labels else None
    for row in numbered(corpus.table, tally):
        try:
            unit = _unit(corpus, row)
            if not all(field.strip() for field in unit.fields):
                tally.empty.add(row.line)
                continue
            yield Incoming(row.line, corpus.source, unit, said(unit.external_id, row.cells) if said else None)
        except (RowError, LabelError) as error:
            tally.bad.add(row.line, str(error))


def _unit(corpus: Corpus, row: Cells) -> UnitRow:
    columns, cells = corpus.columns, row.cells
    external_id = cells[columns.id].strip() if columns.id is not None else str(row.number)
    if not external_id:
        raise RowError("has no id. Give it one, or leave out --id-column")
    group = cells[columns.group].strip() or None if columns.group is not None else None
    other = {name: cells[place] for place, name in corpus.other}
    return UnitRow(external_id, tuple(cells[i] for i in columns.texts), row.number, other, group)


def _answer(labels: Labels, source: str, keys: Keys) -> Callable[[str, Sequence[str]], TableAnswer | None]:
    """What reads the answer of a row with this id; None for a row without a label, or without its coder."""
    read, question = reader(labels.question), labels.question

    def of(external_id: str, cells: Sequence[str]) -> TableAnswer | None:
        choices = read(cells[labels.label])
        coder = cells[labels.coder].strip() if labels.coder is not None else NOBODY
        if not choices or not coder:
            return None
        at = _time(cells[labels.time]) if labels.time is not None else None
        return TableAnswer(
            source=source,
            external_id=external_id,
            coder=coder,
            which=question.id,
            values=values(question, choices, keys),
            phase=labels.phase,
            origin=IMPORTED,
            ground_truth=labels.ground_truth,
            answered_at=at,
            updated_at=at,
        )

    return of


def _time(cell: str) -> datetime | None:
    if not cell.strip():
        return None
    at = moment(cell.strip())
    if at is None:
        raise RowError(f"has '{cell.strip()[:40]}' for a time. Write it as 2026-01-31T12:00:00Z")
    return at


def values(question: Question, choices: Choices, keys: Keys) -> frozenset[Value]:
    """The choices by the numbers that the store gives the question and its labels."""
    number = keys.questions[question.id]
    return frozenset((number, keys.labels[question.id, label] if label else None, given) for label, given in choices)
