"""A table taken into a project, however long it is: a stretch of rows is in memory at a time, and hashes of all rows.

Every row, and every answer, is found again by what it is, so that an import that was broken off is completed by running
it again, and one that is run again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from backend.corpus import alike
from backend.corpus.intake import Corpus, Keys
from backend.corpus.long_rows import is_long, long_rows
from backend.corpus.rows import Incoming, rows
from backend.corpus.tally import Tally
from db import answers, projects, revisions, tables, texts
from db.base import now
from db.content import content_hash
from db.models import Project
from db.store import Store, chunks
from db.tables import Change, TableAnswer, stable
from db.texts import UnitRow
from labelstudio_config.codebook import Codebook

STRETCH = 1_000  # rows in memory; of so many texts the hashes are remembered (db.content)
CHUNK = 300  # rows of a transaction, each of which makes three
NEAR = 20_000  # texts up to which near-duplicates are looked for here, in seconds
_OURS = re.compile(r"coder-[1-9][0-9]*")
_OTHER_TEXT = -1  # of a row that is not taken in, since it had another text before
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table is taken in: a store and a project with its codebook, or neither where there is none yet."""

    store: Store | None
    project: Project | None
    book: Codebook
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Keys:
    questions: dict[str, int]
    labels: dict[tuple[str, str], int]


def place(store: Store, project: Project) -> Place:
    """The place that a stored project with a codebook is."""
    with store.reading() as s:
        revision = revisions.current(s, project.id)
        assert revision is not None
        keys = _Keys(revisions.question_ids(s, project.id), revisions.label_ids(s, project.id))
        return Place(store, project, revisions.codebook(revision), keys)


def nowhere(store: Store | None, book: Codebook) -> Place:
    """The place that a project would be which has not been made: nothing is there yet."""
    numbers = {question.id: n for n, question in enumerate(book.questions, 1)}
    labels = {(question.id, label.id): n for question in book.questions for n, label in enumerate(question.labels, 1)}
    return Place(store, None, book, _Keys(numbers, labels))


def take_in(where: Place, corpus: Corpus, report: Report, *, write: bool = True) -> Tally:
    """Store what is new of the table, or only look what that would be; what became of every row."""
    taking = _Taking(where, corpus, write)
    return taking.all(report)


