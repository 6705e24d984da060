"""A Label Studio project against the store: what is read, what is put right, and what stays dead."""

from __future__ import annotations

from typing import Any, cast

import pytest

from backend.corpus.comparing import compare
from backend.corpus.label_studio import LabelStudio
from backend.corpus.repairs import Repairs
from db import answers, projects, revisions, texts
from db.models import LsProject
from db.store import Store
from labelstudio_config.xml import from_xml
from tests.backend.corpus.fake_label_studio import FakeLabelStudio
from tests.payloads import CONFIG, annotation, choice, task

LATER = "2026-11-22T23:00:00.000000Z"


@pytest.fixture
def row(store: Store, fake: FakeLabelStudio) -> LsProject:
    """A project of three tasks, 1 to 3, of which task 1 and 2 have an answer there, and none here."""
    number = fake.create_project(title="Tones")["id"]
    fake.tasks_of[number] = [task(i, annotations=[]) for i in (1, 2, 3)]
    for i in (1, 2):
        held(fake, number, i).append(annotation(10 + i, i))
    with store.writing() as s:
        project = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
        revisions.register(s, project.id, from_xml(CONFIG, key="tones", title="Tones"), CONFIG)
        return projects.add_ls_project(s, project.id, projects.server(s, fake.url).id, number, 1, "assisted")


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


def held(fake: FakeLabelStudio, project: int, number: int) -> list[dict[str, Any]]:
    """The annotations of a task."""
    found: list[dict[str, Any]] = next(t for t in fake.tasks_of[project] if t["id"] == number)["annotations"]
    return found


def put_right(store: Store, fake: FakeLabelStudio, row: LsProject, **more: Any) -> Repairs:
    return compare(store, cast(LabelStudio, fake), row, lambda done, total: None, **more)[0]


def live(store: Store, row: LsProject) -> dict[int, answers.LiveAnswer]:
    with store.reading() as s:
        return {one.annotation_id: one for one in answers.live(s, row.project_id)}


def test_what_is_the_same_is_not_read_again(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    assert put_right(store, fake, row) == Repairs(answers=2, tasks=3)
    assert fake.read == 3
    assert put_right(store, fake, row) == Repairs()
    assert fake.read == 3
    assert put_right(store, fake, row, everything=True) == Repairs()
    assert fake.read == 6
    fake.tasks_of[row.ls_id][2]["updated_at"] = LATER
    fake.tasks_of[row.ls_id][2]["data"]["text"] = "Another text."
    put_right(store, fake, row)
    assert fake.read == 7
    with store.reading() as s:
        assert texts.find(s, row.project_id, [("Another text.",)]) != [None]


def test_a_changed_answer_is_read_when_its_task_says_so(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    put_right(store, fake, row)
    changed = annotation(11, 1, [choice("Harsh")], updated_at=LATER)
    fake.tasks_of[row.ls_id][0] |= {"annotations": [changed], "updated_at": LATER}
    found, last = compare(store, cast(LabelStudio, fake), row, lambda done, total: None)
    assert found == Repairs(answers=1)
    assert last is not None
    before = fake.read
    assert put_right(store, fake, row, since=last) == Repairs()
    assert fake.read == before + 1, "a change of the last minute is looked at once more"
    fake.tasks_of[row.ls_id][2]["updated_at"] = "2026-11-23T23:00:00.000000Z"
    _, last = compare(store, cast(LabelStudio, fake), row, lambda done, total: None, since=last)
    before = fake.read
    put_right(store, fake, row, since=last)
    assert fake.read == before + 1, "and the older one no more"


def test_answers_and_tasks_that_are_gone_are_noted(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    put_right(store, fake, row)
    held(fake, row.ls_id, 1).clear()
    fake.delete_tasks(row.ls_id, [2])
    assert put_right(store, fake, row) == Repairs(buried=1, deleted=1)
    assert live(store, row) == {}
    assert put_right(store, fake, row) == Repairs()


def test_a_deleted_answer_stays_dead_though_the_export_still_held_it(
    store: Store, fake: FakeLabelStudio, row: LsProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion is under way: its event arrives after Label Studio was read, and before what was read is stored."""
    read = fake.chosen

    def slow(number: int, ids: Any, *, full: bool = True) -> list[dict[str, Any]]:
        page = read(number, ids, full=full)
        with store.writing() as s:
            answers.bury(s, row.id, [11], "webhook")
        return page

    monkeypatch.setattr(fake, "chosen", slow)
    assert put_right(store, fake, row) == Repairs(answers=1, tasks=3)
    assert live(store, row).keys() == {12}
    monkeypatch.undo()
    assert put_right(store, fake, row, everything=True) == Repairs(), "nor is it brought back later"
    assert live(store, row).keys() == {12}


def test_a_task_deleted_meanwhile_is_not_brought_back(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    put_right(store, fake, row)
    with store.writing() as s:
        texts.delete_tasks(s, row.id, [1])
    assert put_right(store, fake, row) == Repairs()
    assert live(store, row).keys() == {12}


def test_an_answer_follows_to_its_new_task(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    put_right(store, fake, row)
    moved = held(fake, row.ls_id, 2).pop() | {"task": 1}
    held(fake, row.ls_id, 1).append(moved)
    fake.delete_tasks(row.ls_id, [2])
    assert put_right(store, fake, row) == Repairs(moved=1, deleted=1)
    found = live(store, row)
    assert found.keys() == {11, 12}
    assert found[11].ls_task_id == found[12].ls_task_id


def test_a_mark_of_truth_taken_away_without_a_word(store: Store, fake: FakeLabelStudio, row: LsProject) -> None:
    held(fake, row.ls_id, 1)[0]["ground_truth"] = True
    put_right(store, fake, row)
    assert live(store, row)[11].ground_truth
    held(fake, row.ls_id, 1)[0]["ground_truth"] = False
    held(fake, row.ls_id, 1).append(annotation(13, 1, ground_truth=True))
    assert put_right(store, fake, row) == Repairs(answers=2)
    assert [one.annotation_id for one in live(store, row).values() if one.ground_truth] == [13]


def test_the_sentence_says_what_was_put_right() -> None:
    assert str(Repairs()) == "Nothing was missing."
    said = str(Repairs(answers=3, buried=1, doubled=1, unreadable=2, remarks=["More."]))
    assert said == (
        "Repaired: 3 answers recorded, 1 deleted answer noted, 1 doubled webhook removed. "
        "2 tasks have no text that can be read. More."
    )
