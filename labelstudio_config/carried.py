"""A codebook that came as a table, with what its previous state says and a table cannot, or this table does not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from labelstudio_config.aligned import aligned
from labelstudio_config.codebook import Codebook, Label, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.sheet import one_line


def carried(now: Codebook, before: Codebook, columns: Collection[str]) -> Codebook:
    """`now`, read from a table with these columns, as the next state of `before`.

    Questions and labels keep their ids, see `aligned`; what the table has no column for stays as it was, as do texts,
    notes, verbalisers, provenance and the control that a question is answered with. An empty cell of a column that is
    there empties.
    """
    found = aligned(now, before, by_id=False)
    known = {q.id: q for q in before.questions}
    questions = tuple(_question(q, known.get(q.id), before, columns) for q in found.questions)
    names = {f.name for q in questions for f in q.fields}
    book = Codebook(
        key=before.key,
        title=before.title,
        questions=questions,
        notes=tuple(note for note in before.notes if note.target in names),
        provenance=before.provenance,
    )
    return _shared_instruction(book, before)


def _question(now: Question, old: Question | None, before: Codebook, columns: Collection[str]) -> Question:
    texts = {f.name: f for f in before.fields}
    if old is None:
        fields = now.fields if "field" in columns else before.questions[0].fields
        return replace(now, fields=tuple(texts.get(f.name, f) for f in fields))
    kept = before.standalone(old)
    fields = tuple(texts.get(f.name, f) for f in now.fields) if "field" in columns else old.fields
    kind = now.kind if "kind" in columns or not _same_shape(now, old) else old.kind
    unspoken = "question_wording" not in columns or (now.wording == now.name and not old.wording)
    changes: dict[str, Any] = {
        "kind": kind,
        "fields": fields,
        "target": old.target if old.target in [f.name for f in fields] else "",
        "wording": old.wording if unspoken else now.wording,
        "instruction": now.instruction if "instruction" in columns else kept.instruction,
        "labels": _labels(now, old, columns),
        "provenance": old.provenance,
        "verbalisers": tuple((x, word) for x, word in old.verbalisers if x in now.label_ids),
    }
    changes |= {name: getattr(old, name) for name in ("required", "minimum", "maximum", "step") if name not in columns}
    if "control" not in columns and kind is old.kind:
        try:
            return replace(now, **changes, control=old.control)
        except CodebookError:
            pass  # its labels are no longer those that this control can have
    return replace(now, **changes)


def _same_shape(now: Question, old: Question) -> bool:
    """Both have labels, or neither has."""
    return bool(now.labels) == bool(old.labels)


def _labels(now: Question, old: Question, columns: Collection[str]) -> tuple[Label, ...]:
    known = {label.id: label for label in old.labels}
    return tuple(_label(label, known[label.id], columns) if label.id in known else label for label in now.labels)


def _label(now: Label, old: Label, columns: Collection[str]) -> Label:
    parts = {name: getattr(old, name) for name in ("definition", "include", "exclude") if name not in columns}
    same = now.examples == tuple(filter(None, map(one_line, old.examples)))
    examples = old.examples if same or "example" not in columns else now.examples
    return replace(now, **parts, examples=examples, code=now.code if "code" in columns else _code(now, old))


def _code(now: Label, old: Label) -> str:
    """Without a column for it, a label that coders read as before is stored as before."""
    return old.code if now.wording == old.wording else now.code


def _shared_instruction(book: Codebook, before: Codebook) -> Codebook:
    """The codebook's own instruction again, where every question is asked as it was."""
    known = {q.id: q for q in before.questions}
    shared = all(q.id in known and q.instruction == before.standalone(known[q.id]).instruction for q in book.questions)
    if not before.instruction or not shared:
        return book
    questions = tuple(replace(q, instruction=known[q.id].instruction) for q in book.questions)
    return replace(book, questions=questions, instruction=before.instruction)
