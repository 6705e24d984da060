"""A table taken in before there is any Label Studio, and the project connected later: its texts get tasks, its labels
teach.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from backend.learning.accepted import audit_labels, work_labels
from db import projects, revisions, texts
from db.models import Placement, Text
from labelstudio_config.codebook import Codebook
from tests.real.coding import posts
from tests.real.command import Command, serving
from tests.real.label_studio import Server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("import"), label_studio) as command:
        yield command


def written(path: Path, rows: list[tuple[str, str, str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "who", "mood"])
        writer.writerows(rows)
    return path


def tasks(owner: httpx.Client, project: int) -> list[dict[str, str]]:
    """The data of all tasks of a project in Label Studio, in their order."""
    query = {"project": project, "fields": "all", "page_size": 200}
    found = owner.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
    return [task["data"] for task in sorted(found, key=lambda task: int(task["id"]))]


def streams(socialite: Command, project_id: int) -> dict[int, str]:
    query = select(Placement.text_id, Placement.stream).join(Text, Text.id == Placement.text_id)
    with socialite.store.reading() as s:
        return {row[0]: row[1] for row in s.execute(query.where(Text.project_id == project_id))}


def test_import_first_and_connect_later(
    socialite: Command, label_studio: Server, owner: httpx.Client, tmp_path: Path
) -> None:
    bodies = posts(30)
    rows = [
        (f"r{n}", text, who, ("humorous", "non-humorous")[n % 2]) for n, text in enumerate(bodies) for who in ("a", "b")
    ]
    table = written(tmp_path / "labelled.csv", rows)
    what = ["--id-column", "id", "--label-column", "mood", "--coder-column", "who", "--question", "humor"]
    before = len(owner.get("/api/projects").raise_for_status().json()["results"])
    socialite.run("import", str(table), "--project", "table", "--codebook", "humor,offensive", *what)
    found = socialite.status("table")
    assert (found["texts"], found["tasks"], found["answers"]) == ({"unplaced": 30}, {}, {"imported": 60})
    assert len(owner.get("/api/projects").raise_for_status().json()["results"]) == before
    connect = [
        "connect",
        "--project",
        "table",
        "--backend",
        socialite.url,
        "--audit",
        "8",
        "--control",
        "4",
        "--seed",
        "7",
    ]
    socialite.run(*connect)
    with socialite.store.reading() as s:
        project = projects.by_key(s, "table")
        numbers = {row.role: row.ls_id for row in projects.ls_projects(s, project.id)}
        drawn = streams(socialite, project.id)
        words = texts.bodies(s, list(drawn))
        book: Codebook = revisions.codebook(revisions.current(s, project.id))  # type: ignore[arg-type]
        work, gate = work_labels(s, project, book), audit_labels(s, project, book, "gate")
    audit = {words[text][0] for text, stream in drawn.items() if stream == "audit"}
    blind, assisted = tasks(owner, numbers["audit"]), tasks(owner, numbers["assisted"])
    assert len(audit) >= 8 and {data["text"] for data in blind} == audit
    assert {data["text"] for data in blind + assisted} == set(bodies) and len(blind + assisted) == len(bodies)
    assert all(data.keys() == {"id", "text"} for data in blind + assisted)
    taught = {words[one.text_id][0]: next(iter(one.labels)) for one in work.accepted}
    assert taught.keys() == {words[text][0] for text, stream in drawn.items() if stream == "work"}
    labels = {text: label for _, text, _, label in rows}
    assert all(
        labels[text] == {x.id: x.code for x in book.questions[0].labels}[given] for text, given in taught.items()
    )
    assert {one.question for one in work.accepted} == {"humor"} and all(one.coders == 2 for one in work.accepted)
    assert gate.accepted == () and gate.votes == {}
    written(table.with_name("more.csv"), [("n1", "a text that came later, about the harbour", "a", "")])
    socialite.run("import", str(table.with_name("more.csv")), "--project", "table", *what)
    socialite.run(*connect)
    assert [data["id"] for data in tasks(owner, numbers["assisted"])][len(assisted) :] == ["n1"]
    assert len(tasks(owner, numbers["audit"])) == len(blind)
    sync = socialite.run("sync", "--project", "table")
    assert sync == "" and socialite.status("table")["answers"] == {"imported": 60}
