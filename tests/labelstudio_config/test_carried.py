"""The next state of a codebook, from a table that says a part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from labelstudio_config.carried import carried
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Provenance, Question
from labelstudio_config.library import load, names
from labelstudio_config.sheet import read, write
from tests.labelstudio_config.test_sheet import sayable

TEXT = Field("post", "body", "Post", markup=True)
LABELS = (
    Label("joy", "1", "Joy", "Is glad.", ("Yes!\nYes!",), "relief", "irony"),
    Label("anger", "2", "Anger", "Is cross.", ("No!",)),
)
MOOD = Question(
    *("m1", "mood", Kind.ORDINAL, Control.CHOICES, (TEXT,), LABELS),
    required=True,
    verbalisers=(("joy", "glad"),),
    provenance=Provenance(dataset="D"),
)
BOOK = Codebook("posts", "Posts", (MOOD,), "Read all of it.", (Note("why", "post"),), Provenance(paper="P"))


def taken(book: Codebook, *headings: str, **cells: dict[str, str]) -> Codebook:
    """The codebook written as a table, with only these columns (all if there are none) and changed cells, and read.

    `cells`: code of a label -> column -> cell.
    """
    columns, rows = write(book)
    wanted = headings or columns
    table = []
    for row in rows:
        found = dict(zip(columns, row, strict=True))
        found |= cells.get(f"c{found['code']}", {})
        table.append([found.get(name, "") for name in wanted])
    sheet = read(wanted, list(enumerate(table, 2)), source="x", key="x")
    return carried(sheet.codebook, book, sheet.columns)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(sayable())
def test_written_and_read_again_nothing_changes(book: Codebook) -> None:
    assert taken(book) == book


@pytest.mark.parametrize("name", names())
def test_no_published_codebook_loses_anything(name: str) -> None:
    assert taken(load(name)) == load(name)


def test_what_a_table_cannot_say_stays() -> None:
    assert taken(BOOK) == BOOK
    assert taken(BOOK, "question", "label") == BOOK


def test_a_rating_stays_one_while_its_labels_allow_it() -> None:
    stars = tuple(Label(f"s{n}", str(n), f"{n} stars") for n in (1, 2, 3))
    book = replace(BOOK, questions=(replace(MOOD, control=Control.RATING, labels=stars, verbalisers=()),))
    assert taken(book, "question", "label", "code") == book
    other = taken(book, "question", "label", "code", c2={"code": "two"})
    assert other.questions[0].control is Control.CHOICES and other.questions[0].labels[1].id == "s2"


CHANGES: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"label": "Delight"}, {"wording": "Delight"}),
    ({"code": "one"}, {"code": "one"}),
    ({"definition": ""}, {"definition": ""}),
    ({"include": "", "exclude": "jokes"}, {"include": "", "exclude": "jokes"}),
    ({"example": "Yes! Yes!\nHurray!"}, {"examples": ("Yes! Yes!", "Hurray!")}),
    ({"example": ""}, {"examples": ()}),
]


@pytest.mark.parametrize(("cells", "change"), CHANGES)
def test_what_the_table_says_is_taken_and_ids_are_kept(cells: dict[str, str], change: dict[str, Any]) -> None:
    joy = replace(LABELS[0], **change)
    assert taken(BOOK, c1=cells) == replace(BOOK, questions=(replace(MOOD, labels=(joy, LABELS[1])),))


def test_another_instruction_is_the_questions_own() -> None:
    found = taken(BOOK, c1={"instruction": "Read twice."})
    assert (found.instruction, found.questions[0].instruction) == ("", "Read twice.")


def test_a_new_question_is_about_the_same_text_and_a_removed_one_takes_its_notes_along() -> None:
    sheet = read(["question", "label"], [(2, ["tone", "warm"]), (3, ["", "cold"])], source="x", key="x")
    found = carried(sheet.codebook, BOOK, sheet.columns)
    (tone,) = found.questions
    assert (tone.fields, tone.id, found.key, found.title, found.notes) == (
        (TEXT,),
        "tone",
        "posts",
        "Posts",
        BOOK.notes,
    )
    sheet = read(
        ["question", "label", "field"], [(2, ["tone", "warm", "reply"]), (3, ["", "cold", ""])], source="x", key="x"
    )
    found = carried(sheet.codebook, BOOK, sheet.columns)
    assert found.notes == () and found.questions[0].fields == (Field("reply", "reply"),)
