"""What a coder sees in the browser, and what of it reaches the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from db import answers, projects, revisions
from db.answers import LiveAnswer
from tests.real.browser import Browser
from tests.real.command import Command, serving, until
from tests.real.label_studio import PASSWORD, Server

pytestmark = pytest.mark.real

QUESTIONS = ("humor", "emotion")
TEXTS = [
    "Why did the bicycle fall over? It was two tired, just like me on a Monday.",
    "So proud of my sister today, she passed her final exam and we all cried with joy!",
    "The council will vote on the new bus lanes on Thursday evening.",
    "I am furious: three hours on hold and then the line went dead.",
    "Tomorrow is a new day, we will get through this together.",
    "The house is so empty since the dog died.",
    "My diet plan: eat the cake before anyone else can.",
    "Road works on Mill Lane until Friday, please use the bridge.",
    "Nobody called on my birthday. I stayed in bed all day.",
    "They cancelled the train again and blamed the leaves. Outrageous!",
]


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("browser"), label_studio) as command:
        command.connect("seen", TEXTS, ",".join(QUESTIONS), "--audit", "3", "--control", "2")
        yield command


@pytest.fixture
def browser(label_studio: Server, tmp_path: Path) -> Iterator[Browser]:
    """A coder who has logged in."""
    email = f"{tmp_path.name.replace('_', '-')}@example.org"
    label_studio.coder(email)
    with Browser(label_studio.url, tmp_path) as opened:
        opened.log_in(email, PASSWORD)
        yield opened


def in_label_studio(socialite: Command, role: str) -> int:
    """Label Studio's id of the assisted or the audit project."""
    with socialite.store.reading() as s:
        rows = projects.ls_projects(s, projects.by_key(s, "seen").id)
        return next(row.ls_id for row in rows if row.role == role)


def suggested(owner: httpx.Client, project: int, text: str) -> list[str]:
    """The labels that Label Studio holds as suggestion for the task with this text, in the order of the screen."""
    tasks = owner.get("/api/tasks", params={"project": project, "fields": "all"}).raise_for_status().json()["tasks"]
    (task,) = [one for one in tasks if one["data"]["text"] == text]
    (prediction,) = task["predictions"]
    by_name = {region["from_name"]: region["value"]["choices"] for region in prediction["result"]}
    return [choice for name in QUESTIONS for choice in by_name[name]]


def answered(socialite: Command, role: str) -> dict[str, Any] | None:
    """The only live answer given in that project: its origin, and label and origin by question; None before it is
    there.
    """
    with socialite.store.reading() as s:
        project = projects.by_key(s, "seen").id
        names = {number: name for name, number in revisions.question_ids(s, project).items()}
        codes = {number: name for (_, name), number in revisions.label_ids(s, project).items()}
        found: list[LiveAnswer] = [answer for answer in answers.live(s, project) if answer.ls_role == role]
    if not found:
        return None
    (answer,) = found
    said = {names[v.question_id]: (codes[v.label_id or 0], v.origin) for v in answer.values}
    return {"origin": answer.origin, **said}


def test_the_suggestion_is_ticked_and_a_change_is_stored(
    socialite: Command, owner: httpx.Client, browser: Browser
) -> None:
    project = in_label_studio(socialite, "assisted")
    browser.open_stream(project)
    humor, emotion = suggested(owner, project, browser.text())
    assert browser.ticked() == [humor, emotion]
    browser.screenshot("suggested")
    other = next(wording for wording in browser.offered()[2:] if wording != emotion)
    browser.choose(other)
    assert browser.ticked() == [humor, other]
    browser.screenshot("changed")
    browser.submit()
    stored = until(lambda: answered(socialite, "assisted"))
    assert stored == {"origin": "changed", "humor": (humor, "kept"), "emotion": (other, "changed")}
    assert browser.ticked() == suggested(owner, project, browser.text()), "the next text has its suggestion, too"
    assert socialite.status("seen")["answers"]["changed"] == 1


def test_the_audit_shows_nothing(socialite: Command, browser: Browser) -> None:
    project = in_label_studio(socialite, "audit")
    browser.open_stream(project)
    assert browser.text() in TEXTS
    assert browser.offered() == ["non-humorous", "humorous", "anger", "joy", "optimism", "sadness"]
    assert browser.ticked() == []
    seen = browser.seen().replace(browser.text(), "")
    assert not re.search(r"\d[.,]\d|\d ?%", seen), "no score is on the screen"
    assert socialite.status("seen")["release"] not in seen
    browser.screenshot("audit")
    browser.choose("humorous")
    browser.choose("joy")
    browser.submit()
    stored = until(lambda: answered(socialite, "audit"))
    assert stored == {"origin": "human", "humor": ("humorous", "human"), "emotion": ("joy", "human")}
    assert browser.ticked() == []
