"""The accepted labels of a coded project."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backend.learning.snapshot import SnapshotError
from backend.paper.offer import SourceError
from backend.paper.sources import licences, tasks
from db.projects import ProjectNotFoundError
from db.store import Store
from tests.backend.assist.world import make_world
from tests.backend.learning.coding import Coding
from tests.backend.paper.written import labelled, sentence, table


@pytest.fixture
def coding(store: Store, monkeypatch: pytest.MonkeyPatch) -> Coding:
    """A project in the store that commands open."""
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", store.url)
    return Coding(make_world(store, "posts"))


def code(coding: Coding, numbers: range, stream: str = "work") -> None:
    for number in numbers:
        text = coding.text(sentence(number), stream)
        coding.answer(text, 1, humor=("yes", "no")[number % 2], topics=("sport",), stars=str(1 + number % 3))


def test_accepted_labels_of_the_work_stream(coding: Coding) -> None:
    code(coding, range(40))
    found = {task.question.id: task for task in tasks(["project:posts"])}
    humor = found["humor"]
    assert humor.name == "posts-humor"
    assert 2 <= len(humor.validation) <= 6 and len(humor.train) + len(humor.validation) == 40
    given = dict(zip(humor.train.items, humor.train.answers, strict=True))
    asked = {(sentence(number),): {("yes", "no")[number % 2]} for number in range(40)}
    assert all(answer == asked[item] for item, answer in given.items())
    assert found["topics"].train.answers[0] == {"sport"}
    assert (humor.source, humor.tuning, licences([humor])) == (
        "project posts",
        "own",
        ["posts-humor: the project's own"],
    )
    assert "year" not in found  # a number


@pytest.mark.parametrize("seed", range(3))
def test_the_audit_and_what_nearly_says_the_same_are_never_among_them(coding: Coding, seed: int) -> None:
    code(coding, range(20))
    audit = random.Random(seed).sample(range(100, 200), 10)
    for number in audit:
        text = coding.text(sentence(number), "audit", role=("gate", "test")[number % 2])
        coding.answer(text, 1, humor="yes")
        near = coding.text(f"{sentence(number).upper()}!", "work")
        coding.answer(near, 1, humor="yes")
    (humor,) = tasks(["project:posts"], "humor", seed=seed)
    texts = {text.casefold().rstrip("!") for part in (humor.train, humor.validation) for (text,) in part.items}
    assert texts == {sentence(number).casefold() for number in range(20)}
    assert len(humor.test) == 0
    assert "no text of the audit is among them, and so it has no test part" in humor.remarks[0]


def test_a_question_that_has_no_labels_yet_is_said(coding: Coding) -> None:
    coding.answer(coding.text(sentence(1)), 1, humor="yes")
    said: list[str] = []
    found = tasks(["project:posts"], "humor,stars", say=said.append)
    assert [task.name for task in found] == ["posts-humor"]
    assert len(said) == 1
    assert said[0].startswith("posts-stars: The question 'stars' has no accepted label yet")


def test_what_cannot_be_had_is_said(coding: Coding) -> None:
    with pytest.raises(ProjectNotFoundError, match="posts"):
        tasks(["project:other"])
    with pytest.raises(SnapshotError, match="Nobody has answered yet"):
        tasks(["project:posts"], "humor")
    with pytest.raises(SourceError, match="no task 'irony'"):
        tasks(["project:posts"], "irony")


def test_a_project_beside_a_folder(coding: Coding, tmp_path: Path) -> None:
    code(coding, range(10))
    table(tmp_path / "data" / "irony" / "test.csv", labelled(50, 4, ("ironic", "not ironic")))
    names = [task.name for task in tasks(["project:posts", str(tmp_path / "data")], "humor,irony")]
    assert names == ["posts-humor", "irony"]
