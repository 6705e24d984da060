"""Connecting a corpus to a live Label Studio: made, made again, interrupted, adopted half coded; and what is pushed
there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.corpus import adopt, connect, tasks, wiring
from backend.corpus.codebooks import several, together
from backend.corpus.connect import Connected
from backend.corpus.drawing import audit_order
from backend.corpus.intake import Columns, Corpus, read_corpus, text_columns
from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import BlockedAddressError, LabelStudioError
from backend.corpus.reach import BackendError
from backend.corpus.site import ConnectError, Site
from backend.corpus.tables.reading import open_table
from db import answers, counts, projects, revisions, texts
from db.models import Exposure, LsProject, Project
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import to_xml
from tests.real.label_studio import Server
from tests.real.service import Service, serving

pytestmark = pytest.mark.real

WORDS = [
    "joy", "fear", "rain", "music", "anger", "votes", "trains", "money",
    "bread", "sleep", "school", "rivers", "games", "doctors", "paint", "snow",
]  # fmt: skip
TEXTS = [f"{WORDS[i]} beats {WORDS[i - 3]} on day {i}, says my {WORDS[(5 * i + 2) % 16]}" for i in range(16)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def book() -> Codebook:
    return together(several("humor,emotion"), "moods", "Moods")


def corpus(folder: Path, book: Codebook, lines: list[str] = TEXTS) -> Corpus:
    """A table with an id, a text, a column that nobody may see, and one text twice."""
    rows = [f'r{i},"{text}",secret-{i}' for i, text in enumerate(lines)]
    rows += [f'again,"{lines[0]}",secret', 'blank,"",secret']
    (folder / "texts.csv").write_text("\n".join(["id,text,gold", *rows]), encoding="utf-8")
    table = open_table(folder / "texts.csv")
    return read_corpus(table, Columns(text_columns(book, table, None, None), table.column("id"), None))


def connected(site: Site, folder: Path, book: Codebook) -> Connected:
    return connect.connect(site, book, to_xml(book), corpus(folder, book))


def all_tasks(client: LabelStudio, ls_id: int) -> list[dict[str, Any]]:
    return [task for _, page in client.tasks(ls_id) for task in page]


def rows_of(service: Service, key: str) -> tuple[Project, dict[str, LsProject]]:
    with service.store.reading() as s:
        project = projects.by_key(s, key)
        return project, {row.role: row for row in projects.ls_projects(s, project.id)}


def picture(client: LabelStudio, done: Connected) -> dict[str, Any]:
    """Everything of both projects that a second run must leave alone."""
    found: dict[str, Any] = {"projects": sorted(p["id"] for p in client.projects())}
    for ls_id in (done.assisted, done.audit or 0):
        there = client.project(ls_id)
        found[str(ls_id)] = {
            name: there[name] for name in ("title", "model_version", "sampling", "maximum_annotations")
        }
        found[f"{ls_id} tasks"] = [(t["id"], t["data"], t["predictions"]) for t in all_tasks(client, ls_id)]
        found[f"{ls_id} webhooks"] = [(h["id"], h["url"], h["headers"], h["is_active"]) for h in client.webhooks(ls_id)]
        found[f"{ls_id} backends"] = [(b["id"], b["url"], b["title"], b["state"]) for b in client.backends(ls_id)]
    return found


def test_makes_both_projects(service: Service, client: LabelStudio, book: Codebook, tmp_path: Path) -> None:
    done = connected(service.site(client, "made"), tmp_path, book)
    project, rows = rows_of(service, "made")
    assert done.created == (done.assisted, done.audit)
    assert {role: row.ls_id for role, row in rows.items()} == {"assisted": done.assisted, "audit": done.audit}
    assisted, audit = client.project(done.assisted), client.project(done.audit or 0)
    assert (assisted["sampling"], assisted["show_collab_predictions"]) == ("Uncertainty sampling", True)
    assert (audit["sampling"], audit["show_collab_predictions"], audit["maximum_annotations"]) == (
        "Sequential sampling",
        False,
        2,
    )
    assert audit["title"] == "Moods (audit)"
    (backend,) = client.backends(done.assisted)
    assert client.backends(done.audit or 0) == []
    assert backend["url"] == f"{service.url}/ls/made"
    assert backend["title"] == backend["model_version"] == assisted["model_version"] == done.release
    for row in rows.values():
        (hook,) = client.webhooks(row.ls_id)
        assert hook["url"] == f"{service.url}/ls/made/webhook"
        assert wiring.fits(hook, row.secret_hash)
        assert row.secret_hash not in str(hook)
    blind, shown = all_tasks(client, done.audit or 0), all_tasks(client, done.assisted)
    assert len(blind) == 4
    assert len(blind) + len(shown) == len(TEXTS)
    assert {task["data"]["text"] for task in (*blind, *shown)} == set(TEXTS)
    assert all(task["overlap"] == 2 for task in blind)
    assert all(set(task["data"]) == {"id", "text"} for task in (*blind, *shown))
    order = audit_order(service.store, project)
    with service.store.reading() as s:
        words = texts.bodies(s, order)
        (status,) = counts.status(s, "made")
    assert [task["data"]["text"] for task in blind] == [words[text_id][0] for text_id in order]
    assert status.texts == {"audit": 4, "control": 3, "work": len(TEXTS) - 7}
    assert (status.units, status.tasks) == (len(TEXTS) + 1, {"assisted": len(TEXTS) - 4, "audit": 4})
    assert any(
        "1 rows have no text" in sentence or "1 rows of texts.csv have no text" in sentence for sentence in service.said
    )
    assert any("repeat the text of another row" in sentence for sentence in service.said)


def test_a_second_run_changes_nothing(service: Service, client: LabelStudio, book: Codebook, tmp_path: Path) -> None:
    first = connected(service.site(client, "twice"), tmp_path, book)
    before = picture(client, first)
    again = connected(service.site(client, "twice", seed=None), tmp_path, book)
    assert picture(client, again) == before
    assert again.created == ()
    (tmp_path / "texts.csv").rename(tmp_path / "renamed.csv")
    without = connect.connect(service.site(client, "twice"), None, None, None)
    assert picture(client, without) == before
    with pytest.raises(ConnectError, match="drawn with the seed 7"):
        connected(service.site(client, "twice", seed=8), tmp_path, book)
    other = together(several("offensive"), "twice", "Moods")
    with pytest.raises(ConnectError, match="has another codebook already"):
        connect.connect(service.site(client, "twice"), other, to_xml(other), None)


def test_new_texts_join_and_the_audit_grows_by_what_is_asked(
    service: Service, client: LabelStudio, book: Codebook, tmp_path: Path
) -> None:
    xml = to_xml(book)
    first = connect.connect(service.site(client, "grows"), book, xml, corpus(tmp_path, book, TEXTS[:9]))
    connect.connect(service.site(client, "grows", audit=5), book, xml, corpus(tmp_path, book))
    _, rows = rows_of(service, "grows")
    with service.store.reading() as s:
        (status,) = counts.status(s, "grows")
    assert status.texts["audit"] == 5
    assert len(all_tasks(client, first.audit or 0)) == 5
    assert len(all_tasks(client, first.assisted)) == len(TEXTS) - 5
    assert all(hook["is_active"] for row in rows.values() for hook in client.webhooks(row.ls_id))


def test_an_interruption_leaves_no_task_twice(
    service: Service, client: LabelStudio, book: Codebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_remember", cut)
        with pytest.raises(PowerCut):
            connected(service.site(client, "cut"), tmp_path, book)
    done = connected(service.site(client, "cut"), tmp_path, book)
    there = all_tasks(client, done.assisted) + all_tasks(client, done.audit or 0)
    assert sorted(task["data"]["text"] for task in there) == sorted(TEXTS)
    with monkeypatch.context() as patch:
        patch.setattr("backend.corpus.site.take_in", cut)
        with pytest.raises(PowerCut):
            connected(service.site(client, "cut-early"), tmp_path, book)
    before = len(list(client.projects()))
    connected(service.site(client, "cut-early"), tmp_path, book)
    assert len(list(client.projects())) == before + 1


def half_coded(client: LabelStudio, server: Server, xml: str) -> tuple[int, list[int]]:
    """A project of somebody's: 15 tasks, the last without a text. 0-3 hold suggestions, 3-5 answers, 6 an answer that
    started from a suggestion that is gone, 7 a draft.
    """
    project = client.create_project(title="Half coded", label_config=xml, sampling="Sequential sampling")
    ids = client.import_tasks(project["id"], [{"data": {"text": text, "author": "x"}} for text in TEXTS[:14]])
    ids += client.import_tasks(project["id"], [{"data": {"text": ["no text"], "author": "x"}}])
    client.import_predictions(
        project["id"], [{"task": i, "result": [], "score": 0.5, "model_version": "theirs-1"} for i in ids[:4]]
    )
    region = {"id": "a", "from_name": "humor", "to_name": "text", "type": "choices"}
    with server.http() as http:
        for i in ids[3:6]:
            result = [region | {"value": {"choices": ["humorous"]}, "origin": "manual"}]
            http.post(f"/api/tasks/{i}/annotations/", json={"result": result, "lead_time": 3.0}).raise_for_status()
        result = [region | {"value": {"choices": ["humorous"]}, "origin": "prediction-changed"}]
        http.post(f"/api/tasks/{ids[6]}/annotations/", json={"result": result, "lead_time": 2.0}).raise_for_status()
        http.post(f"/api/tasks/{ids[7]}/drafts", json={"result": result, "lead_time": 1.0}).raise_for_status()
    return project["id"], ids


def test_adopts_a_project_that_is_half_coded(
    service: Service, client: LabelStudio, label_studio: Server, book: Codebook
) -> None:
    ls_id, ids = half_coded(client, label_studio, to_xml(book))
    site = service.site(client, "adopted", audit=9, control=0)
    done = adopt.adopt(site, ls_id, book, keep_audit_tasks=False)
    assert (done.assisted, done.created) == (ls_id, (done.audit,))
    blind = {task["data"]["text"] for task in all_tasks(client, done.audit or 0)}
    left = {task["id"]: task["data"].get("text") for task in all_tasks(client, ls_id)}
    exposed = set(TEXTS[:4]) | {TEXTS[6]}
    assert len(blind) == 9
    assert blind == {*TEXTS[:14]} - exposed, "nine texts were never shown, and all nine are drawn"
    assert {ids[4], ids[5], ids[7]} <= left.keys(), "what somebody has begun stays"
    assert not {ids[8], ids[9], ids[10], ids[11], ids[12], ids[13]} & left.keys(), "untouched originals are gone"
    assert all(task["data"]["author"] == "x" for task in all_tasks(client, done.audit or 0))
    project, rows = rows_of(service, "adopted")
    with service.store.reading() as s:
        found = s.scalars(select(Exposure).where(Exposure.channel == "found")).all()
        live = answers.live(s, project.id)
        (status,) = counts.status(s, "adopted")
    assert len(found) == 5
    assert [answer.phase for answer in live] == ["pilot"] * 4
    assert sorted(answer.origin for answer in live) == ["changed", "human", "human", "human"]
    assert status.texts == {"audit": 9, "work": 5}
    before = picture(client, done)
    assert adopt.adopt(site, ls_id, None, keep_audit_tasks=False).created == ()
    assert picture(client, done) == before
    with pytest.raises(ConnectError, match="belongs to 'adopted' already"):
        adopt.adopt(service.site(client, "other"), ls_id, book, keep_audit_tasks=False)
    with pytest.raises(ConnectError, match="is the audit project of 'adopted'"):
        adopt.adopt(site, rows["audit"].ls_id, None, keep_audit_tasks=False)


def test_a_screen_that_was_changed_in_label_studio_is_followed(
    service: Service, client: LabelStudio, book: Codebook
) -> None:
    there = client.create_project(title="Changed", label_config=to_xml(book))
    client.import_tasks(there["id"], [{"data": {"text": text}} for text in TEXTS[:4]])
    site = service.site(client, "changed", audit=0, control=0)
    first = adopt.adopt(site, there["id"], book, keep_audit_tasks=False)
    client.patch_webhook(client.webhooks(there["id"])[0]["id"], is_active=False)
    client.patch_project(there["id"], label_config=to_xml(book).replace('value="joy"', 'value="delight"'))
    again = adopt.adopt(site, there["id"], None, keep_audit_tasks=False)
    with service.store.reading() as s:
        revision = revisions.current(s, projects.by_key(s, "changed").id)
        assert revision is not None
        (emotion,) = [q for q in revisions.codebook(revision).questions if q.id == "emotion"]
    assert again.release != first.release
    assert (revision.number, "delight" in [label.wording for label in emotion.labels]) == (2, True)
    assert emotion.instruction == book.question("emotion").instruction, "what Label Studio cannot say is kept"


def test_coders_are_not_changed_midway(service: Service, client: LabelStudio, book: Codebook, tmp_path: Path) -> None:
    done = connected(service.site(client, "three", coders=3), tmp_path, book)
    assert client.project(done.audit or 0)["maximum_annotations"] == 3
    assert connected(service.site(client, "three", coders=None), tmp_path, book).created == ()
    with pytest.raises(ConnectError, match="coded by 3 coders a text"):
        connected(service.site(client, "three", coders=2), tmp_path, book)


def test_audit_tasks_can_be_kept(service: Service, client: LabelStudio, label_studio: Server, book: Codebook) -> None:
    ls_id, _ = half_coded(client, label_studio, to_xml(book))
    done = adopt.adopt(service.site(client, "kept"), ls_id, book, keep_audit_tasks=True)
    assert len(all_tasks(client, ls_id)) == 15
    assert len(all_tasks(client, done.audit or 0)) == 4


def test_another_backend_is_not_silently_second(service: Service, client: LabelStudio, book: Codebook) -> None:
    """Label Studio asks only a project's first backend."""
    project = client.create_project(title="Theirs", label_config=to_xml(book))
    with somebody_elses_backend() as url:
        client.create_backend(project["id"], url, "theirs", None)
        with pytest.raises(LabelStudioError, match="already has an ML backend"):
            adopt.adopt(service.site(client, "second", audit=0, control=0), project["id"], book, keep_audit_tasks=False)


