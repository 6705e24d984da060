"""From a table to units and texts, and what a task shows of a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend.corpus.codebooks import several
from backend.corpus.drawing import audit_order, draw
from backend.corpus.intake import CHUNK, Columns, Corpus, read_corpus, remember, task_data, text_columns
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from db import predictions, projects, releases, revisions, texts
from db.models import Project, Unit
from db.predictions import ExposureRow
from db.store import Store, open_store, sqlite_url
from labelstudio_config.xml import to_xml


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def project(store: Store) -> Project:
    with store.writing() as s:
        return projects.create(s, "moods", "Moods", 7, {"audit": 0, "control": 0, "coders": 2})


def corpus(folder: Path, lines: list[str], *, id_column: str | None = "id", group: str | None = None) -> Corpus:
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = open_table(folder / "t.csv")
    columns = Columns(
        (table.column("text"),), table.column(id_column) if id_column else None, table.column(group) if group else None
    )
    return read_corpus(table, columns)


def quiet(_done: int, _total: int) -> None:
    pass


def test_rows_with_ids_groups_and_other_columns(tmp_path: Path) -> None:
    found = corpus(tmp_path, ["id,text,who,note", "a,hello\x00 you,ann,x", "b,  ,ann,y", "c,good day,,z"], group="who")
    assert (found.source, found.empty, [row.external_id for row in found.rows]) == ("t.csv", 1, ["a", "c"])
    assert [row.fields for row in found.rows] == [("hello you",), ("good day",)]
    assert [row.group_key for row in found.rows] == ["ann", None]
    assert found.rows[0].other == {"id": "a", "note": "x"}
    assert [row.external_id for row in corpus(tmp_path, ["text", "one", "two"], id_column=None).rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["id,text", "a,x", "a,y"], "Row 2 of t.csv has the id 'a' a second time in 'id'"),
        (["id,text", ",x"], "Row 1 of t.csv has no id in 'id'"),
        (["id,text", "a,"], "No row of t.csv has a text"),
    ],
)
def test_tables_that_cannot_be_taken_in(tmp_path: Path, lines: list[str], sentence: str) -> None:
    with pytest.raises(TableError, match=sentence):
        corpus(tmp_path, lines)


def test_every_row_is_stored_and_keeps_its_text(store: Store, project: Project, tmp_path: Path) -> None:
    n = 2 * CHUNK + 5
    lines = ["id,text", *(f"r{i},text number {i % (n - 3)}" for i in range(n))]
    reported: list[tuple[int, int]] = []
    first = remember(store, project.id, corpus(tmp_path, lines), lambda *given: reported.append(given))
    assert len(first.text_ids) == len(first.rows) == n
    assert len(set(first.text_ids)) == n - 3
    assert reported[-1] == (n, n)
    again = remember(store, project.id, corpus(tmp_path, lines), quiet)
    assert (again.text_ids, again.changed) == (first.text_ids, 0)
    lines[1] = "r0,another text"
    changed = remember(store, project.id, corpus(tmp_path, lines), quiet)
    assert (changed.changed, len(changed.rows), changed.text_ids) == (1, n - 1, first.text_ids[1:])
    with store.reading() as s:
        assert s.scalar(select(func.count(Unit.id))) == n


def test_a_task_shows_the_text_the_id_and_what_the_screen_asks_for(tmp_path: Path) -> None:
    (book,) = several("humor")
    (row,) = corpus(tmp_path, ["id,text,gold,city", "7,hello,funny,Rome"]).rows
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


def test_a_draw_takes_no_text_that_was_shown_and_grows_with_the_corpus(
    store: Store, project: Project, tmp_path: Path
) -> None:
    words = ["joy", "fear", "rain", "music", "anger", "votes", "trains", "money", "bread", "sleep"]
    lines = [f"{a} before {b}" for a, b in zip(words, words[1:] + words[:1], strict=True)]
    taken = remember(
        store, project.id, corpus(tmp_path, ["id,text", *(f"{i},{x}" for i, x in enumerate(lines))]), quiet
    )
    (book,) = several("humor")
    with store.writing() as s:
        revision = revisions.register(s, project.id, book, to_xml(book))
        scorer = releases.scorer(
            s,
            engine="e",
            base="b",
            base_digest="d",
            adapter_digest="",
            prompt_hash="",
            scoring_hash="",
            dtype="",
            method="",
        )
        release = releases.release(s, project.id, scorer, revision, order_policy="")
        predictions.expose(s, [ExposureRow(text_id, release.id, None, "found") for text_id in taken.text_ids[:4]])
    drawn = draw(store, project, taken.text_ids[:8], audit=3, control=1)
    assert (drawn.audit, drawn.control, drawn.work, drawn.exposed) == (3, 1, 4, 4)
    order = audit_order(store, project)
    assert set(order) <= set(taken.text_ids[4:8])
    assert draw(store, project, taken.text_ids[:8], audit=3, control=1) == type(drawn)()
    more = draw(store, project, taken.text_ids, audit=4, control=1)
    assert (more.audit, more.control, more.work) == (1, 0, 1)
    assert audit_order(store, project)[:3] == order
    with store.reading() as s:
        assert s.get_one(Project, project.id).sampling_design == {"audit": 4, "control": 1, "coders": 2}
        assert {p.stream for p in texts.placements(s, taken.text_ids[:4]).values()} == {"work"}
