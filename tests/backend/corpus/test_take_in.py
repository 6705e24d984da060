"""Tables taken into a project: rows, texts and labels, in whatever pieces, and again; and what is said of them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from backend.corpus import take_in as module
from backend.corpus.drawing import draw
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import Column, Kind, new_table
from backend.learning.accepted import work_labels
from db import projects, tables, texts
from db.models import Answer, Coder, LsTask, Project, Text, Unit
from db.store import Store, sqlite_url
from labelstudio_config.codebook import Codebook, Control, Field, Label, Question
from labelstudio_config.codebook import Kind as QuestionKind
from tests.backend.assist.world import BOOK
from tests.backend.corpus.taking import Taking, table, taking

FORMATS = ("csv", "tsv", "xlsx", "jsonl", "parquet", "dta")


@pytest.fixture
def posts(store: Store) -> Taking:
    return taking(store)


def test_rows_with_ids_groups_and_other_columns(posts: Taking, tmp_path: Path) -> None:
    rows = [("a", "hello\x00 you", "ann", "x"), ("b", "  ", "ann", "y"), ("c", "good day", "", "z")]
    tally = posts.take(table(tmp_path / "t.csv", "id,text,who,note", rows), id="id", group="who")
    assert posts.rows() == [
        ("t.csv", "a", ("hello you",), 1, {"id": "a", "note": "x"}),
        ("t.csv", "c", ("good day",), 3, {"id": "c", "note": "z"}),
    ]
    assert (tally.rows, tally.new, tally.texts, tally.removed, tally.empty.lines) == (3, 2, 2, 1, "3")
    with posts.store.reading() as s:
        first, second = texts.find(s, posts.project.id, [("hello you",), ("good day",)])
        assert (s.get_one(Text, first).group_key, s.get_one(Text, second).group_key) == ("ann", None)
    assert posts.take(table(tmp_path / "u.csv", "text", [("one",), ("two",)])).new == 2
    assert [row[1] for row in posts.rows()] == ["a", "c", "1", "2"]


def test_a_row_that_cannot_be_taken_in_is_named_and_the_rest_goes_on(posts: Taking, tmp_path: Path) -> None:
    rows = [("a", "x"), ("a", "x"), ("a", "y"), ("", "z"), ("b", "w")]
    tally = posts.take(table(tmp_path / "t.csv", "id,text", rows), id="id")
    assert [(bad.line, bad.reason) for bad in tally.bad.first] == [
        (3, "has the id 'a' a second time. Each row needs one of its own"),
        (4, "has the id 'a' of an earlier row, with another text. Each row needs one of its own"),
        (5, "has no id. Give it one, or leave out --id-column"),
    ]
    assert [row[1:3] for row in posts.rows()] == [("a", ("x",)), ("b", ("w",))]


def test_of_many_bad_rows_the_first_are_named_and_the_others_counted(posts: Taking, tmp_path: Path) -> None:
    tally = posts.take(table(tmp_path / "t.csv", "id,text", [("same", f"text {n}") for n in range(40)]), id="id")
    told = list(tally.sentences("t.csv"))
    assert (tally.new, tally.bad.n, len(tally.bad.first)) == (1, 39, 20)
    assert told[-1] == "  ... and 19 more." and "39 rows of t.csv cannot be taken in; the others are." in told


def test_what_the_table_is_like_is_said(posts: Taking, tmp_path: Path) -> None:
    long = "The minister said on Monday that the bridge would be closed for repairs until the end of the year"
    posts.take(table(tmp_path / "before.csv", "text", [(f"{long}, again.",)]))
    rows = [(long, "x"), ("something else entirely", "y"), (long, "z"), (f"{long}!", "z")]
    told = list(posts.take(table(tmp_path / "t.csv", "text,city", rows)).sentences("t.csv"))
    assert told == [
        "t.csv has 4 rows and 3 distinct texts.",
        "1 rows repeat the text of another row and share its task.",
        "2 texts are near-duplicates of another one here, or of the 1 stored before; a draw keeps them together.",
        "Columns carried along: city.",
    ]


def test_where_there_are_too_many_texts_near_duplicates_are_left_to_the_draw(
    posts: Taking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEAR", 3)
    tally = posts.take(table(tmp_path / "t.csv", "text", [(f"text {n}",) for n in range(4)]))
    assert tally.near is None and tally.new == 4
    assert any("looked for when texts are drawn" in said for said in tally.sentences("t.csv"))


def test_a_row_keeps_the_text_it_had_and_the_change_is_reported(posts: Taking, tmp_path: Path) -> None:
    rows = [("a", "one"), ("b", "two")]
    posts.take(table(tmp_path / "t.csv", "id,text", rows), id="id")
    again = posts.take(table(tmp_path / "t.csv", "id,text", [("a", "one, edited"), *rows[1:], ("c", "three")]), id="id")
    assert (again.changed.n, again.changed.lines, again.known, again.new) == (1, "2", 1, 1)
    assert [row[1:3] for row in posts.rows()] == [("a", ("one",)), ("b", ("two",)), ("c", ("three",))]


def test_a_dry_run_says_the_same_and_writes_nothing(posts: Taking, tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "id,text,mood", [("a", "one", "yes"), ("b", "one", "never"), ("c", "two", "no")])
    looked = posts.take(path, write=False, id="id", label="mood")
    assert (posts.rows(), posts.count(Answer), posts.count(Coder)) == ([], 0, 0)
    taken = posts.take(path, id="id", label="mood")
    assert looked == taken and (taken.new, taken.answers, taken.bad.n) == (2, 2, 1)
    again = posts.take(path, write=False, id="id", label="mood")
    assert (again.known, again.same, again.nothing) == (2, 2, True)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_same_rows_and_labels(posts: Taking, tmp_path: Path, ending: str) -> None:
    columns = [Column("id"), Column("text"), Column("stars", Kind.INTEGER), Column("who")]
    with new_table(tmp_path / f"t.{ending}", columns, overwrite=False) as writer:
        writer.writerow(["007", "=1+1 is \N{GRINNING FACE}", 4, "ann"])
        writer.writerow(["8", "two\nlines", 2, "bob"])
    posts.take(tmp_path / f"t.{ending}", id="id", label="stars", coder="who", question="stars")
    assert [(row[1], row[2]) for row in posts.rows()] == [
        ("007", ("=1+1 is \N{GRINNING FACE}",)),
        ("8", ("two\nlines",)),
    ]
    assert [row[:4] for row in posts.said()] == [("007", "coder-1", "stars", "4"), ("8", "coder-2", "stars", "2")]


# -- labels ------------------------------------------------------------------------------------------------------------


def test_a_text_may_have_a_row_for_each_coder(posts: Taking, tmp_path: Path) -> None:
    rows = [("a", "one", "ann", "yes"), ("b", "two", "ann", ""), ("a", "one", "bob", "no"), ("a", "one", "ann", "no")]
    tally = posts.take(table(tmp_path / "t.csv", "id,text,who,mood", rows), id="id", label="mood", coder="who")
    assert (tally.new, tally.repeated, tally.answers, tally.coders) == (2, 0, 2, 2)
    assert "with a label by the same coder" in tally.bad.first[0].reason
    told = ("training", "imported", False)
    assert posts.said() == [
        ("a", "coder-1", "humor", "yes", None, *told), ("a", "coder-2", "humor", "no", None, *told)
    ]  # fmt: skip
    assert [row[4] for row in posts.rows()] == [{"id": "a"}, {"id": "b"}]


def test_the_name_of_a_coder_is_nowhere_in_the_store(posts: Taking, tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "id,text,who,mood", [("a", "one", "Annegret Kiel", "yes")])
    posts.take(path, id="id", label="mood", coder="who")
    assert posts.store.file is not None
    posts.store.close()
    held = b"".join(part.read_bytes() for part in tmp_path.glob("socialite.sqlite*"))
    assert b"coder-1" in held and b"Annegret" not in held


def test_a_pseudonym_of_ours_is_kept_unless_somebody_has_it(posts: Taking, tmp_path: Path) -> None:
    with posts.store.writing() as s:
        server = projects.server(s, "http://somewhere.example")
        module.answers.coder(s, posts.project.id, server.id, 12)
    rows = [("a", "one", "coder-7", "yes"), ("b", "two", "coder-1", "yes"), ("c", "three", "zoe", "no")]
    path = table(tmp_path / "t.csv", "id,text,who,mood", rows)
    posts.take(path, id="id", label="mood", coder="who")
    names = {row[0]: row[1] for row in posts.said()}
    assert names["a"] == "coder-7" and names.keys() == {"a", "b", "c"}
    assert {names["b"], names["c"]} == {"coder-3", "coder-4"} and names["b"] != "coder-1"
    with posts.store.writing() as s:
        assert module.answers.coder(s, posts.project.id, server.id, 13).pseudonym == "coder-5"


def test_a_label_that_changed_is_a_new_version_and_the_same_one_none(posts: Taking, tmp_path: Path) -> None:
    def labelled(label: str, **more: Any) -> tuple[int, int, int]:
        path = table(tmp_path / "t.csv", "id,text,mood", [("a", "one", label)])
        tally = posts.take(path, id="id", label="mood", **more)
        return tally.answers, tally.versions, tally.same

    assert labelled("yes") == (1, 0, 0)
    assert labelled("YES") == (0, 0, 1)
    assert labelled("no") == (0, 1, 0)
    assert labelled("no", phase="production", ground_truth=True) == (0, 1, 0)
    assert posts.said() == [("a", "coder-1", "humor", "no", None, "production", "imported", True)]
    assert (posts.count(Answer), posts.versions()) == (1, 3)


def test_times_say_which_label_is_the_later_one(posts: Taking, tmp_path: Path) -> None:
    def labelled(label: str, when: str) -> tuple[int, int, int]:
        path = table(tmp_path / "t.csv", "id,text,mood,when", [("a", "one", label, when)])
        tally = posts.take(path, id="id", label="mood", time="when")
        return tally.answers, tally.versions, tally.same

    assert labelled("yes", "2026-03-02T10:00:00Z") == (1, 0, 0)
    assert labelled("no", "2026-03-01") == (0, 1, 0)  # it was given before
    assert [row[3] for row in posts.said()] == ["yes"]
    assert labelled("no", "2026-03-02T11:00:00+01:00") == (0, 1, 0)  # the same moment: it was corrected
    assert [row[3] for row in posts.said()] == ["no"]
    assert labelled("yes", "2026-03-02T10:00:00Z") == (0, 0, 1)
    with posts.store.reading() as s:
        assert str(tables.of_tables(s, posts.project.id).ls_created) == "0"  # type: ignore[union-attr]
    path = table(tmp_path / "t.csv", "id,text,mood,when", [("b", "two", "yes", "yesterday")])
    assert "for a time" in posts.take(path, id="id", label="mood", time="when").bad.first[0].reason


def test_columns_for_two_questions_come_one_after_the_other(posts: Taking, tmp_path: Path) -> None:
    rows = [("a", "one", "yes", "money|sport"), ("b", "two", "no", "(none)"), ("c", "three", "no", "")]
    path = table(tmp_path / "t.csv", "id,text,mood,about", rows)
    posts.take(path, id="id", label="mood")
    posts.take(path, id="id", label="about", question="topics")
    with posts.store.writing() as s:
        ids = texts.find(s, posts.project.id, [("one",), ("two",), ("three",)])
        texts.place_as_work(s, [text for text in ids if text])
    with posts.store.reading() as s:
        found = work_labels(s, s.get_one(Project, posts.project.id), BOOK)
    accepted = {(one.text_id, one.question): one.labels for one in found.accepted}
    assert accepted == {
        (ids[0], "humor"): {"yes"}, (ids[1], "humor"): {"no"}, (ids[2], "humor"): {"no"},
        (ids[0], "topics"): {"money", "sport"}, (ids[1], "topics"): frozenset(),
    }  # fmt: skip
    assert not any(found.unresolved.values())


def test_imported_texts_can_be_drawn_for_the_audit(posts: Taking, tmp_path: Path) -> None:
    names = ["joy", "fear", "rain", "music", "anger", "votes", "trains", "money"]
    rows = [
        (f"{a} before {b} and {i}", "yes") for i, (a, b) in enumerate(zip(names, names[1:] + names[:1], strict=True))
    ]
    posts.take(table(tmp_path / "t.csv", "text,mood", rows), label="mood")
    with posts.store.reading() as s:
        new = texts.without_task(s, posts.project.id)
    assert len(new) == len(rows)
    drawn = draw(posts.store, posts.project, new, audit=3, control=2)
    assert (drawn.audit, drawn.control, drawn.work, drawn.exposed) == (3, 2, 3, 0)


def test_real_ratings_of_many_coders(store: Store, shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "popquorn_offensiveness" / "annotations.csv"
    if not path.is_file():
        pytest.skip("shared data absent")
    steps = tuple(Label(str(n), str(n), str(n)) for n in range(1, 6))
    text = Field("text", "text")
    question = Question("offensive", "offensive", QuestionKind.ORDINAL, Control.RATING, (text,), steps)
    posts = taking(store, Codebook("popquorn", "POPQUORN", (question,)))
    source = open_table(path)
    cells = list(source.rows())[:1500]
    some = table(tmp_path / "some.csv", ",".join(source.columns), cells)
    tally = posts.take(some, id="item", label="offensiveness", coder="coder")
    assert (tally.bad.n, tally.answers, tally.new) == (0, len(cells), len({row[0] for row in cells}))
    assert tally.coders == len({row[1] for row in cells})
    given = Counter(row[3] for row in posts.said())
    assert given == Counter(str(int(float(row[3]))) for row in cells)
    assert posts.take(some, id="item", label="offensiveness", coder="coder").nothing


# -- again, in pieces, and broken off ----------------------------------------------------------------------------------

ids = st.sampled_from(["1", "2", "3", "ä", " 4", "="])
bodies = st.sampled_from(["one", "two", " ", "e\u0301", "\u00e9", "x\x00"]) | st.text(max_size=5)
cells = st.tuples(ids, bodies, st.sampled_from(["ann", "bob", "coder-2", ""]), st.sampled_from(["yes", "No", "", "?"]))
named: dict[str, Any] = {"id": "id", "label": "mood", "coder": "who", "source": "t"}


@pytest.fixture(scope="module")
def new_store(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    def made() -> Store:
        folder = tmp_path_factory.mktemp("new")
        shutil.copy(empty_store, folder / empty_store.name)
        return Store(sqlite_url(folder))

    return made


@settings(max_examples=40)
@given(rows=st.lists(cells, min_size=1, max_size=12), at=st.integers(0, 12))
def test_twice_is_once_and_two_files_are_one(
    new_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], at: int
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    rows = [("0", "always there", "ann", "yes"), *rows]
    first, second = rows[: at + 1], rows[at + 1 :] or rows[-1:]
    whole, parts = new_store(), new_store()
    try:
        once, split = taking(whole), taking(parts)
        path = table(folder / "t.csv", "id,text,who,mood", rows)
        once.take(path, **named)
        before = (once.rows(), once.said(), once.versions(), once.count(Coder), once.count(LsTask))
        assert once.take(path, **named).nothing
        assert (once.rows(), once.said(), once.versions(), once.count(Coder), once.count(LsTask)) == before
        for number, some in enumerate((first, second)):
            split.take(table(folder / f"{number}.csv", "id,text,who,mood", some), **named)
        assert [row[:3] for row in split.rows()] == [row[:3] for row in once.rows()]
        assert {row[0] for row in split.said()} == {row[0] for row in once.said()}
    finally:
        whole.close()
        parts.close()


def test_an_import_that_was_broken_off_is_completed_by_the_next(
    posts: Taking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"r{n}", f"text number {n}", f"c{n % 3}", "yes" if n % 2 else "no") for n in range(1_000)]
    path = table(tmp_path / "t.csv", "id,text,who,mood", rows)
    said: dict[str, Any] = {"id": "id", "label": "mood", "coder": "who"}
    record, calls = tables.record, Counter[str]()

    def fails(s: Session, *given: Any) -> None:
        record(s, *given)
        calls["record"] += 1
        if calls["record"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(module.tables, "record", fails)
    with pytest.raises(KeyboardInterrupt):
        posts.take(path, **said)
    assert (posts.count(Unit), posts.count(Answer)) == (1_000, 2 * tables.CHUNK)
    monkeypatch.undo()
    tally = posts.take(path, **said)
    assert (tally.new, tally.answers, tally.same) == (0, 1_000 - 2 * tables.CHUNK, 2 * tables.CHUNK)
    assert (posts.count(Unit), posts.count(Answer), posts.versions(), len(posts.said())) == (1_000,) * 4
    assert posts.take(path, **said).nothing
