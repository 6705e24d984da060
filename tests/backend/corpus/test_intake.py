"""Which columns of a table are a corpus, and what a task shows of a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.corpus.codebooks import several
from backend.corpus.intake import Columns, Labels, read_corpus, task_data, text_columns
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from db.texts import UnitRow
from labelstudio_config.xml import to_xml


def test_a_task_shows_the_text_the_id_and_what_the_screen_asks_for() -> None:
    (book,) = several("humor")
    row = UnitRow("7", ("hello",), 1, {"id": "7", "gold": "funny", "city": "Rome"})
    assert task_data(book, to_xml(book), row) == {"id": "7", "text": "hello"}
    xml = to_xml(book).replace("<View>", '<View><Header value="From $city"/>', 1)
    assert task_data(book, xml, row) == {"id": "7", "text": "hello", "city": "Rome"}


def test_which_columns_hold_the_texts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,post,reply\na,b,c\n", encoding="utf-8")
    table, (book,) = open_table(tmp_path / "t.csv"), several("humor")
    assert text_columns(book, table, None, None) == (0,)
    assert text_columns(book, table, "post", None) == (1,)
    with pytest.raises(TableError, match="leave out --pair-column"):
        text_columns(book, table, None, "reply")


def test_labels_and_who_gave_them_are_not_carried_along(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,text,thread,mood,who,when,city\n1,a,t,x,ann,,Rome\n", encoding="utf-8")
    (book,) = several("humor")
    labels = Labels(book.questions[0], label=3, coder=4, time=5)
    found = read_corpus(open_table(tmp_path / "t.csv"), Columns((1,), 0, 2, labels))
    assert (found.source, found.other) == ("t.csv", ((0, "id"), (6, "city")))
    assert read_corpus(found.table, Columns((1,), 0, 2), "posts").source == "posts"
