"""A project without Label Studio, tables that are taken into it, and what the store holds then."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from backend.corpus.intake import Columns, Labels, read_corpus, text_columns
from backend.corpus.site import founded, give_codebook
from backend.corpus.tables.reading import open_table
from backend.corpus.take_in import nowhere, place, take_in
from backend.corpus.tally import Tally
from db import answers
from db.models import AnswerVersion, Coder, Label, Project, Question, TextBody, Unit
from db.store import Store
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import to_xml
from tests.backend.assist.world import BOOK

COLUMNS = ("id", "group", "label", "coder", "time")
Row = tuple[str, str, tuple[str, ...], int | None, dict[str, Any] | None]


@dataclass(frozen=True)
class Taking:
    """A project, 'posts', to take tables into."""

    store: Store
    project: Project
    book: Codebook

    def take(self, path: Path, *, write: bool = True, source: str | None = None, **named: Any) -> Tally:
        """Take in a table: `id`, `group`, `label`, `coder`, `time` name columns, `question` what the labels answer."""
        table = open_table(path)
        places = {
            name: table.column(named.pop(name)) for name in ("id", "group", "label", "coder", "time") if name in named
        }
        labels = None
        if "label" in places:
            question = self.book.question(named.pop("question", self.book.questions[0].id))
            labels = Labels(question, places["label"], places.get("coder"), places.get("time"), **named)
        columns = Columns(text_columns(self.book, table, None, None), places.get("id"), places.get("group"), labels)
        where = place(self.store, self.project) if self.project.id else nowhere(self.store, self.book)
        return take_in(where, read_corpus(table, columns, source), lambda done, total: None, write=write)

    def rows(self) -> list[Row]:
        """(source, id, texts, number, other columns) of every row of the corpus."""
        query = (
            select(Unit, TextBody.fields)
            .join(TextBody, TextBody.text_id == Unit.text_id)
            .order_by(Unit.source, Unit.external_id)
        )
        with self.store.reading() as s:
            found = s.execute(query.where(Unit.project_id == self.project.id)).all()
        return [(u.source, u.external_id, tuple(fields or ()), u.row, u.other) for u, fields in found]

    def said(self) -> list[tuple[Any, ...]]:
        """(row, coder, question and label or number, phase, origin, truth) of every live answer's values, sorted."""
        with self.store.reading() as s:
            units = dict(s.execute(select(Unit.id, Unit.external_id)).all())
            names = dict(s.execute(select(Coder.id, Coder.pseudonym)).all())
            questions = dict(s.execute(select(Question.id, Question.key)).all())
            labels = dict(s.execute(select(Label.id, Label.key)).all())
            live = answers.live(s, self.project.id)
        found = [
            (units[a.unit_id], names.get(a.coder_id or 0), questions[v.question_id], labels.get(v.label_id or 0),
             v.number, a.phase, a.origin, a.ground_truth)
            for a in live
            for v in a.values
        ]  # fmt: skip
        return sorted(found, key=str)

    def count(self, model: type[Any]) -> int:
        with self.store.reading() as s:
            return s.scalars(select(func.count()).select_from(model)).one()

    def versions(self) -> int:
        return self.count(AnswerVersion)


def taking(store: Store, book: Codebook = BOOK, key: str = "posts") -> Taking:
    with store.writing() as s:
        project = founded(s, key, "Posts", 7)
        give_codebook(s, project, book, to_xml(book))
    return Taking(store, project, book)


def table(path: Path, header: str, rows: Iterable[Sequence[str]]) -> Path:
    """A CSV file of these rows; the header's names are separated by commas."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path
