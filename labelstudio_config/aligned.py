"""Which questions and labels of a codebook are those of another one, whatever they are called now."""

from __future__ import annotations

from dataclasses import replace

from labelstudio_config.codebook import Codebook, Label, Question
from labelstudio_config.ids import fresh_id
from labelstudio_config.revision import matched


def aligned(now: Codebook, before: Codebook, *, by_id: bool = True) -> Codebook:
    """`now` with the ids that `before` has for the same questions and labels; what is new gets an id of its own.

    A question is the same when its id is, else its name; a label when its id is, else its code, else its wording.
    Without `by_id`, for ids that were made from names and codes, ids say nothing.
    """
    pairs = _questions(now, before, by_id)
    taken = {q.id for q in before.questions}
    questions = []
    for question in now.questions:
        old = pairs.get(question.name)
        id_ = old.id if old else question.id if by_id and question.id not in taken else fresh_id(question.name, taken)
        taken.add(id_)
        questions.append(replace(_labelled(question, old, by_id), id=id_))
    return replace(now, questions=tuple(questions))


def _questions(now: Codebook, before: Codebook, by_id: bool) -> dict[str, Question]:
    """Name now -> the question before."""
    ids = {q.id: q for q in before.questions}
    found = {q.name: ids[q.id] for q in now.questions if by_id and q.id in ids}
    gone = {q.name: q for q in before.questions if q not in found.values()}
    return found | {q.name: gone[q.name] for q in now.questions if q.name not in found and q.name in gone}


def _labelled(question: Question, old: Question | None, by_id: bool) -> Question:
    if old is None:
        return question
    same = _labels(question, old, by_id)
    taken = set(old.label_ids)
    ids: dict[str, str] = {}  # the id it came with -> the id it has
    for label in question.labels:
        known = same.get(label.code)
        mine = label.id if by_id and label.id not in taken else fresh_id(label.code, taken)
        ids[label.id] = known.id if known else mine
        taken.add(ids[label.id])
    return replace(
        question,
        labels=tuple(replace(label, id=ids[label.id]) for label in question.labels),
        verbalisers=tuple((ids[label], word) for label, word in question.verbalisers),
    )


def _labels(question: Question, old: Question, by_id: bool) -> dict[str, Label]:
    """Code now -> the label before."""
    ids = {label.id: label for label in old.labels}
    found = {label.code: ids[label.id] for label in question.labels if by_id and label.id in ids}
    rest = tuple(label for label in old.labels if label not in found.values())
    return found | matched(tuple(label for label in question.labels if label.code not in found), rest)
