"""`socialite project`, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backend.cli import app
from db import erasing, jobs, projects
from db.models import Job
from db.store import Store, open_store, sqlite_url
from tests.backend.corpus.whole import Whole, dump, make_whole


def run(*words: str, code: int = 0) -> Result:
    """What a command prints; an error as the sentence that a person reads."""
    answer = CliRunner().invoke(app, list(words))
    assert answer.exit_code == code, answer.output
    return answer


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store that commands open."""
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path))
    one = open_store(sqlite_url(tmp_path))
    yield one
    one.close()


@pytest.fixture
def whole(store: Store, tmp_path: Path) -> Whole:
    return make_whole(store, tmp_path)


def listed(*words: str) -> list[str]:
    return [one["key"] for one in json.loads(run("project", "list", "--json", *words).stdout)["projects"]]


def test_the_list(store: Store, whole: Whole) -> None:
    answer = run("project", "list").stdout
    assert answer.splitlines() == [
        "posts – Posts: 5 texts, 2 answers",
        "  Label Studio: assisted 1 at http://posts.example:8080; audit 2 at http://posts.example:8080",
    ]
    (one,) = json.loads(run("project", "list", "--json").stdout)["projects"]
    assert (one["texts"], one["answers"], one["archived_at"]) == (5, 2, None)
    assert one["places"][1] == {"url": "http://posts.example:8080", "number": 2, "role": "audit"}


def test_there_is_no_project_yet(store: Store) -> None:
    assert (
        run("project", "list").stderr == "There is no project yet. `socialite connect --help` says how to make one.\n"
    )


def test_archive_and_back(store: Store, whole: Whole) -> None:
    assert "'posts' is archived" in run("project", "archive", "posts").stderr
    with store.writing() as s:
        assert jobs.enqueue(s, "push", whole.world.project.id) == 0
        assert jobs.claim(s, "worker") is None
    assert (listed(), listed("--archived")) == ([], ["posts"])
    assert "archived 20" in run("project", "list", "--archived").stdout
    assert json.loads(run("status", "--json").stdout)["projects"] == []
    assert [one["key"] for one in json.loads(run("status", "--json", "--archived").stdout)["projects"]] == ["posts"]
    assert "posts" not in run("status").stdout and "archived" in run("status", "--archived").stdout
    assert run("project", "unarchive", "posts").stderr.startswith("'posts' is in use again.")
    assert listed() == ["posts"]
    with store.reading() as s:
        assert [job.kind for job in s.query(Job).filter(Job.state == "queued")] == ["sync"]


def test_delete_says_what_would_go_and_does_nothing(store: Store, whole: Whole) -> None:
    before = dump(store, "posts")
    answer = run("project", "delete", "posts")
    assert answer.stdout.startswith(
        "Of 'posts' would go: 5 texts, 2 rows of the corpus, 3 answers (6 versions), 3 scores, 2 releases, 1 coders; "
    )
    for said in (str(whole.folder), whole.adapter.digest, "5" * 64, "The audit project 2 stays in Label Studio"):
        assert said in answer.stdout
    assert "http://posts.example:8080/projects/2/settings/danger-zone" in answer.stdout
    assert "Nothing was deleted. `socialite project delete posts --yes` does it" in answer.stderr
    assert dump(store, "posts") == before and whole.folder.is_dir()


def test_delete_backup_and_restore(store: Store, whole: Whole, tmp_path: Path) -> None:
    before = dump(store, "posts")
    file = tmp_path / "posts.socialite"
    assert "holds 'posts': 5 texts, 3 answers, 1 adapters" in run("project", "backup", "posts", "-o", str(file)).stderr
    assert "exists already" in str(run("project", "backup", "posts", "-o", str(file), code=1).exception)
    assert "a project 'posts' already" in str(run("project", "restore", str(file), code=1).exception)
    gone = json.loads(run("project", "delete", "posts", "--yes", "--json").stdout)
    assert gone["deleted"] is True and gone["rows"]["text"] == 5 and gone["adapters"][0]["fate"] == "deleted"
    assert "There is no project 'posts'" in str(run("project", "delete", "posts", "--yes", code=1).exception)
    assert "'posts' is there again" in run("project", "restore", str(file)).stderr
    assert dump(store, "posts") == before
    run("project", "delete", "posts", "--yes", "--keep-adapters")
    assert "'again' is there again" in run("project", "restore", str(file), "--as", "again").stderr
    assert dump(store, "again") == before


def test_a_deletion_that_broke_off_is_finished_by_the_next(store: Store, whole: Whole) -> None:
    erasing.hide(store, "posts")
    assert listed("--archived") == []
    assert "that broke off is finished" in run("project", "delete", "posts", "--yes").stderr
    with store.reading() as s:
        assert projects.find(s, "posts") is None and not s.scalars(projects.hidden()).first()
