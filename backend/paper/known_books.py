"""The codebook that a folder of labelled texts is about, by the folder's name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from backend.paper.chosen import plain
from labelstudio_config.codebook import Codebook, Question
from labelstudio_config.ids import slug
from labelstudio_config.tasks import published


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of a folder stands for: `exact` where it is a name of the task itself."""

    question: Question
    key: str
    exact: bool
    called: tuple[str, ...]


def named(folder: str) -> Named | None:
    """The published task that a folder's name says: its codebook's key, its SocKET name or its SOCIALITE name; else the
    one whose key stands in the name as a whole, as 'offensive' does in 'offensive_olid'.

    What is found so is taken for another data set on the same question: it has the codebook's instruction and labels,
    but neither its id nor its claim that the released weights were tuned on it.
    """
    name = plain(folder)
    for book in books():
        if name in {plain(one) for one in names_of(book)}:
            return Named(question_of(book), book.key, True, names_of(book))
    inside = [book for book in books() if f"-{plain(book.key)}-" in f"-{name}-"]
    if not inside:
        return None
    book = max(inside, key=lambda book: len(book.key))
    asked = question_of(book)
    origin = replace(asked.provenance, socket="", tuning="", dataset="", paper="", licence="")
    return Named(replace(asked, id=slug(name), name=slug(name), provenance=origin), slug(name), False, (folder,))


def names_of(book: Codebook) -> tuple[str, ...]:
    """What a published task is called: here, in SocKET, and in SOCIALITE."""
    origin = book.provenance
    return tuple(name for name in (book.key, origin.socket, origin.task) if name)


def question_of(book: Codebook) -> Question:
    """The one question of a published task."""
    return book.standalone(book.questions[0])


@lru_cache(maxsize=1)
def books() -> tuple[Codebook, ...]:
    """The published tasks."""
    return published()
