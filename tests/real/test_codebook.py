"""A codebook that is changed here arrives in all projects of a live Label Studio, and answers keep their revision."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.corpus.codebook_files import read_codebook, write_codebook
from db import answers, revisions
from db.answers import LiveAnswer
from labelstudio_config.codebook import Codebook, Label
from labelstudio_config.xml import from_xml
from tests.real.coding import Coder, Connected, connected, fresh, otherwise, posts
from tests.real.command import Command, serving, until
from tests.real.label_studio import CHECKOUT, Server

pytestmark = pytest.mark.real
KEY = "revised"


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("revised"), label_studio) as command:
        yield command


@pytest.fixture(scope="module")
def people(label_studio: Server) -> Iterator[list[Coder]]:
    tokens = [label_studio.coder(f"{name}@revised.example.org") for name in ("gus", "hedy")]
    clients = [label_studio.http(token) for token in tokens]
    yield [Coder(client) for client in clients]
    for client in clients:
        client.close()


def live(socialite: Command, project: Connected) -> list[LiveAnswer]:
    with socialite.store.reading() as s:
        return answers.live(s, project.id)


def number(socialite: Command, project: Connected) -> int:
    """Of the current revision."""
    with socialite.store.reading() as s:
        found = revisions.current(s, project.id)
    assert found is not None
    return found.number


def screens(owner: httpx.Client, *places: int) -> set[str]:
    return {owner.get(f"/api/projects/{place}").raise_for_status().json()["label_config"] for place in places}


def refused(socialite: Command, *arguments: str) -> str:
    """What a command says on standard error when it fails."""
    command = [sys.executable, "-m", "backend.cli", *arguments]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=socialite.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


def diff(socialite: Command) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socialite.run("codebook", "diff", "--project", KEY, "--json"))
    return found


def changed(book: Codebook, place: int, **parts: Any) -> Codebook:
    """The codebook with another label at this place of its first question."""
    first, *rest = book.questions
    labels = tuple(replace(x, **parts) if n == place else x for n, x in enumerate(first.labels))
    return replace(book, questions=(replace(first, labels=labels), *rest))


def test_a_revision_arrives_everywhere_and_answers_keep_theirs(
    socialite: Command, owner: httpx.Client, people: list[Coder], tmp_path: Path
) -> None:
    project = connected(socialite, KEY, posts(12), "--audit", "4", "--control", "2")
    gus, hedy = people
    for place in range(2):
        for coder, answer in ((gus, fresh()), (hedy, otherwise(fresh()) if place else fresh())):
            task = coder.next(project.audit)
            assert task is not None
            coder.submit(task, answer, "human")
    until(lambda: len(live(socialite, project)) == 4)
    pushed = json.loads(socialite.run("disagreements", "--project", KEY, "--push", "--json"))["pushed"]
    places = (project.assisted, project.audit, pushed["ls_project"])
    (before,) = screens(owner, *places)

    # a spreadsheet, changed by a person, becomes the next revision, here and in the three projects
    table = tmp_path / "book.xlsx"
    socialite.run("codebook", "export", "--project", KEY, "-o", str(table))
    was = read_codebook(table).codebook
    ruled = changed(was, 0, include="bad jokes,\nalso in verse", exclude='irony & "wit"')
    write_codebook(ruled, table, overwrite=True)
    told = socialite.run("codebook", "import", str(table), "--project", KEY)
    assert "What to include of the label" in told and "What to exclude of the label" in told
    (now,) = screens(owner, *places)
    assert now != before
    label = from_xml(now, key="x").questions[0].labels[0]
    assert (label.include, label.exclude) == ("bad jokes,\nalso in verse", 'irony & "wit"')
    until(lambda: number(socialite, project) == 2)
    assert number(socialite, project) == 2

    # Label Studio's own events and questions about it change nothing, nor does a second import
    assert gus.next(project.assisted) is not None
    assert socialite.run("codebook", "import", str(table), "--project", KEY) == ""
    socialite.run("sync", "--project", KEY)
    assert number(socialite, project) == 2 and screens(owner, *places) == {now}
    with socialite.store.reading() as s:
        kept = revisions.codebook(revisions.numbered(s, project.id, 2))
        first = revisions.codebook(revisions.numbered(s, project.id, 1))
    assert [q.label_ids for q in kept.questions] == [q.label_ids for q in first.questions]
    assert [q.provenance for q in kept.questions] == [q.provenance for q in first.questions]
    findings = json.loads(socialite.run("doctor", "--project", KEY, "--json"))["findings"]
    assert {f["level"] for f in findings if f["check"] == "codebook"} == {"ok"}

    # an answer after it is of the new revision; those before are of the old one, until somebody says it is the same
    task = gus.next(project.audit)
    assert task is not None
    gus.submit(task, fresh(), "human")
    until(lambda: len(live(socialite, project)) == 5)
    under = {q["question"]: q for q in diff(socialite)["questions"]}
    assert [(u["revision"], u["answers"], u["counts"]) for u in under["humor"]["under"]] == [
        (1, 4, False),
        (2, 1, True),
    ]
    assert under["humor"]["recode"] == {"audit": 2, "other": 0}
    assert [(u["revision"], u["counts"]) for u in under["offensive"]["under"]] == [(1, True), (2, True)]
    socialite.run("codebook", "same", "humor", "--project", KEY, "--by", "Ada", "--reason", "Only spelt out.")
    under = {q["question"]: q for q in diff(socialite)["questions"]}
    assert [u["counts"] for u in under["humor"]["under"]] == [True, True]
    assert "said by Ada" in socialite.run("report", "--project", KEY)

    # a label that answers hold cannot go: Label Studio says which, and nothing is changed
    fewer = replace(ruled, questions=(replace(ruled.questions[0], labels=_without_humor(ruled)), *ruled.questions[1:]))
    write_codebook(fewer, table, overwrite=True)
    said = refused(socialite, "codebook", "import", str(table), "--project", KEY)
    assert f"Label Studio's audit project {project.audit} holds answers that the new codebook has no place for" in said
    assert "humorous (" in said and "nothing was changed" in said
    assert number(socialite, project) == 2 and screens(owner, *places) == {now}


def _without_humor(book: Codebook) -> tuple[Label, ...]:
    """The labels with another one in the place of 'humorous'."""
    return tuple(
        Label("witty", "witty", "witty") if label.code == "humorous" else label for label in book.questions[0].labels
    )
