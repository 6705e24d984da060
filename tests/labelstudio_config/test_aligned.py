from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from labelstudio_config.aligned import aligned
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Question
from tests.labelstudio_config.strategies import codebooks

A, B = Label("a", "1", "Joy"), Label("b", "2", "Anger")
MOOD = Question(
    "mood", "mood", Kind.SINGLE, Control.CHOICES, (Field("text", "text"),), (A, B), verbalisers=(("a", "joy"),)
)
BOOK = Codebook("k", "", (MOOD,))


def ids(book: Codebook) -> dict[str, dict[str, str]]:
    return {q.name: {label.code: label.id for label in q.labels} for q in book.questions}


def with_labels(*labels: Label, **changes: object) -> Codebook:
    return replace(BOOK, questions=(replace(MOOD, labels=labels, verbalisers=(), **changes),))  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(codebooks())
def test_a_codebook_is_aligned_with_itself(book: Codebook) -> None:
    assert aligned(book, book) == aligned(book, book, by_id=False) == book


def test_ids_go_first_then_codes_then_wordings() -> None:
    found = aligned(with_labels(Label("b", "1", "Joy"), Label("x", "3", "joy")), BOOK)
    assert ids(found) == {"mood": {"1": "b", "3": "a"}}
    found = aligned(with_labels(Label("b", "1", "Joy"), Label("x", "3", "anger")), BOOK, by_id=False)
    assert ids(found) == {"mood": {"1": "a", "3": "b"}}


def test_what_is_new_takes_no_old_id() -> None:
    found = aligned(with_labels(Label("x", "1", "Joy"), Label("b", "new", "New")), BOOK, by_id=False)
    assert ids(found) == {"mood": {"1": "a", "new": "new"}}
    other = replace(BOOK, questions=(replace(MOOD, name="tone"),))
    assert [q.id for q in aligned(other, BOOK).questions] == ["mood"]
    assert [q.id for q in aligned(other, BOOK, by_id=False).questions] == ["tone"]


def test_verbalisers_follow_their_labels() -> None:
    came = replace(BOOK, questions=(replace(MOOD, labels=(replace(A, id="p"), B), verbalisers=(("p", "joy"),)),))
    assert aligned(came, BOOK) == BOOK
