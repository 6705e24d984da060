"""Events are cut to what is needed, kept once, and applied in any order with the same result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from backend.corpus import event
from backend.corpus.inbox import NotAppliedError, apply
from db import answers, inbox, predictions, projects, releases, revisions, texts
from db.models import (
    Answer,
    AnswerVersion,
    Inbox,
    Job,
    LsProject,
    LsTask,
    Project,
    Push,
    TextBody,
    Tombstone,
    Unit,
)
from db.predictions import ExposureRow
from db.store import Store, open_store, sqlite_url
from labelstudio_config.xml import from_xml
from tests.payloads import (
    CONFIG,
    EMAIL,
    PASSWORD,
    TOKEN,
    annotation,
    choice,
    created,
    deleted,
    project,
    task,
)

IDENTITY = (7, 1795384072)
SCORER = {
    "engine": "keyword",
    "base": "k",
    "base_digest": "d",
    "adapter_digest": "",
    "prompt_hash": "p",
    "dtype": "float64",
    "method": "m",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a project, whose Label Studio project is that of the payloads."""
    opened = open_store(sqlite_url(tmp_path))
    with opened.writing() as s:
        made = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
        server = projects.server(s, "http://localhost:8080")
        projects.add_ls_project(s, made.id, server.id, *IDENTITY, "assisted")
    yield opened
    opened.close()


def receive(store: Store, body: dict[str, Any], ls_project: int | None = 1) -> int:
    """Store an event as the webhook does; the number of new rows."""
    with store.inbox() as s:
        return inbox.append(s, event.cut(s, 1, ls_project, body["action"], body))


def work(store: Store, *, push: bool = False) -> None:
    """Apply everything that waits."""
    with store.reading() as s:
        rows = inbox.pending(s, 1000)
    for row in rows:
        with store.writing() as s:
            apply(s, s.get_one(Inbox, row.id), push=push)


def count(store: Store, model: Any) -> int:
    with store.reading() as s:
        return s.scalars(select(func.count()).select_from(model)).one()


def live(store: Store) -> list[answers.LiveAnswer]:
    with store.reading() as s:
        return answers.live(s, 1)


def test_an_answer_reaches_the_store(store: Store) -> None:
    assert receive(store, created(annotation(1, 10))) == 1
    work(store)
    [answer] = live(store)
    assert (answer.origin, answer.cancelled, answer.lead_time, answer.via) == ("human", False, 4.5, "webhook")
    with store.reading() as s:
        labels = {number: key for key, number in revisions.label_ids(s, 1).items()}
        assert [labels[v.label_id] for v in answer.values if v.label_id] == [("tone", "kind")]
        assert texts.bodies(s, [answer.text_id]) == {answer.text_id: ("Text number 10.",)}
        assert s.get_one(Inbox, 1).applied_at is not None


def test_the_same_event_twice_is_one_row_and_one_version(store: Store) -> None:
    assert receive(store, created(annotation(1, 10))) == 1
    assert receive(store, created(annotation(1, 10))) == 0
    assert receive(store, created(annotation(1, 10), action="ANNOTATION_UPDATED")) == 0
    work(store)
    assert (count(store, Inbox), count(store, AnswerVersion)) == (1, 1)


FIRST = created(annotation(1, 10))
LATER = created(annotation(1, 10, [choice("Harsh")], updated_at="2026-11-22T22:20:00Z"), action="ANNOTATION_UPDATED")
GONE = deleted(1)
TASK_GONE = {"action": "TASKS_DELETED", "tasks": [{"id": 10}], "project": project()}


@pytest.mark.parametrize("order", list(permutations([FIRST, LATER])))
def test_the_latest_version_is_current_in_any_order(store: Store, order: tuple[dict[str, Any], ...]) -> None:
    for body in order:
        receive(store, body)
        work(store)
    [answer] = live(store)
    with store.reading() as s:
        harsh = revisions.label_ids(s, 1)["tone", "harsh"]
    assert [v.label_id for v in answer.values] == [harsh]
    assert count(store, AnswerVersion) == 2


@pytest.mark.parametrize("order", list(permutations([FIRST, LATER, GONE])))
def test_a_deleted_answer_is_gone_in_any_order(store: Store, order: tuple[dict[str, Any], ...]) -> None:
    for body in order:
        receive(store, body)
        work(store)
    assert live(store) == []
    assert (count(store, Tombstone), count(store, AnswerVersion)) == (1, 2)


