"""Every recorded request of a real Label Studio: its answer and the rows it leaves, at the root and under a key."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.corpus.annotation import kept, read
from backend.corpus.tables.reading import open_table
from db.base import Base
from db.models import AnswerValue, AnswerVersion, Inbox, Job, Label, Question
from labelstudio_config.regions import read_regions
from labelstudio_config.xml import from_xml
from tests.backend.api.conftest import PASSWORD, USER, Opener, Site
from tests.conftest import CHECKOUT

FOLDER = Path(os.environ.get("SOCIALITE_SHARED") or CHECKOUT.parent / "shared") / "labelstudio" / "fixtures"

Rows = dict[str, int]
PROJECT: Rows = {"project": 1, "ls_project": 1, "ls_server": 1}
SIX = {
    "codebook_revision": 1,
    "codebook_use": 1,
    "question": 4,
    "label": 11,
}  # the recorded screen; spans are no question
TWO = {"codebook_revision": 1, "codebook_use": 1, "question": 1, "label": 2}
RELEASED = {"scorer": 1, "release": 1, "pointer": 1}


def texts(n: int) -> Rows:
    return {"text": n, "text_body": n, "unit": n, "ls_task": n}


def suggested(n: int, questions: int = 3) -> Rows:
    return texts(n) | {"placement": n, "exposure": n, "prediction": n * questions}


def answered(values: int) -> Rows:
    answer = {"answer": 1, "answer_version": 1, "coder": 1, "inbox": 1}
    return PROJECT | texts(1) | answer | ({"answer_value": values} if values else {})


@dataclass(frozen=True)
class Expected:
    """What a request leads to. `rows`: every table that is not empty afterwards, once the worker is through."""

    status: int = 200
    body: Callable[[Any], bool] = lambda _: True
    rows: Rows = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    values: tuple[tuple[str, str | None, float | None, str], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def up(body: Any) -> bool:
    return bool(body == {"status": "UP", "model_class": "socialite", "model_loaded": True})


def version(body: Any) -> bool:
    return set(body) == {"model_version"} and body["model_version"].startswith("keyword-")


def results(n: int, *names: str) -> Callable[[Any], bool]:
    """n results, each suggesting an answer for the named controls, under one version."""

    def check(body: Any) -> bool:
        found = body["results"]
        named = all([region["from_name"] for region in r["result"]] == list(names) for r in found)
        return len(found) == n and named and len({r["model_version"] for r in found}) == 1

    return check


def stored(body: Any) -> bool:
    return bool(body == {"status": "stored"})


def training(body: Any) -> bool:
    return body["status"] == "stored" and "re-tuned" in body["message"]


def refused(body: Any) -> bool:
    return set(body) == {"error", "what_to_do"}


def annotated(kind: str, origin: str, *values: tuple[str, str | None, float | None, str], book: Rows = SIX) -> Expected:
    rows = answered(len(values)) | book
    return Expected(202, stored, rows, kinds=(kind,), origins=(origin,), values=values)


def said(origin: str) -> tuple[tuple[str, str | None, float | None, str], ...]:
    several = (("topics", "economy", None, origin), ("topics", "health", None, origin), ("stars", "4", None, origin))
    return (*several, ("year", None, 1999.0, origin))


CLOSED = {"basic_user": USER, "basic_password": PASSWORD}
TWO_NAMES = ("sentiment", "stars")
CREATED = "ANNOTATION_CREATED"
WRITTEN = PROJECT | {"inbox": 1}

EXPECTED: dict[str, Expected] = {
    "health_get": Expected(body=up),
    "health_get_basic_auth": Expected(body=up, settings=CLOSED),
    "versions_get": Expected(body=lambda body: body == {"versions": []}),
    "setup_post": Expected(body=version, rows=PROJECT | SIX | RELEASED),
    "setup_post_basic_auth": Expected(body=version, rows=PROJECT | SIX | RELEASED, settings=CLOSED),
    "ui_open_task_calls": Expected(rows=PROJECT | SIX | RELEASED | suggested(1)),
    "predict_post_batch_2_tasks": Expected(body=results(2, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(2)),
    "predict_post_batch_rest": Expected(body=results(3, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(3)),
    "predict_post_interactive_no_context": Expected(
        body=results(1, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(1)
    ),
    "predict_post_interactive_with_context": Expected(
        body=results(1, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(1)
    ),
    "predict_post_next_task": Expected(body=results(1, "sentiment"), rows=PROJECT | TWO | RELEASED | suggested(1, 1)),
    "predict_post_next_task_from_ui": Expected(
        body=results(1, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(1)
    ),
    "predict_post_test_request": Expected(body=results(1, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(1)),
    "predict_post_with_old_predictions": Expected(
        body=results(5, *TWO_NAMES), rows=PROJECT | SIX | RELEASED | suggested(5)
    ),
    "webhook_ANNOTATION_CREATED": annotated(CREATED, "human", ("sentiment", "positive", None, "human"), *said("human")),
    "webhook_ANNOTATION_CREATED_corrected_prediction": annotated(
        CREATED, "changed", ("sentiment", "neutral", None, "changed")
    ),
    "webhook_ANNOTATION_CREATED_real_UI_corrected": annotated(
        CREATED, "changed", ("sentiment", "negative", None, "changed"), *said("kept")
    ),
    "webhook_ANNOTATION_CREATED_pairwise_0": annotated(CREATED, "kept", ("pw", "right", None, "kept"), book=TWO),
    "webhook_ANNOTATION_CREATED_pairwise_1": annotated(CREATED, "changed", book=TWO),
    "webhook_ANNOTATION_CREATED_skipped": annotated(CREATED, "human"),
    "webhook_ANNOTATION_CREATED_with_custom_headers": Expected(
        202,
        stored,
        answered(1) | SIX,
        kinds=(CREATED,),
        origins=("human",),
        values=(("sentiment", "positive", None, "human"),),
        settings=CLOSED,
    ),
    "webhook_ANNOTATION_CREATED_to_basic_auth_backend_NO_AUTH_HEADER": Expected(401, refused, settings=CLOSED),
    "webhook_ANNOTATION_UPDATED": annotated("ANNOTATION_UPDATED", "human", ("sentiment", "negative", None, "human")),
    "webhook_ANNOTATIONS_CREATED_bulk": annotated(
        "ANNOTATIONS_CREATED", "bulk", ("sentiment", "positive", None, "kept")
    ),
    "webhook_ANNOTATIONS_DELETED": Expected(202, stored, WRITTEN | {"tombstone": 1}, ("ANNOTATIONS_DELETED",)),
    "webhook_ANNOTATIONS_DELETED_bulk": Expected(202, stored, WRITTEN | {"tombstone": 1}, ("ANNOTATIONS_DELETED",)),
    "webhook_TASKS_CREATED": Expected(202, stored, WRITTEN | SIX | texts(1), ("TASKS_CREATED",)),
    "webhook_TASKS_DELETED": Expected(202, stored, WRITTEN, ("TASKS_DELETED",)),
    "webhook_PROJECT_UPDATED": Expected(202, stored, WRITTEN | SIX, ("PROJECT_UPDATED",)),
    "webhook_PROJECT_UPDATED_label_config": Expected(202, stored, WRITTEN | SIX | {"label": 12}, ("PROJECT_UPDATED",)),
    "webhook_START_TRAINING": Expected(202, training, WRITTEN | {"job": 1}, ("START_TRAINING",), ("retrain",)),
    "webhook_no_payload": Expected(202, lambda body: body["status"] == "ignored"),
}
ANSWERS = {"api_tasks_list_fields_all", "export_JSON", "export_JSON_MIN", "export_CSV"}  # tested below


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def test_every_recording_has_an_expectation(shared: Path) -> None:
    recorded = {path.stem for path in (shared / "labelstudio" / "fixtures").iterdir()}
    assert recorded == EXPECTED.keys() | ANSWERS


def replay(site: Site, call: dict[str, Any], base: str) -> tuple[int, Any]:
    left_out = {"host", "content-length"}  # of the recording's own server
    headers = {name: value for name, value in call["headers"] if name.lower() not in left_out}
    path = base + ("/webhook" if call["path"] == "/hook" else call["path"])
    content = None if call["body"] is None else json.dumps(call["body"]).encode()
    answer = site.client.request(call["method"], path, content=content, headers=headers)
    return answer.status_code, answer.json()


def rows(site: Site) -> Rows:
    """The tables that are not empty."""
    with site.store.reading() as s:
        counts = {t.name: s.scalars(select(func.count()).select_from(t)).one() for t in Base.metadata.sorted_tables}
    return {name: n for name, n in counts.items() if n}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_at_the_root(shared: Path, open_site: Opener, name: str) -> None:
    expected = EXPECTED[name]
    site = open_site(**expected.settings)
    calls = load(name)
    for call in calls if isinstance(calls, list) else [calls]:
        status, body = replay(site, call, "")
        assert status == expected.status
        assert expected.body(body), body
    site.work()
    assert rows(site) == expected.rows
    value = (
        select(Question.key, Label.key, AnswerValue.number, AnswerValue.origin)
        .join(AnswerValue, AnswerValue.question_id == Question.id)
        .outerjoin(Label, Label.id == AnswerValue.label_id)
    )
    with site.store.reading() as s:
        assert tuple(s.scalars(select(Inbox.kind))) == expected.kinds
        assert tuple(s.scalars(select(Job.kind))) == expected.jobs
        assert tuple(s.scalars(select(AnswerVersion.origin))) == expected.origins
        assert tuple(map(tuple, s.execute(value.order_by(AnswerValue.id)))) == expected.values
        assert not [row.error for row in s.scalars(select(Inbox)) if row.error or row.applied_at is None]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_under_a_key(shared: Path, open_site: Opener, name: str) -> None:
    """The same, for a project that was there before."""
    expected = EXPECTED[name]
    site = open_site(**expected.settings)
    site.connect("recorded")
    before = rows(site)
    calls = load(name)
    for call in calls if isinstance(calls, list) else [calls]:
        status, body = replay(site, call, "/ls/recorded")
        assert status == expected.status
        assert body == {"status": "stored"} if name == "webhook_no_payload" else expected.body(body), body
    site.work()
    after = rows(site)
    assert after["project"] == before["project"] == 1
    for table in ("inbox", "answer", "answer_version", "answer_value", "tombstone", "exposure", "text", "ls_task"):
        silent = {"inbox": 1} if name == "webhook_no_payload" else {}
        assert after.get(table, 0) == (expected.rows | silent).get(table, 0), table
    with site.store.reading() as s:
        jobs = ("sync",) if name == "webhook_no_payload" else expected.jobs
        assert tuple(s.scalars(select(Job.kind))) == jobs


def test_a_session_in_its_order(shared: Path, site: Site) -> None:
    """All of the recorded project's events: what is live at the end is what Label Studio had at the end."""
    site.connect(identity=(1, 1795384072))
    names = [
        name
        for name in EXPECTED
        if name.startswith("webhook_") and load(name)["body"].get("project", {}).get("id") == 1
    ]
    for call in sorted(map(load, names), key=lambda call: call["t"]):
        assert replay(site, call, "/ls/tones")[0] == 202
    site.work()
    [status] = site.client.get("/status").json()["projects"]
    assert status["answers"] == {"changed": 1}
    assert (status["skipped"], status["deleted"]) == (1, 2)
    assert (status["inbox_waiting"], status["inbox_failed"]) == (0, 0)


