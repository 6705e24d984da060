"""Suggestions in bulk to a live Label Studio, and the store brought back in step with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.corpus import connect, pushes
from backend.corpus.codebooks import several, together
from backend.corpus.connect import Connected
from backend.corpus.intake import Columns, read_corpus, text_columns
from backend.corpus.label_studio import LabelStudio
from backend.corpus.push import PushBusyError, push, run
from backend.corpus.sync import run as run_sync
from backend.corpus.sync import sync_all
from backend.corpus.tables.reading import open_table
from db import answers, counts, jobs, projects, releases
from db.models import Exposure, LsProject, Project, Push
from labelstudio_config.xml import to_xml
from tests.real.label_studio import Server
from tests.real.service import Service, serving

pytestmark = pytest.mark.real

WORDS = [
    "joy", "fear", "rain", "music", "anger", "votes", "trains", "money",
    "bread", "sleep", "school", "rivers", "games", "doctors", "paint", "snow",
]  # fmt: skip
TEXTS = [f"{WORDS[i]} after {WORDS[i - 5]} in year {i}, wrote my {WORDS[(3 * i + 1) % 16]}" for i in range(16)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("home"), engine="keyword") as running:
        yield running


def made(service: Service, client: LabelStudio, key: str, folder: Path) -> tuple[Connected, Project, list[LsProject]]:
    book = together(several("humor,emotion"), key, "Pushed")
    (folder / "texts.csv").write_text("\n".join(["text", *(f'"{text}"' for text in TEXTS)]), encoding="utf-8")
    table = open_table(folder / "texts.csv")
    corpus = read_corpus(table, Columns(text_columns(book, table, None, None), None, None))
    done = connect.connect(service.site(client, key), book, to_xml(book), corpus)
    with service.store.reading() as s:
        project = projects.by_key(s, key)
        return done, project, projects.ls_projects(s, project.id)


def pushed(service: Service, client: LabelStudio, project: Project) -> int:
    return push(service.store, service.engine, client, project, lambda done, total: None).sent


def held(client: LabelStudio, ls_id: int) -> dict[int, list[dict[str, Any]]]:
    return {task["id"]: task["predictions"] for _, page in client.tasks(ls_id) for task in page}


def status(service: Service, key: str) -> counts.ProjectStatus:
    with service.store.reading() as s:
        return counts.status(s, key)[0]


def test_every_task_gets_one_suggestion_and_the_audit_none(
    service: Service, client: LabelStudio, label_studio: Server, tmp_path: Path
) -> None:
    done, project, _ = made(service, client, "pushed", tmp_path)
    assert pushed(service, client, project) == 12
    shown = held(client, done.assisted)
    assert [len(predictions) for predictions in shown.values()] == [1] * 12
    assert {p["model_version"] for (p,) in shown.values()} == {done.release}
    assert all({r["from_name"] for r in p["result"]} == {"humor", "emotion"} for (p,) in shown.values())
    assert not any(held(client, done.audit or 0).values())
    with service.store.reading() as s:
        streams = {exposure.channel for exposure in s.scalars(select(Exposure))}
        control = sorted(push.score for push in s.scalars(select(Push)))[:3]
    assert streams == {"push"}
    assert all(score < 0.1 for score in control), "control texts come before all work texts"
    assert (status(service, "pushed").pushed, status(service, "pushed").predictions) == (12, 32), (
        "the audit is scored too"
    )
    with label_studio.http() as http:
        served = http.get(f"/api/projects/{done.assisted}/next").raise_for_status().json()
    lowest = min(shown, key=lambda task: shown[task][0]["score"])
    assert served["id"] == lowest, "Label Studio serves the lowest score first"
    assert pushed(service, client, project) == 0
    assert held(client, done.assisted) == shown


def test_it_goes_on_where_it_was_stopped(
    service: Service, client: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two chunks, and between sending and noting that it was sent."""

    class PowerCut(Exception):
        pass

    done, project, _ = made(service, client, "stopped", tmp_path)
    monkeypatch.setattr("backend.corpus.push.FIRST", 5)
    monkeypatch.setattr("backend.corpus.push.LARGEST", 5)
    real, sent = pushes.finish, []

    def finish(*given: Any) -> None:
        sent.append(1)
        if len(sent) == 2:
            raise PowerCut
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(pushes, "finish", finish)
        with pytest.raises(PowerCut):
            pushed(service, client, project)
    assert sum(len(predictions) for predictions in held(client, done.assisted).values()) == 10
    assert status(service, "stopped").pushed == 5
    assert pushed(service, client, project) == 2
    assert [len(predictions) for predictions in held(client, done.assisted).values()] == [1] * 12
    assert status(service, "stopped").pushed == 12


def test_what_a_coders_page_asked_for_is_not_sent_again(
    service: Service, client: LabelStudio, label_studio: Server, tmp_path: Path
) -> None:
    done, project, _ = made(service, client, "asked", tmp_path)
    task = next(iter(held(client, done.assisted)))
    with label_studio.http() as http:
        http.get(f"/api/tasks/{task}").raise_for_status()
    assert len(held(client, done.assisted)[task]) == 1
    assert pushed(service, client, project) == 11
    assert [len(predictions) for predictions in held(client, done.assisted).values()] == [1] * 12


