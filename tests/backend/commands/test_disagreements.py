"""`socialite disagreements`, as the command runs: lists by name and reason, never an answer, and a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, cast

import pytest

from backend.commands import disagreements
from backend.commands.disagreements import DisagreementsError, Wishes
from backend.corpus import servers
from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.tables.table import TableError
from db import answers
from tests.backend.corpus.fake_label_studio import FakeLabelStudio
from tests.backend.findings.world import score
from tests.backend.learning.coding import Coding, coded

WHOLE: dict[str, Any] = {"topics": (), "stars": "1", "year": 1990}


def run(**wanted: Any) -> None:
    plain = {"question": None, "push": False, "api_key_env": "TOKEN", "errors": False, "as_json": False}
    disagreements.run(Wishes("posts", **(plain | {"output": None, "overwrite": False} | wanted)))


@pytest.fixture
def disputed(posts: Coding) -> Coding:
    """A tie and a skip of the audit, and a tie of two coders with suggestions."""
    tie, skipped = (posts.text(body, "audit", rank=rank) for rank, body in enumerate(("one", "two")))
    work = posts.text("three")
    for text in (tie, work):
        coded(posts, text, "yes", "no", **WHOLE)
    coded(posts, skipped, "yes", **WHOLE)
    posts.answer(skipped, 2, cancelled=True)
    return posts


def test_programs_get_counts_and_names(disputed: Coding, capsys: pytest.CaptureFixture[str]) -> None:
    run(as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["project"] == "posts" and set(found) == {"project", "questions", "texts"}
    assert found["questions"]["humor"] == {"audit": {"skipped": 1, "tie": 1}, "assisted": {"tie": 1}}
    assert found["questions"]["year"] == {"audit": {"skipped": 1}, "assisted": {}}
    assert len(found["texts"]) == 6
    assert {tuple(text) for text in found["texts"]} == {disagreements.COLUMNS}


def test_people_get_counts_and_names_of_one_question(disputed: Coding, capsys: pytest.CaptureFixture[str]) -> None:
    run(question="humor")
    said = capsys.readouterr().out
    assert "audit, coded blind: 2 texts without an accepted value: skipped 1, tie 1" in said
    assert "assisted, by two coders or more: 1 texts without an accepted value: tie 1" in said
    assert "stars" not in said and "yes" not in said, "nobody's answer is shown"
    with pytest.raises(DisagreementsError, match="no question 'mood'"):
        run(question="mood")


def test_a_file_holds_what_is_open_and_is_not_replaced_unasked(disputed: Coding, tmp_path: Path) -> None:
    output = tmp_path / "open.csv"
    run(question="humor", output=output)
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["stream"], row["reason"], row["waits"]) for row in rows] == [
        ("audit", "tie", "no"),
        ("audit", "skipped", "no"),
        ("assisted", "tie", "no"),
    ]
    with pytest.raises(TableError, match="--overwrite"):
        run(output=output)
    run(output=output, overwrite=True)


def test_they_are_pushed_once_to_a_project_of_their_own(
    disputed: Coding, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeLabelStudio("http://posts.example:8080")
    fake.create_webhook(1, "http://ours.example:9090/ls/posts/webhook", {})
    monkeypatch.setattr(FakeLabelStudio, "__enter__", lambda self: self, raising=False)
    monkeypatch.setattr(FakeLabelStudio, "__exit__", lambda *_: None, raising=False)
    monkeypatch.setattr(servers, "LabelStudio", lambda url, key: cast(LabelStudio, fake))
    monkeypatch.setenv("TOKEN", "a-token")
    with disputed.store.reading() as s:
        before = answers.live(s, disputed.world.project_id)
    run(push=True, as_json=True)
    said = capsys.readouterr()
    found = json.loads(said.out)
    place = found["pushed"]["ls_project"]
    assert found["pushed"] == {"ls_project": place, "new": 3, "erased": 0}
    assert {text["waits"] for text in found["texts"]} == {True}
    assert f"/projects/{place}/data" in said.err and "coded none of these texts" in said.err
    run(push=True, as_json=True, question="humor")
    assert json.loads(capsys.readouterr().out)["pushed"]["new"] == 0
    with disputed.store.reading() as s:
        assert answers.live(s, disputed.world.project_id) == before


def test_a_push_needs_a_token_and_is_no_list_of_errors(disputed: Coding, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "LABEL_STUDIO_API_KEY", "SOCIALITE_LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LabelStudioError):
        run(push=True)
    with pytest.raises(DisagreementsError, match="--errors or --push, not both"):
        run(push=True, errors=True)


def test_errors_are_of_assisted_texts(posts: Coding, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = {}
    for number in range(24):
        stream = {"stream": "audit", "rank": number} if number % 4 == 3 else {"stream": "work"}
        text, label = posts.text(f"text {number}", **stream), ("yes", "no")[number % 2]
        coded(posts, text, label, label)
        said[text] = {"humor": (0.1, 0.9) if label == "yes" else (0.9, 0.1)}
    for number in range(24, 30):
        text = posts.text(f"text {number}")
        coded(posts, text, "no", "no")
        said[text] = {"humor": (0.9, 0.1)}
    work, _, _, audit, *_ = said
    said[work], said[audit] = {"humor": (0.97, 0.03)}, {"humor": (0.02, 0.98)}
    score(posts, said)
    run(errors=True, as_json=True, question="humor")
    found = json.loads(capsys.readouterr().out)
    assert found["questions"] == {"humor": {"n": 24, "seen": 0, "missing": ""}}
    (error,) = found["errors"]
    assert (error["text_id"], error["label"], error["instead"], error["unseen"]) == (work, "yes", "no", True)
    assert error["id"] and error["source"]
    output = tmp_path / "errors.csv"
    run(errors=True, output=output)
    said_to_people = capsys.readouterr().out
    assert "humor: 1 labels to look at again (24 assisted texts compared" in said_to_people
    assert "year: 0 labels to look at again (a number has no probability)" in said_to_people
    assert len(output.read_text(encoding="utf-8").splitlines()) == 2
