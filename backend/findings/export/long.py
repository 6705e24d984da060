"""The long table: a row is what one coder said to one question about one row of the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from backend.corpus.long_table import AFTER, BEFORE, joined, names
from backend.corpus.tables.cells import Cell
from backend.corpus.tables.writing import Kind
from backend.findings.corpus import ROLES, STREAMS
from backend.findings.export.columns import CHANCE, EXPOSURES, ROLE, STREAM, Described, described, others, texts
from backend.findings.export.said import BULK, ORIGINS, by, by_meaning, cell, exposure, seen
from backend.findings.export.source import Part, Row, Source
from backend.learning.rule import Value
from backend.learning.vote import ADJUDICATED
from db.answers import LiveAnswer, ValueFact
from db.projects import IMPORTED
from labelstudio_config.codebook import Kind as QuestionKind
from labelstudio_config.codebook import Question

Told = tuple[LiveAnswer, int, list[ValueFact]]  # an answer, a question's id, and what it says to it


class Long:
    """The rows of a long table. `withheld`: question -> labels left out so far, which were made of predictions of texts
    that are blind.
    """

    def __init__(self, source: Source, *, without_text: bool = False, only_coded: bool = False) -> None:
        self.source, self.only_coded = source, only_coded
        self.withheld: Counter[str] = Counter()
        given = names()
        shown = texts(source.book, given)
        self._texts = not without_text
        self._others = others(source.session, source.project.id, given)
        own = _own(source.project.gold_rule)
        self.columns: tuple[Described, ...] = (
            *(own[name] for name in BEFORE),
            *(shown if self._texts else ()),
            *(one.described for one in self._others),
            *(own[name] for name in AFTER),
        )

    def rows(self, part: Part) -> Iterator[Sequence[Cell]]:
        """The rows of a part of the corpus, in its order; those of one row by coder, time and question."""
        for row in part.rows:
            told = sorted(self._told(part.by_unit.get(row.unit_id, ())), key=self._key)
            for answer, question_id, values in told:
                yield self._row(part, row, answer.text_id, self._answer(part, answer, question_id, values))
            if not told and not self.only_coded:
                yield self._row(part, row, row.text_id, {})

    def _row(self, part: Part, row: Row, text_id: int, answer: dict[str, Cell]) -> list[Cell]:
        source, at = self.source, self.source.place(text_id)
        fields = part.fields.get(text_id) or [None] * len(source.book.fields)
        known = source.facts.texts
        place = {"stream": STREAMS[known.stream[at]] or None, "role": ROLES[known.role[at]] or None}
        return [
            *(source.project.key, row.source, row.external_id, row.number),
            *(fields if self._texts else ()),
            *(one.cell(row.other) for one in self._others),
            *((answer | place).get(name) for name in AFTER),
        ]

    def _told(self, given: Iterable[LiveAnswer]) -> Iterator[Told]:
        """What answers say, question by question: in Label Studio a coder is asked all, and skips all; an answer of a
        table may be to some.
        """
        for answer in given:
            asked = dict.fromkeys(value.question_id for value in answer.values)
            if answer.ls_role != IMPORTED or answer.cancelled:
                book = self.source.books[answer.revision_id]
                asked |= dict.fromkeys(self.source.facts.question_ids[q.id] for q in book.questions)
            for question_id in asked:
                yield answer, question_id, [value for value in answer.values if value.question_id == question_id]

    def _key(self, told: Told) -> tuple[object, ...]:
        answer, question_id, _ = told
        name = self._coder(answer) or ""
        place = self.source.order[question_id]
        return (len(name), name, answer.answered_at, answer.updated_at, place, answer.answer_id)

    def _coder(self, answer: LiveAnswer) -> str | None:
        return self.source.facts.pseudonyms[answer.coder_id] if answer.coder_id is not None else None

    def _answer(self, part: Part, answer: LiveAnswer, question_id: int, values: list[ValueFact]) -> dict[str, Cell]:
        """The cells of an answer to a question, by column."""
        source = self.source
        question = source.questions[source.question_keys[question_id]]
        release = seen(answer, part.handed.get(answer.text_id, ()))
        blind = answer.origin == BULK and bool(source.blind[source.place(answer.text_id)])
        self.withheld[question.id] += blind
        known = answer.release_id is not None or not answer.imported
        return {
            "question": question.id,
            "coder": self._coder(answer),
            "label": None if blind else self._label(question, answer, values),
            "number": None if blind else next((v.number for v in values if v.number is not None), None),
            "origin": answer.origin,
            "phase": answer.phase,
            "ground_truth": answer.ground_truth,
            "skipped": answer.cancelled,
            "adjudicated": answer.origin == ADJUDICATED,
            "answered_at": answer.answered_at,
            "updated_at": answer.updated_at,
            "lead_time": answer.lead_time,
            "revision": source.revisions[answer.revision_id],
            "release": source.releases[release].name if release is not None else None,
            "exposure": exposure(source, release) if known else None,
            "sampling_probability": source.chance(question.id, answer.text_id),
            **self._accepted(part, answer.text_id, question),
        }

    def _label(self, question: Question, answer: LiveAnswer, values: Sequence[ValueFact]) -> Cell:
        """The codes of the labels, those that are gone from the codebook too."""
        ids = [value.label_id for value in values if value.label_id is not None]
        places = {label.code: n for n, label in enumerate(question.labels)}
        codes = sorted((self.source.codes[one] for one in ids), key=lambda code: (places.get(code, len(places)), code))
        if question.kind is QuestionKind.NUMBER or answer.cancelled:
            return None
        if question.kind is QuestionKind.MULTIPLE:
            return joined(codes) if codes or not answer.problems else None
        return joined(codes) if len(codes) > 1 else next(iter(codes), None)

    def _accepted(self, part: Part, text_id: int, question: Question) -> dict[str, Cell]:
        value, cast = part.accepted.get((text_id, question.id)), part.ballots.get((text_id, question.id))
        if not isinstance(value, Value) or cast is None:
            return {"accepted_by": value if isinstance(value, str) else None}
        return {"accepted": cell(question, value), "accepted_by": by(question, value, cast)}


def _own(rule: str) -> dict[str, Described]:
    """The columns that are there whatever the project."""
    text, truth, time, number = Kind.TEXT, Kind.TRUTH, Kind.TIME, Kind.NUMBER
    columns = (
        described("project", text, "key of the project"),
        described("source", text, "table that the row of the corpus comes from, or label-studio"),
        described("id", text, "name of the row in its source"),
        described("row", Kind.INTEGER, "number of the row in its source"),
        described("question", text, "question of the codebook, by its id; empty: nobody answered"),
        described("coder", text, "coder, by a pseudonym; empty: nobody knows who"),
        described("label", text, "label that the coder gave, by its code; several with '|' between them"),
        described("number", number, "number that the coder gave, where the question asks for one"),
        described("origin", text, "how the answer came about: by a person alone, or not", values=ORIGINS),
        described("phase", text, "phase of the project that it belongs to", values="training, pilot or production"),
        described("ground_truth", truth, "1: marked as ground truth in Label Studio"),
        described("skipped", truth, "1: the coder skipped the text"),
        described("adjudicated", truth, "1: given by an adjudicator, blind to who had said what"),
        described("answered_at", time, "when the answer was first given (UTC)"),
        described("updated_at", time, "when it was last changed (UTC)"),
        described("lead_time", number, "seconds that the coder took, as Label Studio measured them"),
        described("revision", Kind.INTEGER, "number of the codebook's revision that it was given under"),
        described("release", text, "release of the model whose suggestion could be seen; empty: none could"),
        described("exposure", text, "how a suggestion was shown before; empty: not known", values=EXPOSURES),
        described("stream", text, STREAM),
        described("role", text, ROLE),
        described("sampling_probability", number, CHANCE),
        described("accepted", text, "what all answers to the text come to, as `label`"),
        described("accepted_by", text, by_meaning(rule)),
    )
    return {one.column.name: one for one in columns}