@pytest.mark.parametrize("order", list(permutations([FIRST, TASK_GONE])))
def test_a_deleted_task_stays_deleted_in_any_order(store: Store, order: tuple[dict[str, Any], ...]) -> None:
    for body in order:
        receive(store, body)
        work(store)
    assert live(store) == []
    with store.reading() as s:
        assert s.scalars(select(LsTask.deleted_at)).one() is not None


def test_skip_and_bulk(store: Store) -> None:
    receive(store, created(annotation(1, 10, [], was_cancelled=True, lead_time=None)))
    several = {
        "action": "ANNOTATIONS_CREATED",
        "annotation": [annotation(2, 11, parent_prediction=5), annotation(3, 12, parent_prediction=6)],
        "task": [task(11), task(12)],
        "project": project(),
    }
    assert receive(store, several) == 2
    work(store)
    assert [(a.annotation_id, a.origin, a.cancelled) for a in live(store)] == [
        (1, "human", True),
        (2, "bulk", False),
        (3, "bulk", False),
    ]


def test_secrets_and_people_are_not_stored_and_a_text_only_until_it_is_known(store: Store) -> None:
    receive(store, created(annotation(1, 10, completed_by={"id": 3, "email": EMAIL}), "A text to keep once."))
    receive(store, {"action": "PROJECT_UPDATED", "project": project()})
    receive(store, {"action": "START_TRAINING", "project": project()})
    work(store)
    receive(store, created(annotation(2, 10), "A text to keep once."))
    with store.reading() as s:
        rows = [json.dumps(row.body) for row in s.scalars(select(Inbox))]
        assert s.scalars(select(TextBody.fields)).all() == [["A text to keep once."]]
    assert len(rows) == 4
    for secret in (TOKEN, PASSWORD, EMAIL, "task_data", "keep once"):
        assert not any(secret in row for row in rows), secret


def test_tasks_of_ours_keep_their_row(store: Store) -> None:
    """A task that `connect` imported is told by its mark, also when its event comes before `connect` has noted it."""
    with store.writing() as s:
        revisions.register(s, 1, from_xml(CONFIG, key="tones"), CONFIG)
        texts.remember_units(s, 1, [texts.UnitRow("row-9", ("Ours.",), 9)], "posts.csv")
    ours = task(20, "Ours.", meta={"socialite": {"source": "posts.csv", "id": "row-9"}})
    unknown = task(21, "Theirs.", meta={"socialite": {"source": "other.csv", "id": "row-1"}})
    receive(store, {"action": "TASKS_CREATED", "tasks": [ours, unknown, task(22, "Theirs too.")], "project": project()})
    work(store)
    with store.reading() as s:
        found = s.execute(select(LsTask.task_id, Unit.source, Unit.external_id).join(Unit, Unit.id == LsTask.unit_id))
        assert sorted(map(tuple, found)) == [
            (20, "posts.csv", "row-9"),
            (21, "label-studio", "1/21"),
            (22, "label-studio", "1/22"),
        ]


def test_a_task_without_the_column_is_left_out_and_said(store: Store) -> None:
    good, bad = task(30), {"id": 31, "data": {"other": "x"}}
    receive(store, {"action": "TASKS_CREATED", "tasks": [good, bad], "project": project()})
    work(store)
    with store.reading() as s:
        assert s.scalars(select(LsTask.task_id)).all() == [30]
        assert s.scalars(select(Inbox.error)).one() == "1 of 2 tasks lack a text in 'text' and were left out."


def test_a_one_column_import_has_its_text_under_no_name(store: Store) -> None:
    receive(
        store,
        {"action": "TASKS_CREATED", "tasks": [{"id": 30, "data": {"$undefined$": "Unnamed."}}], "project": project()},
    )
    work(store)
    with store.reading() as s:
        assert s.scalars(select(TextBody.fields)).all() == [["Unnamed."]]


def test_a_changed_screen_is_a_new_revision_and_going_back_an_old_one(store: Store) -> None:
    changed = CONFIG.replace('<Choice value="Harsh"/>', '<Choice value="Harsh"/><Choice value="Mixed"/>')
    for config, at in ((CONFIG, "22:00"), (changed, "22:01"), (CONFIG, "22:02")):
        changed_at = f"2026-11-22T{at}:00Z"
        receive(store, {"action": "PROJECT_UPDATED", "project": project(label_config=config, updated_at=changed_at)})
        work(store)
    with store.reading() as s:
        assert count(store, Project) == 1
        now = revisions.current(s, 1)
        assert now is not None
        assert (now.number, now.xml) == (1, CONFIG)
        assert {key for _, key in revisions.label_ids(s, 1)} >= {"kind", "harsh", "mixed"}


