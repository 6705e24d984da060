"""What a person says of a change: older answers count again, for one question, and only where they can be answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.learning.meaning import Meanings
from backend.learning.recode import MeaningError, recodings, say_same
from db import revisions
from db.errors import RevisionNotFoundError
from labelstudio_config.codebook import Codebook, Kind, Label
from tests.backend.assist.world import BOOK, HUMOR, STARS
from tests.backend.learning.coding import Coding


def reworded(wording: str, **more: Any) -> Codebook:
    return replace(BOOK, questions=(replace(HUMOR, wording=wording, **more), *BOOK.questions[1:]))


def said(
    coding: Coding, earlier: int, later: int, question: str = "humor", *, unchanged: bool = True, by: str = "Ada"
) -> None:
    with coding.store.writing() as s:
        say_same(s, coding.project, question, earlier, later, unchanged=unchanged, by=by, reason="A typo.")


def counted(coding: Coding, question: str = "humor") -> list[bool]:
    """Whether answers under revision 1, 2 ... count now."""
    with coding.store.reading() as s:
        found = Meanings(s, coding.world.project_id, coding.book)
        there = [revisions.numbered(s, coding.world.project_id, n).id for n in range(1, 4)]
        return [found.unchanged(one, question) for one in there]


@pytest.fixture
def thrice(coding: Coding) -> Coding:
    """Three wordings of a question; texts of the audit coded under each."""
    for n, book in enumerate((BOOK, reworded("Funny?"), reworded("Is it funny?"))):
        coding.revise(book)
        text = coding.text(f"text {n}", "audit", rank=n)
        for coder in (1, 2):
            coding.answer(text, coder, humor="yes", stars="1")
    return coding


def test_what_is_said_of_two_changes_holds_for_both_together(thrice: Coding) -> None:
    assert counted(thrice) == [False, False, True]
    said(thrice, 1, 2)
    assert counted(thrice) == [False, False, True]
    said(thrice, 3, 2)
    assert counted(thrice) == [True, True, True]
    assert len([a for a in thrice.audit().accepted if a.question == "humor"]) == 3
    said(thrice, 1, 2, unchanged=False, by="Bea")
    assert counted(thrice) == [False, True, True]
    assert counted(thrice, "stars") == [True, True, True]


def test_it_holds_for_one_question_only(coding: Coding) -> None:
    coding.revise(
        replace(BOOK, questions=(replace(HUMOR, wording="a"), BOOK.questions[1], replace(STARS, wording="b")))
    )
    coding.revise(reworded("c"))
    said(coding, 1, 2)
    with coding.store.reading() as s:
        found = Meanings(s, coding.world.project_id, replace(coding.book, questions=(replace(HUMOR, wording="a"),)))
        first = revisions.numbered(s, coding.world.project_id, 1).id
        assert found.unchanged(first, "humor")
    assert counted_pair(coding, "stars") == [True, False]


def counted_pair(coding: Coding, question: str) -> list[bool]:
    with coding.store.reading() as s:
        found = Meanings(s, coding.world.project_id, coding.book)
        return [found.unchanged(revisions.numbered(s, coding.world.project_id, n).id, question) for n in (1, 2)]


def test_answers_that_cannot_be_answers_now_never_count_again(coding: Coding) -> None:
    coding.revise(reworded("Funny?"))
    said(coding, 1, 2)
    more = (*HUMOR.labels, Label("unsure", "unsure", "unsure"))
    coding.revise(reworded("Funny?", labels=more))
    assert counted(coding) == [False, False, True]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": Kind.ORDINAL}, "is of kind 'single' in one and 'ordinal' in the other"),
        ({"labels": (*HUMOR.labels, Label("unsure", "unsure", "unsure"))}, "the same labels: unsure is not in both"),
    ],
)
def test_nobody_can_say_so_of_another_question(coding: Coding, change: dict[str, Any], why: str) -> None:
    coding.revise(reworded("Funny?", **change))
    with pytest.raises(MeaningError, match=why):
        said(coding, 1, 2)


def test_who_says_what_of_what_must_be_known(coding: Coding) -> None:
    coding.revise(reworded("Funny?"))
    with pytest.raises(MeaningError, match="It has: humor, stars, topics, year"):
        said(coding, 1, 2, "hate")
    with pytest.raises(MeaningError, match="Say who says so"):
        said(coding, 1, 2, by=" ")
    with pytest.raises(RevisionNotFoundError, match="They are 1 to 2"):
        said(coding, 1, 3)


def test_answers_are_counted_by_revision_and_those_to_be_given_again_are_told(thrice: Coding) -> None:
    work = thrice.text("work")
    thrice.answer(work, 1, humor="yes")
    thrice.answer(thrice.text("skipped"), 1, cancelled=True)
    with thrice.store.reading() as s:
        found = {one.question: one for one in recodings(s, thrice.project, thrice.book)}
    under = found["humor"].under
    assert [(u.revision, u.answers, u.texts, u.coders, u.counts, u.taught) for u in under] == [
        (1, 2, 1, 2, False, True),
        (2, 2, 1, 2, False, True),
        (3, 3, 2, 2, True, True),
    ]
    assert (found["humor"].audit, found["humor"].work) == (2, 0)
    assert (found["stars"].audit, found["stars"].work) == (0, 0)
    assert found["humor"].said == ()


def test_what_a_coder_has_coded_again_is_not_to_be_coded_again(coding: Coding) -> None:
    audit, work = coding.text("one", "audit"), coding.text("two")
    for text in (audit, work):
        coding.answer(text, 1, humor="yes")
        coding.answer(text, 2, humor="yes")
    coding.revise(reworded("Funny?"))
    for coder in (1, 2):
        coding.answer(audit, coder, humor="no")
    coding.answer(work, 1, humor="no")
    with coding.store.reading() as s:
        (humor, *_) = recodings(s, coding.project, coding.book)
    assert (humor.audit, humor.work) == (0, 1)
    said(coding, 1, 2)
    with coding.store.reading() as s:
        (humor, *_) = recodings(s, coding.project, coding.book)
    assert (humor.audit, humor.work) == (0, 0)
    (one,) = humor.said
    assert (one.earlier, one.later, one.by, one.reason) == (1, 2, "Ada", "A typo.")
