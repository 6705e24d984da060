"""A project's codebook changed here arrives in all its Label Studio projects, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select

from backend.corpus.label_studio import LabelStudio, created_at
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.revise import Revised, ReviseError, connected, revise, screen
from db import projects, releases, revisions, texts
from db.base import now
from db.models import CodebookRevision, Job, LsProject, Project, Push
from db.projects import ADJUDICATION, ASSISTED, AUDIT, IMPORTED
from db.store import Store, open_store, sqlite_url
from db.texts import TaskRow
from labelstudio_config.codebook import Codebook, Label
from labelstudio_config.xml import from_xml, to_xml
from tests.backend.assist.world import BOOK, HUMOR
from tests.backend.corpus.fake_label_studio import FakeLabelStudio

SERVER = "http://posts.example:8080"
XML = to_xml(BOOK).strip()
PUNS = (HUMOR.labels[0], replace(HUMOR.labels[1], include="puns"))
DEFINED = replace(BOOK, questions=(replace(HUMOR, labels=PUNS), *BOOK.questions[1:]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A project with three projects in Label Studio, the first one of which is an earlier, deleted one."""
    opened = open_store(sqlite_url(tmp_path))
    with opened.writing() as s:
        project = projects.create(s, "posts", "Posts", 7, {"audit": 1, "control": 1, "coders": 2})
        revisions.register(s, project.id, BOOK, XML)
    yield opened
    opened.close()


@pytest.fixture
def fake(store: Store) -> FakeLabelStudio:
    fake = FakeLabelStudio(SERVER)
    with store.writing() as s:
        project, server = projects.by_key(s, "posts"), projects.server(s, SERVER)
        projects.add_ls_project(s, project.id, server.id, 1, 1, ASSISTED)
        for role in (ASSISTED, AUDIT, ADJUDICATION):
            there = fake.create_project(title=role, label_config=XML)
            projects.add_ls_project(s, project.id, server.id, there["id"], created_at(there), role)
        table = projects.server(s, "table:")
        projects.add_ls_project(s, project.id, table.id, 1, 1, IMPORTED)
    return fake


def client(fake: FakeLabelStudio) -> LabelStudio:
    return cast(LabelStudio, fake)


def project_of(store: Store) -> Project:
    with store.reading() as s:
        return projects.by_key(s, "posts")


def current(store: Store) -> CodebookRevision:
    with store.reading() as s:
        found = revisions.current(s, project_of(store).id)
    assert found is not None
    return found


def jobs(store: Store) -> int:
    with store.reading() as s:
        return s.scalars(select(func.count(Job.id)).where(Job.kind == "push")).one()


def test_all_projects_get_the_screen_once(store: Store, fake: FakeLabelStudio) -> None:
    done = revise(store, client(fake), project_of(store), DEFINED)
    assert done == Revised(2, True, tuple(fake.held), False)
    assert {there["label_config"] for there in fake.held.values()} == {to_xml(DEFINED).strip()}
    assert revisions.codebook(current(store)) == DEFINED
    assert current(store).xml == to_xml(DEFINED).strip()
    calls = len(fake.calls)
    assert revise(store, client(fake), project_of(store), DEFINED) == Revised(2, False, (), False)
    assert len(fake.calls) == calls
    assert revise(store, client(fake), project_of(store), BOOK).number == 1, "an earlier one is taken up again"


def test_what_was_interrupted_is_completed(store: Store, fake: FakeLabelStudio) -> None:
    number = max(fake.held)
    revise(store, client(fake), project_of(store), DEFINED)
    fake.held[number]["label_config"] = XML
    assert revise(store, client(fake), project_of(store), DEFINED) == Revised(2, False, (number,), False)