def test_a_connection_made_by_hand_is_taken_over(service: Service, client: LabelStudio, book: Codebook) -> None:
    """Its address is the server's root; the project got its key from Label Studio's number."""
    there = client.create_project(title="By hand", label_config=to_xml(book))
    client.create_backend(there["id"], service.url, "mine", None)
    (key,) = [k for k in service.project_keys() if k.startswith(f"ls-{there['id']}-")]
    with pytest.raises(ConnectError, match=f"Use --project {key}"):
        adopt.adopt(service.site(client, "by-hand"), there["id"], book, keep_audit_tasks=False)
    done = adopt.adopt(service.site(client, key, audit=0, control=0), there["id"], book, keep_audit_tasks=False)
    (backend,) = client.backends(there["id"])
    (hook,) = client.webhooks(there["id"])
    assert (backend["url"], backend["title"]) == (f"{service.url}/ls/{key}", done.release)
    assert hook["url"] == f"{service.url}/ls/{key}/webhook"


@contextmanager
def somebody_elses_backend() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b'{"status": "UP", "model_version": "theirs"}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_nothing_is_made_when_the_way_is_blocked(
    service: Service, strict_label_studio: Server, book: Codebook, tmp_path: Path, label_studio: Server
) -> None:
    with strict_label_studio.client(strict_label_studio.personal) as client:
        there = len(list(client.projects()))
        with pytest.raises(BlockedAddressError, match="SSRF_PROTECTION_ENABLED=false and ML_BLOCK_LOCAL_IP=false"):
            connected(service.site(client, "blocked"), tmp_path, book)
        assert len(list(client.projects())) == there
    with label_studio.client() as client:
        there = len(list(client.projects()))
        with pytest.raises(BackendError, match="Nothing answers"):
            connected(service.site(client, "nobody", backend="http://127.0.0.1:9"), tmp_path, book)
        assert len(list(client.projects())) == there