def test_an_older_screen_that_comes_late_is_not_taken(store: Store) -> None:
    changed = CONFIG.replace("Harsh", "Rude")
    for config, at in ((changed, "22:01"), (CONFIG, "22:00")):
        updated = f"2026-11-22T{at}:00Z"
        receive(store, {"action": "PROJECT_UPDATED", "project": project(label_config=config, updated_at=updated)})
    work(store)
    with store.reading() as s:
        now = revisions.current(s, 1)
        assert now is not None
        assert now.xml == changed


def test_an_unreadable_screen_is_said_and_leaves_the_codebook(store: Store) -> None:
    receive(store, {"action": "PROJECT_UPDATED", "project": project()})
    receive(
        store,
        {"action": "PROJECT_UPDATED", "project": project(label_config="<View/>", updated_at="2026-11-23T00:00:00Z")},
    )
    work(store)
    with store.reading() as s:
        assert (
            s.scalars(select(Inbox.error).where(Inbox.id == 2)).one().startswith("The labelling screen cannot be read")
        )
        now = revisions.current(s, 1)
        assert now is not None and now.xml == CONFIG


def test_training_and_silent_events_become_jobs_once(store: Store) -> None:
    for _ in range(3):
        receive(store, {"action": "START_TRAINING", "project": project()})
        receive(store, {"action": "ANNOTATION_CREATED"})
        receive(store, {"action": "ANNOTATION_CREATED"}, None)
    work(store)
    with store.reading() as s:
        assert sorted(s.scalars(select(Job.kind))) == ["retrain", "sync"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "LABEL_LINK_CREATED"},
        {"action": "something else, and long" * 20},
        {"action": "ANNOTATION_CREATED", "annotation": 5},
        {"action": "ANNOTATION_CREATED", "annotation": [{"id": "x"}]},
        {"action": "ANNOTATIONS_DELETED", "annotations": "all"},
        {"action": "TASKS_CREATED", "tasks": [None, {"id": -4}]},
        {"action": "TASKS_DELETED", "tasks": {"id": True}},
        {"action": "PROJECT_UPDATED", "project": {"id": 7}},
    ],
)
def test_events_that_say_nothing_usable_are_kept_and_change_nothing(store: Store, body: dict[str, Any]) -> None:
    assert receive(store, body) == 1
    work(store)
    assert count(store, Answer) == 0
    with store.reading() as s:
        assert s.scalars(select(Inbox.kind)).one() in {"WITHOUT_PAYLOAD", "OTHER"}


def test_an_answer_of_a_task_without_text_says_why_it_waits(store: Store) -> None:
    body = created(annotation(1, 10))
    body["task"]["data"] = {"other": "x"}
    receive(store, body)
    with pytest.raises(NotAppliedError, match="Task 10 of this answer is not known"):
        work(store)
    assert count(store, Answer) == 0


def test_what_was_suggested_tells_kept_from_changed(store: Store) -> None:
    """Two questions were suggested; one region was taken away without a trace in the annotation."""
    with store.writing() as s:
        revision = revisions.register(s, 1, from_xml(CONFIG, key="tones"), CONFIG)
        scorer = releases.scorer(s, scoring_hash=revision.scoring_hash, **SCORER)
        release = releases.release(s, 1, scorer, revision, order_policy="o")
        ls_project = projects.ls_projects(s, 1)[0]
        [(ls_task, text)] = texts.remember_tasks(s, ls_project, [texts.TaskRow(10, "1/10", ("Text number 10.",))])
        ids = revisions.question_ids(s, 1)
        log_p = {"tone": [-0.1, -2.4], "topics": [-0.2, -3.0]}
        predictions.store(s, scorer.id, [(text, ids[q], np.array(p), 0) for q, p in log_p.items()])
        predictions.expose(s, [ExposureRow(text, release.id, ls_task, "push")])
    left = [choice("Kind", origin="prediction")]
    both = [*left, choice("Food", "topics", "prediction")]
    receive(store, created(annotation(1, 10, left, parent_prediction=5)))
    receive(store, created(annotation(2, 10, both, parent_prediction=5)))
    work(store)
    assert [(a.origin, a.release_id) for a in live(store)] == [("changed", 1), ("kept", 1)]


