"""Suggestions in words beside the question, as a coder sees them in the browser, and what of it reaches the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from db import answers, projects, releases, revisions
from db.answers import LiveAnswer
from db.models import CodebookRevision, Exposure, Inbox
from labelstudio_config.beside import PREFIX
from labelstudio_config.xml import from_xml
from tests.real.browser import Browser
from tests.real.command import Command, serving, until
from tests.real.label_studio import PASSWORD, Server
from tests.real.test_browser import TEXTS

pytestmark = pytest.mark.real

KEY = "beside"
QUESTIONS = ("humor", "emotion")


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("beside"), label_studio) as command:
        command.connect(KEY, TEXTS, ",".join(QUESTIONS), "--audit", "2", "--control", "2")
        yield command


@pytest.fixture
def browser(label_studio: Server, tmp_path: Path) -> Iterator[Browser]:
    """A coder who has logged in."""
    email = f"{tmp_path.name.replace('_', '-')}@example.org"
    label_studio.coder(email)
    with Browser(label_studio.url, tmp_path) as opened:
        opened.log_in(email, PASSWORD)
        yield opened


def assisted(socialite: Command) -> int:
    with socialite.store.reading() as s:
        rows = projects.ls_projects(s, projects.by_key(s, KEY).id)
        return next(row.ls_id for row in rows if row.role == "assisted")


def words(owner: httpx.Client, project: int, release: str) -> dict[str, list[str]]:
    """Text -> the words that Label Studio holds of the release's suggestion, in the order of the questions."""
    tasks = owner.get("/api/tasks", params={"project": project, "fields": "all"}).raise_for_status().json()["tasks"]
    found = {}
    for task in tasks:
        (mine,) = [one for one in task["predictions"] if one["model_version"] == release]
        assert {region["type"] for region in mine["result"]} == {"textarea"}, "no region ticks anything"
        by_name = {region["from_name"]: region["value"]["text"][0] for region in mine["result"]}
        found[task["data"]["text"]] = [by_name[PREFIX + name] for name in QUESTIONS]
    return found


def live(socialite: Command) -> list[LiveAnswer]:
    with socialite.store.reading() as s:
        return answers.live(s, projects.by_key(s, KEY).id)


def revisions_made(socialite: Command) -> int:
    with socialite.store.reading() as s:
        project = projects.by_key(s, KEY).id
        return s.scalars(select(func.count(CodebookRevision.id)).filter_by(project_id=project)).one()


def events(socialite: Command, kind: str) -> int:
    """Events of this kind that were applied."""
    with socialite.store.reading() as s:
        applied = select(func.count(Inbox.id)).where(Inbox.kind == kind, Inbox.applied_at.is_not(None))
        return s.scalars(applied).one()


def test_words_beside_the_question_and_back(socialite: Command, owner: httpx.Client, browser: Browser) -> None:
    project = assisted(socialite)
    before = socialite.status(KEY)["release"]
    socialite.run("prelabel", "--project", KEY, "--push", "--no-tick")
    status = socialite.status(KEY)
    release = status["release"]
    assert release != before
    assert status["pushed"] == 8
    there = owner.get(f"/api/projects/{project}").json()
    assert there["model_version"] == release
    with socialite.store.reading() as s:
        revision = revisions.current(s, projects.by_key(s, KEY).id)
    assert revision is not None
    book = revisions.codebook(revision)
    assert there["label_config"].count(PREFIX) == 2
    assert from_xml(there["label_config"], key=book.key, previous=book).content_hash == revision.content_hash
    assert until(lambda: events(socialite, "PROJECT_UPDATED") > 0)

    said = words(owner, project, release)
    browser.open_stream(project)
    text = browser.text()
    shown = browser.seen()
    assert all(one in shown for one in said[text]), shown
    assert browser.ticked() == []
    browser.screenshot("beside")
    browser.submit()
    assert until(lambda: len(live(socialite)) == 1)
    (empty,) = live(socialite)
    assert (empty.values, empty.cancelled, empty.problems, empty.origin) == ((), False, None, "human")

    second = browser.text()
    assert all(one in browser.seen() for one in said[second])
    browser.choose("humorous")
    browser.choose("joy")
    browser.screenshot("beside-chosen")
    browser.submit()
    assert until(lambda: len(live(socialite)) == 2)
    chosen = live(socialite)[1]
    with socialite.store.reading() as s:
        current = releases.current(s, projects.by_key(s, KEY).id)
        codes = {number: name for (_, name), number in revisions.label_ids(s, projects.by_key(s, KEY).id).items()}
        handed = s.scalars(select(Exposure.release_id).where(Exposure.ls_task_id == chosen.ls_task_id)).all()
    assert current is not None
    assert [(codes[v.label_id or 0], v.origin) for v in chosen.values] == [("humorous", "human"), ("joy", "human")]
    assert (chosen.origin, chosen.release_id, chosen.problems) == ("human", current.id, None)
    assert current.id in handed, "it was seen"
    assert socialite.status(KEY)["answers"] == {"human": 2}
    assert revisions_made(socialite) == 1

    socialite.run("prelabel", "--project", KEY, "--push", "--tick")
    assert socialite.status(KEY)["release"] == before
    there = owner.get(f"/api/projects/{project}").json()
    assert (there["model_version"], there["label_config"].count(PREFIX)) == (before, 0)
    browser.open_stream(project)
    assert len(browser.ticked()) == 2
    assert "Suggested:" not in browser.seen()
    browser.screenshot("ticked-again")
    assert revisions_made(socialite) == 1