def test_a_task_deleted_meanwhile_holds_nothing_up(service: Service, client: LabelStudio, tmp_path: Path) -> None:
    done, project, _ = made(service, client, "deleted", tmp_path)
    hook = client.webhooks(done.assisted)[0]["id"]
    client.patch_webhook(hook, is_active=False)
    client.delete_tasks(done.assisted, list(held(client, done.assisted))[:3])
    client.patch_webhook(hook, is_active=True)
    assert pushed(service, client, project) == 9
    assert status(service, "deleted").tasks == {"assisted": 9, "audit": 4}


def test_control_texts_are_sent_first_and_then_the_shorter_ones(
    service: Service, client: LabelStudio, tmp_path: Path
) -> None:
    _, project, rows = made(service, client, "order", tmp_path)
    with service.store.reading() as s:
        release = releases.current(s, project.id)
    assert release is not None
    todo = pushes.missing(service.store, next(row for row in rows if row.role == "assisted"), release.id)
    assert [one.stream for one in todo] == ["control"] * 3 + ["work"] * 9
    assert [one.rank for one in todo[:3]] == [4, 5, 6]
    lengths = [one.length for one in todo[3:]]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 1


def test_one_push_at_a_time_and_as_a_job(
    service: Service, client: LabelStudio, label_studio: Server, tmp_path: Path
) -> None:
    _, project, _ = made(service, client, "alone", tmp_path)
    with service.store.writing() as s:
        jobs.acquire(s, f"push-{project.id}", "somebody", 60)
    with pytest.raises(PushBusyError, match="Somebody else scores or pushes"):
        pushed(service, client, project)
    with service.store.writing() as s:
        jobs.give_back(s, f"push-{project.id}", "somebody")
        jobs.enqueue(s, "push", project.id)
        job = jobs.claim(s, "here")
    assert job is not None
    settings = service.settings.model_copy(update={"label_studio_api_key": _secret(label_studio.token)})
    assert run(service.store, settings, job).startswith("12 suggestions of keyword-")
    with service.store.writing() as s:
        jobs.enqueue(s, "sync", project.id)
        job = jobs.claim(s, "here")
    assert job is not None
    assert run_sync(service.store, settings, job) == "Nothing was missing."


def test_sync_repairs_what_no_webhook_told(
    service: Service, client: LabelStudio, label_studio: Server, tmp_path: Path
) -> None:
    done, project, rows = made(service, client, "synced", tmp_path)
    pushed(service, client, project)
    for row in rows:
        client.patch_webhook(client.webhooks(row.ls_id)[0]["id"], is_active=False)
    first, second, third, *_ = held(client, done.assisted)
    region = {
        "id": "q-humor",
        "from_name": "humor",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": ["humorous"]},
    }
    with label_studio.http() as http:
        for task in (first, second):
            http.post(f"/api/tasks/{task}/annotations/", json={"result": [region], "lead_time": 4.5}).raise_for_status()
        blind = next(iter(held(client, done.audit or 0)))
        http.post(f"/api/tasks/{blind}/annotations/", json={"result": [], "was_cancelled": True}).raise_for_status()
    new = client.import_tasks(
        done.assisted, [{"data": {"text": "a text that was typed in by hand"}}, {"data": {"text": []}}]
    )
    repairs = sync_all(service.store, client, rows, lambda done, total: None)
    assert (repairs.answers, repairs.tasks, repairs.buried, repairs.deleted, repairs.unreadable) == (3, 1, 0, 0, 1)
    one = status(service, "synced")
    assert (one.answers, one.skipped, one.coders) == ({"human": 2}, 1, 1)
    assert one.answers_by_role == {"assisted": 2}
    assert str(sync_all(service.store, client, rows, lambda done, total: None)).startswith("Nothing was missing.")
    with label_studio.http() as http:
        (answer,) = http.get(f"/api/tasks/{first}/annotations/").json()
        http.delete(f"/api/annotations/{answer['id']}/").raise_for_status()
        (other,) = http.get(f"/api/tasks/{second}/annotations/").json()
        changed = region | {"value": {"choices": ["non-humorous"]}}
        http.patch(f"/api/annotations/{other['id']}/", json={"result": [changed]}).raise_for_status()
    client.delete_tasks(done.assisted, [third, *new])
    repairs = sync_all(service.store, client, rows, lambda done, total: None)
    assert (repairs.answers, repairs.buried, repairs.deleted) == (1, 1, 2)
    with service.store.reading() as s:
        (live,) = [a for a in answers.live(s, project.id) if not a.cancelled]
        versions = s.scalar(select(func.count()).select_from(Push))
    assert live.via == "sync"
    assert versions
    assert status(service, "synced").deleted == 1


def _secret(value: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(value)
