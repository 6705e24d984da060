"""The demo's parts that need no server: the posts, the account, the arguments, and a coder's way with its failures."""

from __future__ import annotations

import csv
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.assist.near_duplicates import clusters
from scripts import demo
from scripts.local import label_studio, walk
from scripts.local.walk import StepError, Walk, corrected

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="humor" toName="text">
  <Choice value="It is a joke" alias="humorous"/><Choice value="It is not" alias="serious"/>
</Choices>
<Choices name="mood" toName="text" choice="multiple"><Choice value="joy"/><Choice value="anger"/></Choices></View>"""


def region(name: str, *codes: str, **more: Any) -> dict[str, Any]:
    value = {"choices": list(codes)}
    return {"id": name, "from_name": name, "to_name": "text", "type": "choices", "value": value, "score": 0.5, **more}


# -- posts.csv ---------------------------------------------------------------------------------------------------------


def posts() -> list[dict[str, str]]:
    with demo.POSTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_150_posts_of_an_ordinary_length() -> None:
    rows = posts()
    assert [list(row) for row in rows] == [["id", "text"]] * 150
    assert len({row["id"] for row in rows}) == 150
    assert {row["id"]: n for row in rows if not 8 <= (n := len(row["text"].split())) <= 40} == {}


def test_posts_need_a_reader_that_knows_csv() -> None:
    texts = "".join(row["text"] for row in posts())
    assert all(sign in texts for sign in (",", '"', "\n", "😭"))


def test_no_post_resembles_another() -> None:
    rows = posts()
    assert len(set(clusters({n: (row["text"],) for n, row in enumerate(rows)}).values())) == len(rows)


# -- account, ports, arguments -----------------------------------------------------------------------------------------


def test_account_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "account.json"
    first = label_studio.account(path)
    assert label_studio.account(path) == first
    assert len(first.password) >= 12
    assert len(first.token) == 40
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_checkouts_have_different_accounts(tmp_path: Path) -> None:
    assert label_studio.account(tmp_path / "a").token != label_studio.account(tmp_path / "b").token


def test_check_and_no_label_studio_exclude_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo.py", "--check", "--no-label-studio"])
    with pytest.raises(SystemExit, match="2"):
        demo.main()
    assert "leave out --no-label-studio" in capsys.readouterr().err


def test_ports_of_the_last_time_are_read_if_they_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "HOME", tmp_path)
    assert demo._last_ports() == demo.PORTS
    (tmp_path / "ports.json").write_text('{"backend": 1234}', encoding="utf-8")
    assert demo._last_ports() == {"backend": 1234, "label_studio": demo.PORTS["label_studio"]}
    (tmp_path / "ports.json").write_text('{"backe', encoding="utf-8")
    assert demo._last_ports() == demo.PORTS


# -- a coder's way -----------------------------------------------------------------------------------------------------


def test_the_first_answer_is_changed_and_the_others_are_kept() -> None:
    prediction = {"result": [region("humor", "humorous"), region("mood", "joy")]}
    answer = corrected(prediction, CONFIG)
    assert answer.question == "humor"
    assert answer.result == [
        region("humor", "serious", origin="prediction-changed"),
        region("mood", "joy", origin="prediction"),
    ]
    assert prediction["result"][0] == region("humor", "humorous"), "the suggestion itself is not touched"


@pytest.mark.parametrize("result", [[], [region("humor", "humorous", type="rating")], [region("gone", "x")]])
def test_what_cannot_be_changed_is_said(result: list[dict[str, Any]]) -> None:
    with pytest.raises(StepError):
        corrected({"result": result}, CONFIG)


class Server:
    """Answers as Label Studio does, puts the answer into the store as socialite does, or not; and counts."""

    def __init__(self, store: Path, **faults: Any) -> None:
        self.store, self.faults, self.count = store, faults, 3
        connection = sqlite3.connect(store)
        connection.executescript(
            "CREATE TABLE ls_project (id, ls_id); CREATE TABLE answer (id, annotation_id, ls_project_id);"
            "CREATE TABLE answer_version (answer_id, origin, updated_at); INSERT INTO ls_project VALUES (1, 7), (2, 8);"
        )
        connection.close()

    def project(self, title: str) -> dict[str, Any]:
        return {"id": 8 if title.endswith("(audit)") else 7, "label_config": CONFIG}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        suggestion = {"id": 5, "model_version": "v", "result": [region("humor", "humorous")]}
        if path == "/api/projects/7/next":
            return {"id": 70, "predictions": self.faults.get("predictions", [suggestion])}
        if path == "/api/projects/8/next":
            return {"id": 80, "predictions": self.faults.get("blind", [])}
        assert (method, path) == ("POST", "/api/tasks/70/annotations/?project=7")
        assert body["parent_prediction"] == 5
        self._arrive(self.faults.get("origin", "changed"))
        return {"id": 900}

    def _arrive(self, origin: str | None) -> None:
        if origin is None:
            return
        self.count += self.faults.get("counts", 1)
        connection = sqlite3.connect(self.store)
        connection.execute("INSERT INTO answer VALUES (1, 900, 2), (2, 900, 1)")
        connection.execute("INSERT INTO answer_version VALUES (1, 'human', '2'), (2, ?, '1')", (origin,))
        connection.commit()
        connection.close()

    def status(self) -> dict[str, Any]:
        return {"answers": {"changed": self.count}}


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Runs the walk against a server with these faults."""
    monkeypatch.setattr(walk, "PATIENCE", 0.1)

    def run(**faults: Any) -> bool:
        server = Server(tmp_path / "store.sqlite", **faults)
        return Walk(server, "Posts", tmp_path / "store.sqlite", server.status).run()  # type: ignore[arg-type]

    return run


def test_a_walk_that_goes_well(walked: Callable[..., bool], capsys: pytest.CaptureFixture[str]) -> None:
    assert walked()
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["ok"] * 6 + ["The"]
    assert said[-1] == "The check passed."


@pytest.mark.parametrize(
    ("faults", "step", "reason"),
    [
        ({"predictions": []}, "the task shows a suggestion", "no suggestion"),
        ({"predictions": [{"result": []}]}, "the task shows a suggestion", "no suggestion"),
        ({"blind": [{"result": []}]}, "the audit's next task shows none", "Task 80"),
        ({"origin": None}, "the store holds it as changed", "did not arrive"),
        ({"origin": "kept"}, "the store holds it as changed", "arrived as 'kept'"),
        ({"counts": 0}, "socialite status counts it", "still counts 3"),
    ],
)
def test_a_step_that_fails_is_named(
    faults: dict[str, Any], step: str, reason: str, walked: Callable[..., bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not walked(**faults)
    *_, failed, last = capsys.readouterr().out.splitlines()
    assert failed.split()[0] == "FAILED"
    assert reason in failed
    assert last == f"The check failed at: {step}."