class _Taking:
    """One table on its way in."""

    def __init__(self, where: Place, corpus: Corpus, write: bool) -> None:
        self.where, self.corpus, self.write = where, corpus, write
        self.tally = Tally(other=[name for _, name in corpus.other])
        self.moment: datetime = now()
        self.text_of: dict[int, int] = {}  # row of the corpus -> its text
        self.texts: set[int] = set()
        self.answered: set[int] = set()  # annotation ids
        self.coders: dict[str, int | None] = {}
        self.fields: dict[str, tuple[str, ...]] | None = {}  # content hash -> text, while there are few

    def all(self, report: Report) -> Tally:
        total = self.corpus.table.n + self.corpus.table.n_bad
        report(0, total)
        for part in chunks(self._rows(), STRETCH):
            self._stretch(part)
            report(self.tally.rows, total)
        report(self.tally.rows, self.tally.rows)
        self.tally.texts = len(self.texts)
        self.tally.coders = len(self.coders)
        if self.fields is not None:
            self.tally.near, self.tally.stored = alike.near(self.where.store, self.where.project, self.fields, NEAR)
        return self.tally

    def _rows(self) -> Iterator[Incoming]:
        if is_long(self.corpus.table) and self.corpus.columns.labels is None:
            return long_rows(self.corpus, self.where.keys, self.where.book, self.tally)
        return rows(self.corpus, self.where.keys, self.tally)

    def _stretch(self, part: Sequence[Incoming]) -> None:
        hashes = [content_hash(one.unit.fields) for one in part]
        before, known = self._known(part, hashes)
        new: list[Incoming] = []
        told: list[TableAnswer] = []
        for one, content in zip(part, hashes, strict=True):
            had = before.get((one.source, one.unit.external_id))
            fits = self._row(one, int(content[:15], 16), had is not None and had != known.get(content))
            if fits is None:
                continue
            if fits and had is None:
                new.append(one)
                self.tally.new_texts += content not in known
                known.setdefault(content, 0)
            if fits:
                self.tally.known += had is not None
                self._remember(content, one.unit.fields)
            if one.answer is not None and self._answer(one):
                told.append(one.answer)
        self.tally.new += len(new)
        self._store(new, told)

    def _row(self, one: Incoming, text: int, changed: bool) -> bool | None:
        """Whether the row of the corpus is met for the first time in this table; None when it is left out."""
        key = stable(one.source, one.unit.external_id)
        met = self.text_of.get(key)
        if met is None:
            self.text_of[key] = _OTHER_TEXT if changed else text
            if changed:
                self.tally.changed.add(one.line)
                return None
            self.tally.repeated += text in self.texts
            self.texts.add(text)
            return True
        if met == _OTHER_TEXT:
            self.tally.changed.add(one.line)
        elif one.answer is None or met != text:
            what = "a second time" if met == text else "of an earlier row, with another text"
            reason = f"has the id '{one.unit.external_id[:40]}' {what}. Each row needs one of its own"
            self.tally.bad.add(one.line, reason)
        else:
            return False
        return None

    def _answer(self, one: Incoming) -> bool:
        """Whether nobody gave this answer in an earlier row."""
        assert one.answer is not None
        number = one.answer.annotation_id
        if number in self.answered:
            reason = f"has the id '{one.unit.external_id[:40]}' a second time, with a label by the same coder"
            self.tally.bad.add(one.line, f"{reason}. --coder-column tells coders apart")
            return False
        self.answered.add(number)
        if one.answer.coder:
            self.coders.setdefault(one.answer.coder, None)
        return True

    def _known(
        self, part: Sequence[Incoming], hashes: Sequence[str]
    ) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
        """What is stored of these rows: text by row, and text by content."""
        store, project = self.where.store, self.where.project
        if store is None or project is None:
            return {}, {}
        with store.reading() as s:
            ids = texts.find(s, project.id, [one.unit.fields for one in part])
            there = {
                (source, external_id): text
                for source in {one.source for one in part}
                for external_id, text in texts.row_texts(
                    s, project.id, source, [one.unit.external_id for one in part if one.source == source]
                ).items()
            }
        return there, {content: text for content, text in zip(hashes, ids, strict=True) if text is not None}

    def _store(self, new: Sequence[Incoming], told: Sequence[TableAnswer]) -> None:
        store, project = self.where.store, self.where.project
        if self.write and store is not None and project is not None:
            store.write_in_chunks(new, lambda s, part: _units(s, project.id, part), size=CHUNK)
        made = self._changes(told)
        self.tally.answers += sum(change.new for change in made)
        self.tally.versions += sum(not change.new for change in made)
        self.tally.same += len(told) - len(made)
        if self.write and store is not None and project is not None:
            store.write_in_chunks(made, self._record, size=tables.CHUNK)

    def _changes(self, told: Sequence[TableAnswer]) -> tuple[Change, ...]:
        store, project = self.where.store, self.where.project
        if not told or store is None or project is None:
            return tuple(Change(answer, self.moment, True) for answer in told)
        with store.reading() as s:
            return tables.changes(s, project.id, told, self.moment)

    def _record(self, s: Session, part: list[Change]) -> None:
        assert self.where.project is not None
        row = projects.add_of_tables(s, self.where.project.id)
        revision = revisions.current(s, self.where.project.id)
        assert revision is not None
        for name in dict.fromkeys(change.answer.coder for change in part):
            if name and self.coders.get(name) is None:
                self.coders[name] = answers.coder(s, row.project_id, row.server_id, stable(name), _pseudonym(name)).id
        tables.record(s, row, part, {name: number for name, number in self.coders.items() if number}, revision.id)

    def _remember(self, content: str, fields: tuple[str, ...]) -> None:
        """Keep the text while there are so few that near-duplicates can be looked for."""
        if self.fields is not None:
            self.fields[content] = fields
            if len(self.fields) > NEAR:
                self.fields = None


def _units(s: Session, project_id: int, part: Iterable[Incoming]) -> None:
    by_source: dict[str, list[UnitRow]] = {}
    for one in part:
        by_source.setdefault(one.source, []).append(one.unit)
    for source, some in by_source.items():
        texts.remember_units(s, project_id, some, source)


def _pseudonym(name: str) -> str | None:
    """The name, where it is a pseudonym of ours; no other name is stored."""
    return name if _OURS.fullmatch(name) else None
