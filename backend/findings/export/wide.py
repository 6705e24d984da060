"""The wide table: a row is a row of the corpus, with all that people and the model say of its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import select

from backend.corpus.long_table import BETWEEN, NONE
from backend.corpus.tables.cells import Cell
from backend.corpus.tables.names import LONGEST, Names
from backend.corpus.tables.writing import Kind
from backend.findings.corpus import ROLES, STREAMS
from backend.findings.export.columns import CHANCE, EXPOSURES, ROLE, STREAM, Described, described, others, texts
from backend.findings.export.model import Model
from backend.findings.export.said import BULK, SKIP, by, by_meaning, cell, exposure, latest, spoken
from backend.findings.export.source import Handed, Part, Row, Source
from backend.findings.table import sampling_units
from backend.learning.rule import Value, shares
from backend.learning.vote import Ballot
from db import revisions
from db.answers import LiveAnswer
from db.models import Coder
from labelstudio_config.codebook import Kind as QuestionKind
from labelstudio_config.codebook import Question

STEM = 14  # characters of a question in the name of a column, so that there is room for a label


class Wide:
    """The rows of a wide table. `withheld`: question -> texts whose model label is left out, since they are blind."""

    def __init__(self, source: Source, *, without_text: bool = False, only_coded: bool = False) -> None:
        self.source, self.only_coded = source, only_coded
        self._model = Model(source)
        self.withheld = self._model.withheld
        self._units = sampling_units(source.facts)
        mine = select(Coder.id, Coder.pseudonym).filter_by(project_id=source.project.id).order_by(Coder.id)
        self._coders = {row[0]: row[1] for row in source.session.execute(mine)}
        given = Names()
        for one in _OWN:
            given.fresh(one.column.name)
        shown = texts(source.book, given)
        self._texts = not without_text
        self._others = others(source.session, source.project.id, given)
        asked = _asked(source, given, self._coders)
        self.columns: tuple[Described, ...] = (
            *_OWN[:4],
            *(shown if self._texts else ()),
            *(one.described for one in self._others),
            *_OWN[4:],
            *chain.from_iterable(asked[question.id] for question in source.book.questions),
        )

    def rows(self, part: Part) -> Iterator[Sequence[Cell]]:
        """The rows of a part of the corpus, in its order."""
        for row in part.rows:
            answers = [answer for answer in part.by_text.get(row.text_id, ()) if answer.origin != BULK]
            if answers or not self.only_coded:
                yield self._row(part, row, answers)

    def _row(self, part: Part, row: Row, answers: Sequence[LiveAnswer]) -> list[Cell]:
        source, known, at = self.source, self.source.facts.texts, self.source.place(row.text_id)
        fields = part.fields.get(row.text_id) or [None] * len(source.book.fields)
        first = min((answer.answered_at for answer in answers), default=None)
        release = _shown(part.handed.get(row.text_id, ()), answers, first)
        return [
            *(source.project.key, row.source, row.external_id, row.number),
            *(fields if self._texts else ()),
            *(one.cell(row.other) for one in self._others),
            *(row.text_id, int(self._units[at]), int(known.draw[at])),
            *(STREAMS[known.stream[at]] or None, ROLES[known.role[at]] or None),
            *(len(answers), first, max((answer.updated_at for answer in answers), default=None)),
            *(exposure(source, release), source.releases[release].name if release is not None else None),
            self._model.release(row.text_id),
            *chain.from_iterable(self._question(part, row, question, answers) for question in source.book.questions),
        ]

    def _question(self, part: Part, row: Row, question: Question, answers: Sequence[LiveAnswer]) -> Iterator[Cell]:
        """The cells of one question, in the order of `_asked`."""
        found, cast = part.accepted.get((row.text_id, question.id)), part.ballots.get((row.text_id, question.id), _NONE)
        value = found if isinstance(found, Value) else None
        spoke, decision = latest(self.source, question, answers)
        ids = question.label_ids
        yield cell(question, value) if value else None
        yield found if isinstance(found, str) else by(question, value, cast) if value else None
        yield len(cast.votes)
        yield cell(question, decision.vote) if decision and decision.vote else None
        yield self.source.chance(question.id, row.text_id)
        yield from (spoken(question, spoke[one]) if one in spoke else None for one in self._coders)
        if question.kind is QuestionKind.NUMBER:
            return
        if question.kind is QuestionKind.ORDINAL:
            yield ids.index(min(value.labels)) + 1 if value else None
        if question.kind is QuestionKind.MULTIPLE:
            yield from (label in value.labels if value else None for label in ids)
        yield from shares(question, cast.votes) if cast.votes else value.shares if value else [None] * len(ids)
        yield from self._model.cells(question, row.text_id)


_NONE = Ballot()


def _shown(handed: Sequence[Handed], answers: Sequence[LiveAnswer], first: datetime | None) -> int | None:
    """The release whose suggestion was shown before the first answer, or that one started from."""
    before = [one.release_id for one in handed if first is None or one.at <= first]
    started = [answer.release_id for answer in answers if answer.release_id is not None]
    return before[-1] if before else next(iter(started), None)


def _asked(source: Source, given: Names, coders: Mapping[int, str]) -> dict[str, list[Described]]:
    """Question -> its columns. Names are given in the order in which questions, labels and coders came to the project,
    so that one that comes later changes no name.
    """
    numbers = revisions.label_ids(source.session, source.project.id)
    stems = Names(room=LONGEST - STEM)
    found = {}
    for question in sorted(source.book.questions, key=lambda one: source.facts.question_ids[one.id]):
        stem = stems.fresh(question.id)
        labels = sorted(question.labels, key=lambda label: numbers[question.id, label.id])
        endings = [
            *((ending, "", "") for ending in _FIXED),
            *((part, label.id, label.id) for part in ("has", "share", "p") for label in labels),
            *(("by", str(number), name) for number, name in coders.items()),
        ]
        names = {(ending, which): given.fresh(stem, ending, word) for ending, which, word in endings}
        found[question.id] = list(_columns(source, question, names, coders))
    return found


_FIXED = ("accepted", "accepted_by", "n", "adjudication", "pi", "step", "model", "margin", "cut")


def _columns(
    source: Source, question: Question, names: Mapping[tuple[str, str], str], coders: Mapping[int, str]
) -> Iterator[Described]:
    """The columns of a question; `names`: what it is, and of which label or coder -> its name."""
    codes = ", ".join(label.code for label in question.labels)
    several = f"; several with '{BETWEEN}' between them, or {NONE}" if question.kind is QuestionKind.MULTIPLE else ""
    values = f"{codes}{several}" if codes else ""

    def column(ending: str, kind: Kind, meaning: str, label: str = "", values: str = "", which: str = "") -> Described:
        return described(names[ending, which or label], kind, meaning, question.id, label, values)

    yield column("accepted", Kind.TEXT, "what the coders' answers come to, by code", values=values)
    yield column("accepted_by", Kind.TEXT, by_meaning(source.project.gold_rule))
    yield column("n", Kind.INTEGER, "coders whose answer counts for it")
    yield column("adjudication", Kind.TEXT, "what an adjudicator said", values=values)
    yield column("pi", Kind.NUMBER, CHANCE)
    for number, name in coders.items():
        said = f"what {name} said last; {SKIP}: skipped the text"
        yield column("by", Kind.TEXT, said, values=values, which=str(number))
    if question.kind is QuestionKind.NUMBER:
        return
    if question.kind is QuestionKind.ORDINAL:
        yield column("step", Kind.INTEGER, f"place of the accepted label, from 1 to {len(question.labels)}")
    for ending, kind, meaning in _OF_LABELS:
        if ending == "p":
            yield column("model", Kind.TEXT, "label that the model suggests", values=values)
        if ending != "has" or question.kind is QuestionKind.MULTIPLE:
            yield from (column(ending, kind, f"{meaning} '{label.code}'", label.id) for label in question.labels)
    yield column("margin", Kind.NUMBER, "how sure the model is, 0 to 1: its best label before the second")
    yield column("cut", Kind.INTEGER, "tokens of the text that the model did not read")


_OF_LABELS = (
    ("has", Kind.TRUTH, "1: the accepted labels include"),
    ("share", Kind.NUMBER, "share of the coders who gave"),
    ("p", Kind.NUMBER, "the model's probability of"),
)
_OWN = (
    described("project", Kind.TEXT, "key of the project"),
    described("source", Kind.TEXT, "table that the row of the corpus comes from, or label-studio"),
    described("id", Kind.TEXT, "name of the row in its source"),
    described("row", Kind.INTEGER, "number of the row in its source"),
    described("text_number", Kind.INTEGER, "number of the text; rows with the same text have the same"),
    described("cluster", Kind.INTEGER, "texts that belong together have the same, and are drawn together"),
    described("draw", Kind.INTEGER, "the random draw that placed the text; 0: none"),
    described("stream", Kind.TEXT, STREAM),
    described("role", Kind.TEXT, ROLE),
    described("answers", Kind.INTEGER, "answers to the text, skips among them"),
    described("first_answered_at", Kind.TIME, "when the first of them was given (UTC)"),
    described("last_answered_at", Kind.TIME, "when one of them was changed last (UTC)"),
    described("exposure", Kind.TEXT, "how a suggestion was shown before the first answer", values=EXPOSURES),
    described("exposure_release", Kind.TEXT, "release of the model that it was of"),
    described("release", Kind.TEXT, "release of the model that says what the model's columns hold"),
)