def test_where_answers_hold_what_goes_nothing_changes_anywhere(store: Store, fake: FakeLabelStudio) -> None:
    number = max(fake.held)
    fake.answered[number] = ["yes"]
    labels = (HUMOR.labels[0], Label("maybe", "maybe", "maybe"))
    fewer = replace(BOOK, questions=(replace(HUMOR, labels=labels), *BOOK.questions[1:]))
    sentence = rf"adjudication project {number} holds answers .* nothing was changed\. .* yes \(1 annotation\)"
    with pytest.raises(ReviseError, match=sentence):
        revise(store, client(fake), project_of(store), fewer)
    assert current(store).number == 1
    assert {there["label_config"] for there in fake.held.values()} == {XML}


def test_a_screen_that_is_not_known_here_is_not_written_over(store: Store, fake: FakeLabelStudio) -> None:
    assisted = min(fake.held)
    fake.held[assisted]["label_config"] = XML.replace('"yes"', '"Yes!"')
    with pytest.raises(ReviseError, match=f"Label Studio's project {assisted} was changed there"):
        revise(store, client(fake), project_of(store), DEFINED)
    assert current(store).number == 1 and not any("patch" in call for call in fake.calls)
    fake.held[assisted]["label_config"] = XML
    fake.held[assisted + 1]["label_config"] = "<View/>"
    assert revise(store, client(fake), project_of(store), DEFINED).updated == tuple(fake.held)


def test_a_screen_that_was_laid_out_by_hand_stays_where_it_says_the_same(store: Store) -> None:
    mine = XML.replace("<View>", '<View style="color: red">', 1)
    with store.writing() as s:
        revisions.register(s, project_of(store).id, from_xml(mine, key="posts", title="Other", previous=BOOK), mine)
    was = current(store)
    assert screen(replace(BOOK, instruction="Read."), was) == mine
    assert screen(DEFINED, was) == to_xml(DEFINED).strip()
    assert screen(BOOK, None) == XML


def test_a_project_that_is_not_in_label_studio_needs_none(store: Store, fake: FakeLabelStudio) -> None:
    assert [row.role for row in connected(store, project_of(store))] == [ASSISTED, AUDIT, ADJUDICATION]
    with pytest.raises(ReviseError, match="whose token is needed"):
        revise(store, None, project_of(store), DEFINED)
    with store.writing() as s:
        for row in s.scalars(select(LsProject).where(LsProject.role != IMPORTED)):
            s.delete(row)
    assert revise(store, None, project_of(store), DEFINED) == Revised(2, True, (), False)


def pushed(store: Store) -> None:
    """A task of the assisted project whose suggestion was pushed under the current revision."""
    with store.writing() as s:
        project, revision = projects.by_key(s, "posts"), revisions.current(s, project_of(store).id)
        assert revision is not None
        parts = {"base": "k", "base_digest": "0", "adapter_digest": "", "prompt_hash": "0", "dtype": "f", "method": "m"}
        scorer = releases.scorer(s, engine="keyword", scoring_hash=revision.scoring_hash, **parts)
        release = releases.release(s, project.id, scorer, revision, order_policy="x")
        row = connected(store, project)[0]
        task, _ = texts.remember_tasks(s, row, [TaskRow(1, "a", ("a",))])[0]
        s.add(Push(release_id=release.id, ls_task_id=task, score=0.5, pushed_at=now()))


def test_a_push_is_queued_where_suggestions_are_of_an_earlier_revision(store: Store, fake: FakeLabelStudio) -> None:
    pushed(store)
    assert not revise(store, client(fake), project_of(store), BOOK).queued and jobs(store) == 0
    assert revise(store, client(fake), project_of(store), DEFINED).queued and jobs(store) == 1
    assert revise(store, client(fake), project_of(store), DEFINED).queued and jobs(store) == 1, "it still waits"


def test_another_fault_of_label_studio_is_told_as_it_is(
    store: Store, fake: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int, label_config: str) -> None:
        raise LabelStudioError("Label Studio answered 500.", 500)

    monkeypatch.setattr(fake, "validate_config", refuse)
    with pytest.raises(LabelStudioError, match="answered 500"):
        revise(store, client(fake), project_of(store), Codebook("posts", "Posts", (HUMOR,)))
