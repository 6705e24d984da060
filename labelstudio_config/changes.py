"""What changed from one codebook to another, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from labelstudio_config.aligned import aligned
from labelstudio_config.codebook import Codebook, Label, Question


class What(StrEnum):
    """Sorts of changes, for a program that reads them."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"  # the code that is stored, or the control's name
    REWORDED = "reworded"
    DEFINITION = "definition"
    INCLUDE = "include"
    EXCLUDE = "exclude"
    EXAMPLES = "examples"
    ORDER = "order"
    INSTRUCTION = "instruction"
    FORM = "form"  # kind, control, texts, range
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """`question` and `label` are ids, '' where a change is of the whole codebook or question; `sentence` tells it."""

    what: What
    question: str
    label: str
    sentence: str


def changes(old: Codebook, new: Codebook) -> tuple[Change, ...]:
    """In the order of the new codebook; none where both say the same."""
    new = aligned(new, old)
    return (*_books(old, new), *_questions(old, new))


def _books(old: Codebook, new: Codebook) -> Iterator[Change]:
    if old.title != new.title:
        yield Change(What.OTHER, "", "", f"The title was {_told(old.title)} and is {_told(new.title)}.")
    if old.instruction != new.instruction:
        yield Change(
            What.INSTRUCTION, "", "", _turned("The instruction of the codebook", old.instruction, new.instruction)
        )
    if old.notes != new.notes:
        names = ", ".join(f"'{note.name}'" for note in new.notes) or "none"
        yield Change(What.OTHER, "", "", f"The boxes for notes changed: there are {names}.")
    if old.provenance != new.provenance:
        yield Change(What.OTHER, "", "", "What is said of where the codebook comes from changed.")


def _questions(old: Codebook, new: Codebook) -> Iterator[Change]:
    before, now = {q.id: q for q in old.questions}, {q.id: q for q in new.questions}
    for id_, question in before.items():
        if id_ not in now:
            yield Change(What.REMOVED, id_, "", f"The question '{question.name}' was removed.")
    for id_, question in now.items():
        if id_ not in before:
            labels = f" with the labels {_listed(question.labels)}" if question.labels else ""
            yield Change(What.ADDED, id_, "", f"The question '{question.name}' ({question.kind}) was added{labels}.")
        else:
            yield from _question(before[id_], question)
    if [id_ for id_ in before if id_ in now] != [id_ for id_ in now if id_ in before]:
        order = ", ".join(f"'{q.name}'" for q in new.questions)
        yield Change(What.ORDER, "", "", f"The questions are in another order: {order}.")


def _question(old: Question, new: Question) -> Iterator[Change]:
    of, id_ = f"of the question '{new.name}'", new.id
    if old.name != new.name:
        yield Change(What.RENAMED, id_, "", f"The question '{old.name}' is called '{new.name}'.")
    if old.wording != new.wording:
        yield Change(What.REWORDED, id_, "", _turned(f"The wording {of}", old.wording, new.wording))
    if old.instruction != new.instruction:
        yield Change(What.INSTRUCTION, id_, "", _turned(f"The instruction {of}", old.instruction, new.instruction))
    yield from _form(old, new)
    yield from _labels(old, new)
    if old.verbalisers != new.verbalisers:
        yield Change(What.OTHER, id_, "", f"The words {of} that SOCIALITE's weights say changed.")
    if old.provenance != new.provenance:
        yield Change(What.OTHER, id_, "", f"What is said of where the question '{new.name}' comes from changed.")


def _form(old: Question, new: Question) -> Iterator[Change]:
    of, id_ = f"of the question '{new.name}'", new.id
    if old.fields != new.fields and _texts(old) == _texts(new):
        yield Change(What.OTHER, id_, "", f"The names or columns of the texts {of} changed.")
    pairs = (
        ("kind", old.kind.value, new.kind.value),
        ("control in Label Studio", old.control.value, new.control.value),
        ("texts", _texts(old), _texts(new)),
        ("range", _range(old), _range(new)),
        ("duty to answer", _truth(old.required), _truth(new.required)),
        ("text that answers are attached to", old.to_name, new.to_name),
    )
    for name, before, now in pairs:
        if before != now:
            yield Change(What.FORM, id_, "", f"The {name} {of}: {before} became {now}.")


def _labels(old: Question, new: Question) -> Iterator[Change]:
    before, now = {x.id: x for x in old.labels}, {x.id: x for x in new.labels}
    for id_, label in before.items():
        if id_ not in now:
            yield Change(What.REMOVED, new.id, id_, f"The label {_called(label)} of '{new.name}' was removed.")
    for id_, label in now.items():
        if id_ in before:
            yield from _label(before[id_], label, new)
        else:
            yield Change(What.ADDED, new.id, id_, f"The label {_called(label)} was added to '{new.name}'.")
    if [x for x in before if x in now] != [x for x in now if x in before]:
        yield Change(What.ORDER, new.id, "", f"The labels of '{new.name}' are in another order: {_listed(new.labels)}.")


def _label(old: Label, new: Label, question: Question) -> Iterator[Change]:
    of = f"of the label {_called(new)} of '{question.name}'"
    if old.code != new.code:
        said = f"The label '{old.code}' of '{question.name}' is stored as '{new.code}'."
        yield Change(What.RENAMED, question.id, new.id, said)
    if old.wording != new.wording:
        yield Change(What.REWORDED, question.id, new.id, _turned(f"The wording {of}", old.wording, new.wording))
    for what, name in ((What.DEFINITION, "definition"), (What.INCLUDE, "include"), (What.EXCLUDE, "exclude")):
        was, is_ = getattr(old, name), getattr(new, name)
        title = f"What to {name}" if what is not What.DEFINITION else "The definition"
        if was != is_:
            yield Change(what, question.id, new.id, _turned(f"{title} {of}", was, is_))
    if old.examples != new.examples:
        lost = [x for x in old.examples if x not in new.examples]
        more = [x for x in new.examples if x not in old.examples]
        parts = [f"{n} {done}" for n, done in ((len(more), "added"), (len(lost), "taken out")) if n]
        told = ", ".join(parts or ["in another order"])
        yield Change(
            What.EXAMPLES, question.id, new.id, f"The examples {of}: {told}; there are {len(new.examples)} now."
        )


def _turned(what: str, old: str, new: str) -> str:
    if not old:
        return f"{what} is new: {_told(new)}."
    return f"{what} was {_told(old)} and is {_told(new)}." if new else f"{what} was taken out; it was {_told(old)}."


def _told(text: str) -> str:
    return f"'{' '.join(text.split())}'" if text else "empty"


def _called(label: Label) -> str:
    return f"'{label.wording}'" if label.wording == label.code else f"'{label.wording}' ({label.code})"


def _listed(labels: tuple[Label, ...]) -> str:
    return ", ".join(f"'{label.wording}'" for label in labels)


def _texts(question: Question) -> str:
    return " and ".join(f"'{f.title or f.name}'" + (" (HTML)" if f.markup else "") for f in question.fields)


def _range(question: Question) -> str:
    low, high, step = ("" if x is None else f"{x:g}" for x in (question.minimum, question.maximum, question.step))
    bounds = f"{low or 'any'} to {high or 'any'}"
    return f"{bounds} in steps of {step}" if step else bounds


def _truth(value: bool) -> str:
    return "required" if value else "optional"
