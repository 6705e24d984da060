"""`socialite import` as it is typed: what it makes, what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.commands.take_in import ImportOrderError, Wishes, run
from backend.corpus.site import ConnectError
from backend.corpus.tables.table import TableError
from db import counts, projects, revisions
from db.store import Store, open_store, sqlite_url

LINES = "id;text;who;mood\na;hello there;ann;HUMOROUS\nb;;ann;\nc;good day;bob;non-humorous\na;hello there;bob;odd\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a store that is not there yet, with the table 't.csv' in it."""
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", sqlite_url(tmp_path))
    (tmp_path / "t.csv").write_text(LINES, encoding="utf-8")
    return tmp_path


def opened(home: Path) -> Store:
    return open_store(sqlite_url(home))


def labelled(home: Path, **more: object) -> Wishes:
    wanted = {"id_column": "id", "label_column": "mood", "coder_column": "who", "codebook": "humor"} | more
    return Wishes(home / "t.csv", "jokes", **wanted)  # type: ignore[arg-type]


def test_a_project_is_made_without_any_label_studio(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(labelled(home, title="Jokes and other things"))
    said = capsys.readouterr().err
    for sentence in (
        "The cells of t.csv are separated by a semicolon.",
        "The project 'jokes' is made: its codebook 'Jokes and other things' asks 'humor'.",
        "t.csv has 4 rows and 2 distinct texts.",
        "1 rows of t.csv have no text and are left out (line 3).",
        "t.csv, line 5: has the label 'odd', which 'humor' does not have; its labels are: non-humorous, humorous.",
        "2 answers by 2 coders: 2 new.",
        "These labels are training. They teach the model",
        "2 rows with 2 new texts are stored in 'jokes'.",
        "Next: socialite connect --project jokes --audit N",
    ):
        assert sentence in said
    store = opened(home)
    with store.reading() as s:
        project = projects.by_key(s, "jokes")
        (found,) = counts.status(s, "jokes")
        revision = revisions.current(s, project.id)
    store.close()
    assert revision is not None and revision.number == 1
    assert project.title == "Jokes and other things"
    assert project.sampling_design == {"audit": 0, "control": 0, "coders": 2}
    assert (found.units, found.answers, found.tasks) == (2, {"imported": 2}, {})


def test_again_it_says_that_nothing_is_new(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(labelled(home))
    run(labelled(home))
    assert capsys.readouterr().err.endswith("Nothing is new: all of it was in 'jokes' before.\n")


def test_a_dry_run_makes_no_store_and_no_project(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(labelled(home, dry_run=True))
    assert [file.name for file in home.iterdir()] == ["t.csv"]
    said = capsys.readouterr().err
    assert "The project 'jokes' would be made" in said
    assert said.endswith("A dry run: nothing was written. 2 rows with 2 new texts would be stored.\n")
    opened(home).close()
    run(labelled(home, dry_run=True))
    store = opened(home)
    with store.reading() as s:
        assert counts.status(s) == []
    store.close()
    run(labelled(home))
    run(labelled(home, dry_run=True, labels_are="gold"))
    assert "0 new, 2 changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "error", "sentence"),
    [
        (
            {"codebook": None},
            ImportOrderError,
            "'jokes' has no codebook yet. Name one with --config",
        ),
        ({"label_column": None}, ImportOrderError, "--coder-column says something of labels"),
        ({"codebook": "humor,emotion"}, ImportOrderError, "Say --question with one of: humor, emotion"),
        ({"question": "mood"}, ImportOrderError, "The codebook has no question 'mood'"),
        ({"config": Path("x.xml")}, ImportOrderError, "either --codebook or --config"),
        ({"id_column": "name"}, TableError, "no column 'name'.*name another with --id-column"),
        ({"pair_column": "who"}, TableError, "leave out --pair-column"),
        ({"encoding": "klingon"}, TableError, "no encoding 'klingon'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(
    home: Path, more: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        run(labelled(home, **more))
    store = opened(home)
    with store.reading() as s:
        assert counts.status(s) == []
    store.close()


def test_another_codebook_than_the_project_s_is_refused(home: Path) -> None:
    run(labelled(home))
    for dry_run in (False, True):
        with pytest.raises(ConnectError, match="has another codebook already"):
            run(labelled(home, codebook="emotion", dry_run=dry_run))


def test_how_the_file_is_read_can_be_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "t.csv").write_bytes("id\ttext\n1\tIł y a|un chat\n".encode("iso8859_2"))
    run(Wishes(home / "t.csv", "jokes", codebook="humor", encoding="iso8859_2", separator="tab", source="cats"))
    assert "t.csv has 1 rows and 1 distinct texts." in capsys.readouterr().err
