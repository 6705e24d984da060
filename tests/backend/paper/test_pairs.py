"""Two texts kept in one."""

from __future__ import annotations

import pytest

from backend.paper.known_books import question_of
from backend.paper.pairs import of_columns, split
from labelstudio_config.library import load

FLUTE = question_of(load("flute")).fields
EMPATHY = question_of(load("empathy-explorations")).fields
STANCE = question_of(load("same-side-stance")).fields


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I ban zoos. [SEP] Zoos teach.", ("I ban zoos.", "Zoos teach.")),
        ("a[SEP]b", ("a", "b")),
        ("no seam here", None),
        ("a [SEP] b [SEP] c", None),  # one of the texts holds the mark: nobody can say which
    ],
)
def test_texts_with_a_mark_between(text: str, expected: tuple[str, str] | None) -> None:
    assert split(text, STANCE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Premise: It rains.\nHypothesis: It pours.", ("It rains.", "It pours.")),
        ("premise : It rains. hypothesis: It pours.", ("It rains.", "It pours.")),
        ("Premise: My Hypothesis: none.\nHypothesis: It pours.", ("My Hypothesis: none.", "It pours.")),
        ("Premise: a\nHypothesis: b\nHypothesis: c", None),
        ("Premise: a Hypothesis: b Hypothesis: c", None),
        ("Premise: a\nPremise: b\nHypothesis: c", ("a\nPremise: b", "c")),
        ("It rains.\nHypothesis: It pours.", None),
        ("It rains. [SEP] It pours.", ("It rains.", "It pours.")),
        ("Premise: It rains.", None),
    ],
)
def test_texts_behind_their_titles(text: str, expected: tuple[str, str] | None) -> None:
    assert split(text, FLUTE) == expected


def test_either_apostrophe() -> None:
    assert split("Patient: I am tired.\nCounselor’s Response: Why?", EMPATHY) == ("I am tired.", "Why?")


def test_columns_of_their_own() -> None:
    row = {"Patient": " I am tired. ", "Counselor's response": "Why?", "Input": ""}
    assert of_columns(row, EMPATHY) == ("I am tired.", "Why?")
    assert of_columns({"Patient": "I am tired.", "Counselor's response": None}, EMPATHY) is None
    assert of_columns({"first": "a", "second": "b"}, STANCE) is None  # these have no titles


def test_one_text_is_as_it_is() -> None:
    assert split(" a [SEP] b ", STANCE[:1]) == ("a [SEP] b",)