def test_exported_answers_say_what_the_webhook_said(shared: Path) -> None:
    event = load("webhook_ANNOTATION_CREATED_real_UI_corrected")["body"]
    book = from_xml(event["project"]["label_config"], key="recorded")
    hooked = kept(event["annotation"])
    assert hooked is not None
    for tasks in (
        json.loads((FOLDER / "export_JSON.txt").read_text("utf-8")),
        load("api_tasks_list_fields_all")["tasks"],
    ):
        [given] = [annotation for task in tasks for annotation in task["annotations"]]
        other = kept(given)
        assert other is not None
        assert read(other, book) == read(hooked, book)
        assert (other["id"], other["updated_at"]) == (hooked["id"], hooked["updated_at"])


def test_tables_exported_by_label_studio_can_be_read(shared: Path) -> None:
    table = open_table(FOLDER / "export_CSV.txt")
    assert table.n == 2
    assert {"text", "sentiment", "topics", "annotation_id"} <= set(table.columns)
    [first, second] = json.loads((FOLDER / "export_JSON_MIN.txt").read_text("utf-8"))
    assert first["annotation_id"] == 12 and second["annotation_id"] is None


def test_suggestions_that_label_studio_stored_are_read(shared: Path) -> None:
    tasks = load("api_tasks_list_fields_all")["tasks"]
    book = from_xml(
        load("webhook_ANNOTATION_CREATED_real_UI_corrected")["body"]["project"]["label_config"], key="recorded"
    )
    [stored_one] = tasks[0]["predictions"]
    assert set(read_regions(book, stored_one["result"]).values) == {"sentiment", "topics", "stars", "year"}
