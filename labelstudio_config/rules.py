"""What a codebook must be like: each rule raises CodebookError with what is wrong, where, and what to do."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import LEGAL_ID

if TYPE_CHECKING:
    from labelstudio_config.codebook import Codebook, Question

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
_KINDS = {
    "Choices": ("single", "multiple", "ordinal"),
    "Rating": ("ordinal",),
    "Number": ("number",),
    "Pairwise": ("single",),
}


def check_id(what: str, value: str) -> None:
    """An id: lower-case letters, digits, hyphens and underscores, 80 at most."""
    if not LEGAL_ID.fullmatch(value):
        raise CodebookError(
            f"The id '{_short(value)}' of {what} cannot be used: "
            "take lower-case letters a-z, digits, '-' and '_', at most 80 of them."
        )


def check_name(what: str, value: str) -> None:
    """A Label Studio tag name: no comma (toName lists), no '@' (Label Studio cuts there), no blank ends, no number."""
    if not value or value != value.strip() or re.search(r"[,@\x00-\x1f]", value) or _UNWRITABLE.search(value):
        raise CodebookError(
            f"The name '{_short(value)}' of {what} cannot be used in Label Studio: "
            "give it a name without commas, '@', line breaks and blanks at its ends."
        )
    if _is_value(value):
        raise CodebookError(
            f"The name '{_short(value)}' of {what} is a number or a truth value, which Label Studio refuses as a name: "
            "give it a word."
        )


def check_given(what: str, **parts: str) -> None:
    """Parts that may not be blank."""
    for part, value in parts.items():
        if not value.strip():
            raise CodebookError(f"{what} has no {part}: give it one.")
    check_writable(what, *parts.values())


def check_writable(what: str, *texts: str) -> None:
    """Texts without the control characters that neither XML nor YAML can hold."""
    if any(_UNWRITABLE.search(text) for text in texts):
        raise CodebookError(f"{what} holds a control character that cannot be written to a file: take it out.")


def check_unique(what: str, values: Iterable[str]) -> None:
    """Values that may not come twice; `what` is the sentence's subject, as in "Two labels of 'x' have the code"."""
    twice = [value for value, n in Counter(values).items() if n > 1]
    if twice:
        raise CodebookError(f"{what} '{_short(twice[0])}': each needs its own.")


def check_question(question: Question) -> None:
    """A question's name, texts, kind, labels and range agree."""
    check_id(f"the question '{question.name}'", question.id)
    check_name(f"the question '{question.id}'", question.name)
    what = f"The question '{question.id}'"
    check_writable(what, question.wording, question.instruction, *(word for _, word in question.verbalisers))
    if question.kind not in _KINDS[question.control]:
        legal = " or ".join(_KINDS[question.control])
        raise CodebookError(
            f"{what} is of kind '{question.kind}', but {question.control} answers {legal}: change one of them."
        )
    _check_fields(what, question)
    _check_labels(what, question)
    _check_range(what, question)
    _check_verbalisers(what, question)


def check_codebook(codebook: Codebook) -> None:
    """A codebook's questions, texts and notes have their own names and fit together."""
    check_id("the codebook", codebook.key)
    what = f"The codebook '{codebook.key}'"
    check_writable(what, codebook.title, codebook.instruction)
    if not codebook.questions:
        raise CodebookError(f"{what} asks nothing: add a question.")
    check_unique(f"Two questions of the codebook '{codebook.key}' have the id", (q.id for q in codebook.questions))
    fields = codebook.fields
    check_unique(f"In the codebook '{codebook.key}' two texts differ but share the name", (f.name for f in fields))
    names = [f.name for f in fields] + [q.name for q in codebook.questions] + [n.name for n in codebook.notes]
    check_unique(f"In the codebook '{codebook.key}' two things (texts, questions, notes) have the name", names)
    known = {f.name for f in fields}
    for note in codebook.notes:
        if note.target not in known:
            raise CodebookError(
                f"The note '{note.name}' belongs to the text '{_short(note.target)}', which no question is about: "
                f"take one of {_listed(f.name for f in fields)}."
            )


def _check_fields(what: str, question: Question) -> None:
    expected = (2,) if question.control == "Pairwise" else (1, 2)
    if len(question.fields) not in expected:
        wanted = "two texts" if expected == (2,) else "one text, or a pair of texts"
        raise CodebookError(f"{what} is about {len(question.fields)} texts: it needs {wanted}.")
    names = [f.name for f in question.fields]
    check_unique(f"{what} is about the same text twice,", names)
    if question.target and (question.target not in names or question.control == "Pairwise"):
        raise CodebookError(
            f"{what} is attached to '{_short(question.target)}': it can be attached to "
            f"{_listed(names[:1] if question.control == 'Pairwise' else names)} only."
        )


def _check_labels(what: str, question: Question) -> None:
    codes = [label.code for label in question.labels]
    if question.kind == "number":
        if codes:
            raise CodebookError(f"{what} asks for a number and has labels: remove them, or make it a choice.")
        return
    least = 1 if question.kind == "multiple" else 2
    if len(codes) < least:
        raise CodebookError(f"{what} has {len(codes)} label(s): a {question.kind} question needs at least {least}.")
    check_unique(f"Two labels of the question '{question.id}' have the id", question.label_ids)
    check_unique(f"Two labels of the question '{question.id}' have the code", codes)
    check_unique(f"Two labels of the question '{question.id}' have the wording", (x.wording for x in question.labels))
    if question.control == "Rating" and codes != [str(n + 1) for n in range(len(codes))]:
        raise CodebookError(f"{what} is a Rating: the codes of its labels are '1', '2' and so on, in this order.")
    if question.control == "Pairwise" and codes != ["left", "right"]:
        raise CodebookError(f"{what} is a Pairwise: the codes of its two labels are 'left' and 'right', in this order.")


def _check_range(what: str, question: Question) -> None:
    given = [x for x in (question.minimum, question.maximum, question.step) if x is not None]
    if question.kind != "number":
        if given:
            raise CodebookError(f"{what} has a minimum, maximum or step, but asks for no number: remove it.")
        return
    if not all(math.isfinite(x) for x in given):
        raise CodebookError(f"{what} has a range that is not finite: leave out the bound that is not there.")
    low, high = question.minimum, question.maximum
    if low is not None and high is not None and low >= high:
        raise CodebookError(
            f"{what} has a minimum of {low:g} and a maximum of {high:g}: the minimum must be the smaller."
        )
    if question.step is not None and question.step <= 0:
        raise CodebookError(f"{what} has a step of {question.step:g}: a step is above zero.")


def _check_verbalisers(what: str, question: Question) -> None:
    check_unique(f"{what} has two verbalisers for the label", (x for x, _ in question.verbalisers))
    for label_id, word in question.verbalisers:
        if label_id not in question.label_ids or not word.strip():
            raise CodebookError(
                f"{what} has a verbaliser for '{_short(label_id)}': "
                f"a verbaliser gives one of the labels {_listed(question.label_ids)} a word."
            )


def _is_value(name: str) -> bool:
    """Whether Label Studio's server takes the name for a number or a truth value."""
    try:
        float(name)
    except ValueError:
        return name.lower() in ("true", "false")
    return True


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
