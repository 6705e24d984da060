"""A project as a file that Label Studio imports: tasks, what coders said, and suggestions that may be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import Session

from backend.assist.asked import Asked, Values, read
from backend.assist.order import order_score
from backend.corpus.intake import task_data
from backend.corpus.tables.cells import plain
from backend.corpus.tables.writing import new_file
from backend.corpus.tasks import MARK
from backend.engines.protocol import FAMILY
from backend.findings.corpus import STREAMS
from backend.findings.export.said import BULK
from backend.findings.export.source import Part, Row, Source
from db.answers import LiveAnswer, ValueFact
from db.projects import IMPORTED
from db.texts import UnitRow
from labelstudio_config.codebook import Kind
from labelstudio_config.regions import Answer, regions

Json = dict[str, Any]
Report = Callable[[int, int], None]  # rows of the corpus done, and in all


def export(s: Session, key: str, phase: str, path: Path, *, overwrite: bool, report: Report) -> tuple[int, int]:
    """Write the file; how many tasks and annotations are in it. Rows whose text was erased are left out.

    ProjectNotFoundError, FindingsError, RuleError, TableError.
    """
    tasks = Tasks(Source(s, key, phase))
    n = annotations = done = 0
    with new_file(path, overwrite=overwrite) as file:
        file.write("[")
        for part in tasks.source.parts():
            for task in tasks.of(part):
                file.write(",\n" if n else "\n")
                file.write(orjson.dumps(task).decode())
                n, annotations = n + 1, annotations + len(task["annotations"])
            done += len(part.rows)
            report(done, tasks.source.rows)
        file.write("\n]\n")
    return n, annotations


class Tasks:
    """The tasks of a project's rows, as Label Studio imports them."""

    def __init__(self, source: Source) -> None:
        self.source, self._book = source, source.book
        place = {each: n for n, each in enumerate(self._book.fields)}
        self._asked = tuple(
            Asked(
                self._book.standalone(q),
                source.facts.question_ids[q.id],
                FAMILY[q.kind],
                tuple(place[each] for each in q.fields),
            )
            for q in self._book.questions
            if q.kind in FAMILY
        )

    def of(self, part: Part) -> Iterator[Json]:
        """The tasks of some rows, those without a text left out."""
        for row in part.rows:
            fields = part.fields.get(row.text_id)
            if fields is None:
                continue
            shown = UnitRow(row.external_id, fields, row.number, dict(row.other))
            yield {
                "data": task_data(self._book, self.source.facts.revision.xml, shown),
                "meta": {MARK: {"source": row.source, "id": row.external_id}},
                "annotations": [self._annotation(one) for one in _whole(part.by_unit.get(row.unit_id, ()))],
                "predictions": self._predictions(row),
            }

    def _annotation(self, given: Sequence[LiveAnswer]) -> Json:
        """What a coder said, by a pseudonym in each region: a Label Studio has accounts of its own."""
        answer = given[0]
        values = [value for one in given for value in one.values]
        coder = self.source.facts.pseudonyms.get(answer.coder_id or 0)
        about = {"meta": {"text": [coder]}} if coder else {}
        said = [] if answer.cancelled else regions(self._book, self._said(values))
        return {
            "id": answer.answer_id,
            "result": [region | about for region in said],
            "was_cancelled": answer.cancelled,
            "ground_truth": answer.ground_truth,
            "lead_time": answer.lead_time,
            "created_at": plain(answer.answered_at),
            "updated_at": plain(answer.updated_at),
        }

    def _said(self, values: Sequence[ValueFact]) -> Iterator[Answer]:
        """What the codebook that holds now can express of it."""
        for question in self._book.questions:
            mine = [value for value in values if value.question_id == self.source.facts.question_ids[question.id]]
            keys = [self.source.facts.label_keys.get(value.label_id) for value in mine if value.label_id is not None]
            labels = tuple(label for label in question.label_ids if label in keys)
            number = next((value.number for value in mine if value.number is not None), None)
            if number is not None if question.kind is Kind.NUMBER else labels:
                yield Answer(question.id, labels, number=number)

    def _predictions(self, row: Row) -> list[Json]:
        """The current release's suggestion, unless the text is blind."""
        facts, at = self.source.facts, self.source.place(row.text_id)
        if facts.release is None or self.source.blind[at]:
            return []
        known: list[tuple[Asked, Values]] = []
        for one in self._asked:
            scores = facts.scores.get(one.question.id)
            if scores is not None and len(places := scores.at(facts.texts.ids[at : at + 1])[1]):
                known.append((one, scores.raw[places[0]]))
        if not known:
            return []
        heat = {key: scores.temperature for key, scores in facts.scores.items()}
        result, margins = read(self._book, known, heat)
        rank = int(facts.texts.rank[at])
        place = order_score(STREAMS[facts.texts.stream[at]], rank if rank >= 0 else None, margins)
        return [{"model_version": facts.release.name, "score": place, "result": result}]


def _whole(answers: Sequence[LiveAnswer]) -> Iterator[Sequence[LiveAnswer]]:
    """The annotations that answers make: each its own, but those of a table, which say one thing each, by coder."""
    tables: dict[tuple[int | None, str], list[LiveAnswer]] = {}
    for answer in answers:
        if answer.ls_role == IMPORTED:
            tables.setdefault((answer.coder_id, answer.phase), []).append(answer)
        elif answer.origin != BULK:
            yield [answer]
    yield from tables.values()
