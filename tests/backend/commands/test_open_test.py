"""`socialite open-test` and `socialite phase`, as their commands run."""

from __future__ import annotations

import pytest

from backend.commands import open_test, phase
from backend.commands.open_test import OpenTestError
from backend.commands.phase import PhaseError
from db import looks, revisions
from db.models import Look
from labelstudio_config.codebook import Codebook
from tests.backend.findings.world import read, score
from tests.backend.learning.coding import Coding


def opened(coding: Coding) -> list[Look]:
    with coding.store.reading() as s:
        return looks.of(s, coding.world.project_id)


def test_an_opening_is_written_down_once_a_release_and_codebook(
    posts: Coding, capsys: pytest.CaptureFixture[str]
) -> None:
    release = score(posts, {})
    open_test.run("posts", by=" Ada ", reason="The paper is ready.", yes=True)
    open_test.run("posts", by="Bea", reason="Again.", yes=True)
    (look,) = opened(posts)
    assert (look.release_id, look.by, look.reason) == (release, "Ada", "The paper is ready.")
    assert "already" in capsys.readouterr().err
    facts = read(posts)
    assert facts.opened is not None
    assert facts.opened.id == look.id


def test_another_codebook_is_another_opening(posts: Coding) -> None:
    score(posts, {})
    open_test.run("posts", by="Ada", reason="First.", yes=True)
    posts.revise(Codebook(posts.book.key, "Another title", posts.book.questions))
    open_test.run("posts", by="Ada", reason="Second.", yes=True)
    with posts.store.reading() as s:
        now = revisions.current(s, posts.world.project_id)
    assert now is not None
    assert [look.revision_id == now.id for look in opened(posts)] == [False, True]


def test_a_test_that_is_not_scored_is_not_opened(posts: Coding) -> None:
    text = posts.text("first", "audit", rank=0, role="test")
    score(posts, {})
    with pytest.raises(OpenTestError, match="not scored 1 of the test texts"):
        open_test.run("posts", by="Ada", reason="Now.", yes=True)
    score(posts, {text: {"humor": (0.3, 0.7)}})
    open_test.run("posts", by="Ada", reason="Now.", yes=True)
    assert len(opened(posts)) == 1


@pytest.mark.parametrize(("answer", "n"), [("y", 1), ("", 0), ("no", 0)])
def test_a_person_is_asked(posts: Coding, monkeypatch: pytest.MonkeyPatch, answer: str, n: int) -> None:
    score(posts, {})
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if n:
        open_test.run("posts", by="Ada", reason="Now.", yes=False)
    else:
        with pytest.raises(OpenTestError, match="Nothing was opened"):
            open_test.run("posts", by="Ada", reason="Now.", yes=False)
    assert len(opened(posts)) == n


def test_where_nobody_can_be_asked_it_stays_closed(posts: Coding, monkeypatch: pytest.MonkeyPatch) -> None:
    score(posts, {})
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(OpenTestError, match="--yes"):
        open_test.run("posts", by="Ada", reason="Now.", yes=False)
    assert opened(posts) == []


def test_without_a_release_or_a_reason_there_is_nothing_to_open(posts: Coding) -> None:
    with pytest.raises(OpenTestError, match="no release yet"):
        open_test.run("posts", by="Ada", reason="Now.", yes=True)
    with pytest.raises(OpenTestError, match="--reason"):
        open_test.run("posts", by="Ada", reason=" ", yes=True)


def test_a_phase_is_entered_and_read(posts: Coding, capsys: pytest.CaptureFixture[str]) -> None:
    phase.run("posts", "pilot")
    phase.run("posts", None)
    assert capsys.readouterr().out == "pilot\n"
    assert posts.project.phase == "pilot"
    phase.run("posts", "pilot")
    assert "already" in capsys.readouterr().err
    with pytest.raises(PhaseError, match="training, pilot, production"):
        phase.run("posts", "prod")
