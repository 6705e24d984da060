from __future__ import annotations

import pytest
from hypothesis import given
from label_studio_sdk.label_interface import LabelInterface

from labelstudio_config.beside import PREFIX, is_area, regions, with_areas, without_areas, words_of
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError
from labelstudio_config.library import load, names
from labelstudio_config.regions import Answer, read_regions
from labelstudio_config.xml import from_xml, ignored, to_xml
from tests.labelstudio_config.strategies import codebooks
from tests.labelstudio_config.test_xml import EVERYTHING


@pytest.mark.parametrize("name", names())
def test_a_screen_with_areas_is_the_same_codebook(name: str) -> None:
    book = load(name)
    xml = to_xml(book)
    screen = with_areas(xml, book)
    assert screen.count(PREFIX) == len(book.questions)
    assert without_areas(screen) == xml
    assert (
        from_xml(screen, key=book.key, previous=book).content_hash
        == from_xml(xml, key=book.key, previous=book).content_hash
    )
    assert with_areas(screen, book) == screen, "one that has them gets no second"
    assert ignored(screen) == ignored(xml)
    LabelInterface(screen).validate()


def test_each_area_stands_between_the_heading_and_its_question_and_notes_are_kept() -> None:
    book = from_xml(EVERYTHING, key="posts")
    screen = with_areas(EVERYTHING, book)
    assert without_areas(screen) == EVERYTHING
    for name in ("funny", "topics", "stars"):
        area = f'<TextArea name="{PREFIX}{name}" toName="text" editable="false" maxSubmissions="0"/>'
        assert screen.index(area) + len(area) == screen.index(f'name="{name}"') - screen[
            screen.index(area) + len(area) :
        ].index("name="), name
    assert PREFIX + "year" not in screen, "a number is not suggested"
    assert PREFIX + "spans" not in screen
    assert from_xml(screen, key="posts") == book
    assert [note.name for note in from_xml(screen, key="posts").notes] == ["note"]


@given(codebooks())
def test_areas_come_and_go_without_a_trace(book: Codebook) -> None:
    xml = to_xml(book)
    screen = with_areas(xml, book)
    assert without_areas(screen) == xml
    assert from_xml(screen, key=book.key) == from_xml(xml, key=book.key)


def test_as_label_studios_own_editor_writes_it() -> None:
    screen = '<View><TextArea editable="false" name="suggestion_a" toName="t" maxSubmissions="0"></TextArea></View>'
    assert without_areas(screen) == "<View></View>"


def test_a_note_of_that_name_stays_a_note() -> None:
    screen = (
        '<View><Text name="text" value="$text"/><TextArea name="suggestion_box" toName="text" rows="2"/>'
        '<Choices name="a" toName="text"><Choice value="x"/><Choice value="y"/></Choices></View>'
    )
    book = from_xml(screen, key="posts")
    assert [note.name for note in book.notes] == ["suggestion_box"]
    said = {"type": "textarea", "from_name": "suggestion_box", "to_name": "text", "value": {"text": ["more tea"]}}
    assert read_regions(book, [said]).notes == {"suggestion_box": "more tea"}


def test_what_is_said_and_that_it_is_no_answer() -> None:
    book = from_xml(EVERYTHING, key="posts")
    said = regions(
        book,
        [
            Answer("funny", ("n",), score=0.617),
            Answer("topics", ("economy", "health"), score=0.5),
            Answer("stars", ("3",), score=1.0),
        ],
    )
    assert [one["value"] for one in said] == [
        {"text": ["Suggested: No (62 %)"]},
        {"text": ["Suggested: Economy, Health (50 %)"]},
        {"text": ["Suggested: 3 (100 %)"]},
    ]
    assert all(is_area(one) for one in said)
    read = read_regions(book, said)
    assert (read.values, read.notes, read.problems) == ({}, {}, ())
    assert regions(book, [Answer("topics", (), score=None)]) == []
    with pytest.raises(CodebookError, match="no question 'else'"):
        regions(book, [Answer("else", ("x",))])


def test_a_suggestion_without_a_score_is_said_without() -> None:
    book = from_xml(EVERYTHING, key="posts")
    assert words_of(book.question("funny"), Answer("funny", ("y",))) == "Suggested: Yes, it is"