def test_what_is_new_is_pushed_where_suggestions_were_pushed(store: Store) -> None:
    changed = {"action": "PROJECT_UPDATED", "project": project(label_config=CONFIG.replace("Harsh", "Rude"))}
    events = [
        {"action": "TASKS_CREATED", "tasks": [task(11)], "project": project()},
        {"action": "PROJECT_UPDATED", "project": project()},
    ]
    for body in events:
        receive(store, body)
        work(store, push=True)
    assert count(store, Job) == 0  # nothing was pushed before
    pushed(store)
    receive(store, {"action": "PROJECT_UPDATED", "project": project(updated_at="2026-11-22T22:30:00Z")})
    work(store, push=True)
    assert count(store, Job) == 0  # the screen is the same
    receive(store, changed | {"project": changed["project"] | {"updated_at": "2026-11-22T22:31:00Z"}})
    work(store)
    assert count(store, Job) == 0  # there is no token
    receive(store, {"action": "TASKS_CREATED", "tasks": [task(12)], "project": project()})
    work(store, push=True)
    with store.reading() as s:
        assert s.scalars(select(Job.kind)).all() == ["push"]


def pushed(store: Store) -> None:
    """A release of the current codebook, pushed for the first task."""
    with store.writing() as s:
        revision = revisions.current(s, 1)
        assert revision is not None
        scorer = releases.scorer(s, scoring_hash=revision.scoring_hash, **SCORER)
        release = releases.release(s, 1, scorer, revision, order_policy="o")
        s.add(Push(ls_task_id=1, release_id=release.id, score=0.5))


def test_five_hundred_tasks_are_kept_in_parts(store: Store) -> None:
    tasks = [task(n) for n in range(1, 501)]
    assert receive(store, {"action": "TASKS_CREATED", "tasks": tasks, "project": project()}) == 3
    work(store)
    assert count(store, LsTask) == 500


@pytest.mark.parametrize(
    "said", ["7.1795384072", "7.1795384072.516", {"id": 7, "created_at": "2026-11-22T21:47:52.516314Z"}]
)
def test_label_studio_names_a_project_in_two_ways(said: Any) -> None:
    assert event.identity(said) == IDENTITY


@pytest.mark.parametrize(
    "said", [None, 7, "7", "", "x.y", "0.5", "7.", {"id": 7}, {"id": "7", "created_at": "2026"}, [7], "٧.١"]
)
def test_a_project_that_is_not_named_is_none(said: Any) -> None:
    assert event.identity(said) is None


def test_what_is_given_in_an_adjudication_project_is_an_adjudication(store: Store) -> None:
    """Skips too; but not what started from a suggestion, was imported, or made from predictions."""
    with store.writing() as s:
        s.execute(update(LsProject).values(role="adjudication"))
        revisions.register(s, 1, from_xml(CONFIG, key="tones"), CONFIG)
    receive(store, created(annotation(1, 10)))
    receive(store, created(annotation(2, 11, [], was_cancelled=True)))
    receive(store, created(annotation(3, 12, [choice("Kind", origin="prediction")], parent_prediction=5)))
    receive(store, created(annotation(4, 13, import_id=7)))
    receive(store, created(annotation(5, 14, bulk_created=True)))
    receive(store, created(annotation(6, 10, [choice("Harsh")], updated_at="2026-11-22T22:20:00Z")))
    work(store, push=True)
    found = {answer.annotation_id: answer.origin for answer in live(store)}
    assert found == {1: "adjudicated", 2: "adjudicated", 3: "kept", 4: "imported", 5: "bulk", 6: "adjudicated"}
    receive(store, deleted(1))
    changed = project(label_config=CONFIG.replace("Kind", "Gentle"))
    receive(store, {"action": "PROJECT_UPDATED", "project": changed})
    receive(store, {"action": "TASKS_CREATED", "tasks": [task(20)], "project": project()})
    work(store, push=True)
    assert 1 not in {answer.annotation_id for answer in live(store)}, "a deletion undoes it"
    with store.reading() as s:
        current = revisions.current(s, 1)
        assert current is not None and current.xml == CONFIG, "its screen is not the codebook"
    assert count(store, Job) == 0, "and its tasks are pushed no suggestions"
