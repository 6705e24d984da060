"""The rows of a long table that `socialite export` wrote, put together again to the answers that they were."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from backend.corpus import long_table
from backend.corpus.annotation import ADJUDICATED, BULK, CHANGED, HUMAN, IMPORTED, KEPT, moment
from backend.corpus.intake import Columns, Corpus, Keys
from backend.corpus.labels import Choices, LabelError, reader
from backend.corpus.rows import Cells, Incoming, RowError, numbered, values
from backend.corpus.tables.table import Table
from backend.corpus.tally import Tally
from db.projects import PHASES
from db.tables import TableAnswer
from db.texts import UnitRow
from labelstudio_config.codebook import Codebook, Kind

BLANK: Choices = frozenset({(None, None)})  # the question was asked, and not answered
ORIGINS = (HUMAN, KEPT, CHANGED, BULK, IMPORTED, ADJUDICATED)
_ANSWER = ("coder", "answered_at", "updated_at", "phase", "origin", "skipped")  # what the rows of an answer share


def is_long(table: Table) -> bool:
    """Whether the table has the columns by which one of ours is known."""
    return set(table.columns) >= long_table.MARKS


def long_corpus(table: Table, book: Codebook, source: str | None) -> Corpus:
    """The corpus of such a table: texts and the corpus' other columns by their names. TableError when a text is
    missing.
    """
    texts = tuple(table.column(name) for name in long_table.text_names(book))
    begin = long_table.OTHER
    other = tuple(
        (place, name.removeprefix(begin)) for place, name in enumerate(table.columns) if name.startswith(begin)
    )
    return Corpus(table, Columns(texts, table.column("id"), None), source or table.path.name, other)


@dataclass(frozen=True, slots=True)
class _Long:
    """A long table as it is read: the place of each column, and of every question what reads its cells."""

    corpus: Corpus
    keys: Keys
    book: Codebook
    places: Mapping[str, int]

    def cell(self, row: Cells, name: str) -> str:
        return row.cells[self.places[name]] if name in self.places else ""

    def source(self, row: Cells) -> str:
        return self.cell(row, "source") or self.corpus.source

    def key(self, row: Cells) -> tuple[str, ...]:
        """The same for the rows of one answer, which stand together."""
        return (self.source(row), self.cell(row, "id"), *(self.cell(row, name) for name in _ANSWER))


def long_rows(corpus: Corpus, keys: Keys, book: Codebook, tally: Tally) -> Iterator[Incoming]:
    """What the table's rows come to, an answer at a time."""
    places = {name: place for place, name in enumerate(corpus.table.columns)}
    long = _Long(corpus, keys, book, places)
    for _, group in groupby(numbered(corpus.table, tally), key=long.key):
        together = list(group)
        first = together[0]
        try:
            unit = _unit(long, first)
            if not all(field.strip() for field in unit.fields):
                tally.empty.add(first.line)
                continue
            yield Incoming(first.line, long.source(first), unit, _answer(long, together, tally))
        except RowError as error:
            tally.bad.add(first.line, str(error))


def _unit(long: _Long, row: Cells) -> UnitRow:
    external_id = long.cell(row, "id")
    if not external_id:
        raise RowError("has no id")
    number = long.cell(row, "row")
    other = {name: row.cells[place] for place, name in long.corpus.other}
    fields = tuple(row.cells[place] for place in long.corpus.columns.texts)
    return UnitRow(external_id, fields, int(number) if number.isdecimal() else None, other)


def _answer(long: _Long, rows: Sequence[Cells], tally: Tally) -> TableAnswer | None:
    """The answer of these rows; None where they hold a text that nobody answered."""
    first = rows[0]
    if not long.cell(first, "question"):
        return None
    phase, origin = long.cell(first, "phase"), long.cell(first, "origin") or IMPORTED
    if phase not in PHASES:
        raise RowError(f"has '{phase[:40]}' for a phase. The phases are: {', '.join(PHASES)}")
    if origin not in ORIGINS:
        raise RowError(f"has '{origin[:40]}' for an origin. The origins are: {', '.join(ORIGINS)}")
    answered, updated = _time(long, first, "answered_at"), _time(long, first, "updated_at")
    found = TableAnswer(
        source=long.source(first),
        external_id=long.cell(first, "id"),
        coder=long.cell(first, "coder").strip(),
        which=f"answered at {answered.isoformat()}" if answered else "answered",
        values=frozenset(),
        phase=phase,
        origin=origin,
        ground_truth=_true(long.cell(first, "ground_truth")),
        cancelled=_true(long.cell(first, "skipped")),
        answered_at=answered,
        updated_at=updated or answered,
        lead_time=_seconds(long.cell(first, "lead_time")),
    )
    given = [value for row in rows for value in _values(long, row, tally)]
    return replace(found, values=frozenset(given))


def _values(long: _Long, row: Cells, tally: Tally) -> Iterator[tuple[int, int | None, float | None]]:
    """What a row says to its question; a row that cannot be read is counted, and says nothing."""
    name = long.cell(row, "question")
    try:
        question = long.book.question(name)
    except KeyError as error:
        tally.bad.add(row.line, str(error.args[0]).rstrip("."))
        return
    try:
        choices = reader(question)(long.cell(row, "label") or long.cell(row, "number"))
    except LabelError as error:
        tally.bad.add(row.line, str(error))
        return
    if not choices and (_true(long.cell(row, "skipped")) or question.kind is not Kind.MULTIPLE):
        choices = BLANK
    yield from values(question, choices, long.keys)


def _time(long: _Long, row: Cells, name: str) -> datetime | None:
    cell = long.cell(row, name)
    if cell and moment(cell) is None:
        raise RowError(f"has '{cell[:40]}' in '{name}', which is no time. Write it as 2026-01-31T12:00:00Z")
    return moment(cell)


def _true(cell: str) -> bool:
    return cell.strip().casefold() in ("1", "1.0", "true")


def _seconds(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
