"""Neither the log nor an error repeats a text, a token, a password or a person's address."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.backend.api.conftest import SECRET, Opener, Site
from tests.payloads import CONFIG, EMAIL, NAME, PASSWORD, TOKEN, annotation, created, project, task

TEXT = "planted-text that only the store may hold"
QUERY = "planted-query-token"
PLANTED = (TEXT, TOKEN, PASSWORD, EMAIL, SECRET, QUERY, "planted")
Call = tuple[str, str, Any, dict[str, str]]

SETUP = {"project": NAME, "schema": CONFIG, "hostname": f"http://{TOKEN}:8080", "access_token": TOKEN}
PREDICT = {"tasks": [task(1, TEXT)], "project": NAME, "params": {"login": TOKEN, "password": PASSWORD}}
CALLS: list[Call] = [
    ("POST", "/setup", SETUP, {}),
    ("POST", "/setup", SETUP | {"schema": f"<View><Text name='{TEXT}'"}, {}),
    ("POST", "/setup", SETUP | {"project": TOKEN}, {}),
    ("POST", "/predict", PREDICT, {}),
    ("POST", "/predict", PREDICT | {"tasks": TEXT}, {}),
    ("POST", "/webhook", created(annotation(1, 1), TEXT), {"X-Socialite-Secret": SECRET}),
    ("POST", "/webhook", created(annotation(1, 1), TEXT), {"X-Socialite-Secret": TOKEN}),
    ("POST", "/webhook", {"action": TEXT, "project": project()}, {"X-Socialite-Secret": SECRET}),
    ("POST", "/webhook", [TEXT], {}),
    ("POST", f"/ls/{TOKEN}/predict", PREDICT, {}),
    ("GET", f"/ls/{TOKEN}/health", None, {}),
    ("GET", "/versions", None, {}),
    ("GET", f"/status?project={QUERY}&token={TOKEN}", None, {}),
    ("GET", f"/{TOKEN}?token={QUERY}", None, {}),
    ("GET", "/health", None, {"Host": f"{TOKEN}.example.org"}),
    ("POST", "/predict", PREDICT, {"Origin": f"http://{TOKEN}"}),
    ("GET", "/health", None, {"Authorization": f"Basic {TOKEN}"}),
]


BROKEN = [
    "backend.corpus.annotation.fact",
    "backend.assist.ledger.find_texts",
    "backend.assist.catalogue.Catalogue.state",
    "db.releases.names",
    "db.store.Store.inbox",
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1].split('?')[0].replace(TOKEN, 'x')}")
@pytest.mark.parametrize("closed", [False, True])
def test_no_call_leaks(open_site: Opener, caplog: pytest.LogCaptureFixture, call: Call, closed: bool) -> None:
    caplog.set_level(logging.DEBUG)
    site = open_site(**({"basic_user": "ls", "basic_password": PASSWORD, "token": TOKEN} if closed else {}))
    site.connect(secret=SECRET)
    method, path, body, headers = call
    answer = site.client.request(method, path, json=body, headers=headers)
    site.work()
    check(caplog, answer.text if answer.status_code >= 400 else "")


@pytest.mark.parametrize("broken", BROKEN)
def test_no_fault_leaks(
    open_site: Opener, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    caplog.set_level(logging.DEBUG)
    site = open_site(predict_deadline=1)
    site.connect()
    site.client.get("/health")

    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"a message with {TEXT} and {TOKEN}")

    monkeypatch.setattr(broken, fail)
    for method, path, body, headers in CALLS:
        answer = site.client.request(method, path, json=body, headers=headers)
        check(caplog, answer.text if answer.status_code >= 400 else "")
    site.work()
    assert "ValueError" in caplog.text
    check(caplog, "")


def check(caplog: pytest.LogCaptureFixture, error: str) -> None:
    """Nothing planted is in the log or in this error; the test client's own lines are not the product's."""
    own = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))]
    said = "\n".join(caplog.handler.format(record) for record in own) + error
    for planted in PLANTED:
        assert planted not in said
        assert json.dumps(planted)[1:-1] not in said


def test_an_answer_never_has_a_traceback(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.connect()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(TEXT)

    monkeypatch.setattr("db.counts.status", fail)
    answer = site.client.get("/status")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "The server could not do this; what you sent was not the reason.",
        "what_to_do": "Look at the server's log, which says where it failed, and report it.",
    }
