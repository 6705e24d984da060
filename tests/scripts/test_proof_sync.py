"""The proof of sync can fail: an answer that is altered is found; and its proxy loses what it says it loses."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.corpus import event
from backend.corpus.inbox import apply
from db import inbox, projects
from db.store import Store, open_store, sqlite_url
from scripts.proof_sync import texts
from scripts.sync.comparing import Said, differences, expected_lines, exported, stored, table_lines
from scripts.sync.proxy import Proxy
from tests.payloads import annotation, choice, created

HARSH = annotation(12, 2, [choice("Harsh"), choice("Food", "topics")], completed_by=4)
SKIPPED = annotation(13, 2, [], was_cancelled=True, completed_by=5)
TASKS = [{"id": 1, "annotations": [annotation(11, 1)]}, {"id": 2, "annotations": [HARSH, SKIPPED]}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """What Label Studio holds in `TASKS`, as events brought it."""
    opened = open_store(sqlite_url(tmp_path))
    with opened.writing() as s:
        project = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
        row = projects.add_ls_project(s, project.id, projects.server(s, "http://ls").id, 7, 1795384072, "assisted")
    for one in exported_annotations():
        body = created(one)
        with opened.inbox() as s:
            inbox.append(s, event.cut(s, project.id, row.id, body["action"], body))
        with opened.writing() as s:
            for waiting in inbox.pending(s, 10):
                apply(s, waiting)
    yield opened
    opened.close()


def exported_annotations() -> list[dict[str, Any]]:
    return [one for task in TASKS for one in task["annotations"]]  # type: ignore[attr-defined]


def test_the_same_is_the_same(store: Store) -> None:
    theirs = exported(TASKS)
    assert len(theirs) == 3
    assert theirs[12].labels == (("tone", ("Harsh",)), ("topics", ("Food",)))
    assert differences(theirs, stored(store, "tones")) == []


@pytest.mark.parametrize(
    "change",
    [
        {"labels": (("tone", ("Kind",)), ("topics", ("Food",)))},
        {"coder": 3},
        {"task": 1},
        {"cancelled": True},
        {"ground_truth": True},
        {"updated_at": exported(TASKS)[12].updated_at + timedelta(microseconds=1)},
    ],
)
def test_one_altered_answer_is_found(store: Store, change: dict[str, Any]) -> None:
    theirs = exported(TASKS)
    theirs[12] = replace(theirs[12], **change)
    (line,) = differences(theirs, stored(store, "tones"))
    assert line.startswith(f"Annotation 12: {next(iter(change))} is ")


def test_one_too_many_and_one_too_few_are_found(store: Store) -> None:
    ours = stored(store, "tones")
    fewer: dict[int, Said] = {number: said for number, said in ours.items() if number != 11}
    assert differences(ours, fewer) == ["Annotation 11 is in Label Studio, and not in the store."]
    assert differences(fewer, ours) == ["Annotation 11 is in the store, and not in Label Studio."]


def test_an_altered_table_is_found(store: Store, tmp_path: Path) -> None:
    columns = ("id", "question", "coder", "label", "skipped", "updated_at")
    expected = expected_lines(store, "tones", ["tone"])
    assert expected.total() == 3
    for label, wrong in (("Harsh", 0), ("Kind", 2)):
        with (tmp_path / "answers.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            for row, question, who, said, skipped, time in expected:
                told = label if said == "Harsh" else said
                rows.writerow([row, question, who, told, int(skipped), time.isoformat()])
            rows.writerow(["t9", "", "", "", "", ""])  # nobody answered
        found = table_lines(tmp_path / "answers.csv")
        assert (expected - found).total() + (found - expected).total() == wrong


class Backend(BaseHTTPRequestHandler):
    """Counts the bodies it is sent."""

    seen: list[bytes]

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def seen() -> Iterator[list[bytes]]:
    """What the proxy's target has been sent; its port comes first."""
    got: list[bytes] = []
    server = HTTPServer(("127.0.0.1", 0), type("Counting", (Backend,), {"seen": got}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    got.append(str(server.server_port).encode())
    yield got
    server.shutdown()
    server.server_close()


def test_the_proxy_drops_and_doubles_webhooks_and_nothing_else(seen: list[bytes]) -> None:
    proxy = Proxy(int(seen.pop()), 1, drop=0.2, double=0.2)
    proxy.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", trust_env=False) as http:
        for n in range(100):
            assert http.post("/ls/tones/webhook", content=str(n)).status_code == 202
        before = len(seen)
        late = proxy.deliver_late()
        assert http.post("/ls/tones/setup", content="setup").status_code == 202
    proxy.stop()
    counts = proxy.counts
    assert counts["sent"] == 100
    assert 5 < counts["dropped"] < 40
    assert 5 < counts["doubled"] < 40
    assert len(seen) == 100 - counts["dropped"] + counts["doubled"] + 1
    assert before == len(seen) - late - 1
    assert len(set(seen)) == 100 - counts["dropped"] + 1
    assert 0 < late < counts["doubled"]


def test_a_proxy_without_a_backend_says_so() -> None:
    proxy = Proxy(1, 0, drop=0, double=0)
    proxy.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", trust_env=False) as http:
        assert http.post("/ls/tones/webhook", content="{}").status_code == 502
        assert http.get("/health").status_code == 502
    proxy.stop()
    assert proxy.counts == {"sent": 1, "unreachable": 1}


def test_no_two_texts_are_alike() -> None:
    rows = texts(500, 0)
    assert len({text for _, text in rows}) == len({name for name, _ in rows}) == 500
    assert rows != texts(500, 1)
