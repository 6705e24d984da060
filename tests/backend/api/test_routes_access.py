"""Who may call what, over HTTP: every route, with and without credentials, from here and from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.api.conftest import BASIC, PASSWORD, SECRET, USER, Opener, Site
from tests.payloads import NAME, annotation, created, project, task

CREDENTIALS: dict[str, Any] = {"basic_user": USER, "basic_password": PASSWORD}
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/health", None),
    ("POST", "/setup", {"project": NAME, "schema": None}),
    ("POST", "/predict", {"tasks": [task(1)], "project": NAME}),
    ("GET", "/versions", None),
]
SECRET_HEADER = {"X-Socialite-Secret": SECRET}
EVENT = created(annotation(1, 10))
TRAINING = {"action": "START_TRAINING", "project": project()}


def ask(site: Site, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
    """The status of an answer, which is JSON, and a sentence and what to do when it is an error."""
    answer = site.client.request(method, path, json=body, headers=headers or {})
    said = answer.json()
    if answer.status_code >= 400:
        assert set(said) == {"error", "what_to_do"}
        assert all(isinstance(x, str) and x.endswith(".") for x in said.values())
    return answer.status_code


@pytest.mark.parametrize("base", ["", "/ls/tones"])
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_label_studio(open_site: Opener, base: str, method: str, path: str, body: Any) -> None:
    path = base + path
    here, elsewhere = open_site(), open_site(client="10.0.0.3")
    closed, closed_elsewhere = open_site(**CREDENTIALS), open_site(client="10.0.0.3", **CREDENTIALS)
    for site in (here, elsewhere, closed, closed_elsewhere):
        site.connect()
    assert ask(here, method, path, body) == 200
    assert ask(elsewhere, method, path, body) == 403
    for site in (closed, closed_elsewhere):
        assert ask(site, method, path, body) == 401
        assert ask(site, method, path, body, {"Authorization": "Basic bWw6d3Jvbmc="}) == 401
        assert ask(site, method, path, body, SECRET_HEADER) == 401
        assert ask(site, method, path, body, BASIC) == 200


@pytest.mark.parametrize("path", ["/webhook", "/ls/tones/webhook"])
def test_webhook_of_a_project_with_a_secret(open_site: Opener, path: str) -> None:
    site = open_site()
    site.connect(secret=SECRET)
    assert ask(site, "POST", path, EVENT) == 401
    assert ask(site, "POST", path, EVENT, {"X-Socialite-Secret": "wrong"}) == 401
    assert ask(site, "POST", path, {"action": "ANNOTATION_CREATED"}) == 401
    assert site.inbox() == []
    assert ask(site, "POST", path, EVENT, SECRET_HEADER) == 202
    assert ask(site, "POST", path, {"action": "ANNOTATION_CREATED"}, SECRET_HEADER) == 202
    assert ask(site, "POST", path, TRAINING) == 202  # it comes directly, without the header
    assert [row.kind for row in site.inbox()] == ["ANNOTATION_CREATED", "WITHOUT_PAYLOAD", "START_TRAINING"]


@pytest.mark.parametrize("path", ["/webhook", "/ls/tones/webhook"])
def test_webhook_where_credentials_are_set(open_site: Opener, path: str) -> None:
    site = open_site(client="10.0.0.3", **CREDENTIALS)
    site.connect(secret=SECRET)
    assert ask(site, "POST", path, EVENT) == 401
    assert ask(site, "POST", path, TRAINING) == 401
    assert ask(site, "POST", path, EVENT, {"X-Socialite-Secret": "wrong"}) == 401
    assert ask(site, "POST", path, EVENT, SECRET_HEADER) == 202
    assert ask(site, "POST", path, TRAINING, BASIC) == 202
    assert ask(site, "POST", path, created(annotation(2, 10)), BASIC) == 202
    assert len(site.inbox()) == 3


def test_webhook_of_a_project_without_a_secret(open_site: Opener) -> None:
    here, elsewhere, closed = open_site(), open_site(client="10.0.0.3"), open_site(**CREDENTIALS)
    for site, expected in ((here, 202), (elsewhere, 403), (closed, 401)):
        site.connect()
        assert ask(site, "POST", "/webhook", EVENT) == expected
        assert ask(site, "POST", "/webhook", EVENT, SECRET_HEADER) == expected
    assert ask(closed, "POST", "/webhook", EVENT, BASIC) == 202


def test_a_secret_that_was_just_installed_is_known(site: Site) -> None:
    site.connect(secret="an older one")
    assert ask(site, "POST", "/webhook", EVENT, {"X-Socialite-Secret": "an older one"}) == 202
    site.connect(secret=SECRET)
    assert ask(site, "POST", "/webhook", created(annotation(2, 10)), SECRET_HEADER) == 202


def test_one_project_s_secret_does_not_open_another(site: Site) -> None:
    site.connect(secret=SECRET)
    site.connect("other", secret="another", identity=(8, 1795384072))
    assert ask(site, "POST", "/webhook", EVENT, {"X-Socialite-Secret": "another"}) == 401
    assert ask(site, "POST", "/ls/other/webhook", EVENT, {"X-Socialite-Secret": "another"}) == 409
    assert ask(site, "POST", "/webhook", {"action": "ANNOTATION_CREATED"}, {"X-Socialite-Secret": "another"}) == 202
    [row] = site.inbox()
    assert row.project_id == 2


def test_a_stranger_cannot_add_a_project_past_the_secrets(site: Site) -> None:
    site.connect(secret=SECRET)
    foreign = EVENT | {"project": project(id=99)}
    assert ask(site, "POST", "/webhook", foreign) == 401
    assert ask(site, "POST", "/ls/tones/webhook", foreign) == 401
    assert ask(site, "POST", "/ls/tones/webhook", foreign, SECRET_HEADER) == 202


STATUS = "/status?project=tones"


def test_people_on_this_machine_need_no_token(open_site: Opener) -> None:
    for given in ({}, {"token": "people"}, CREDENTIALS):
        site = open_site(**given)
        site.connect()
        assert ask(site, "GET", STATUS) == 200
        [status] = site.client.get("/status").json()["projects"]
        assert (status["key"], status["inbox_waiting"]) == ("tones", 0)
        assert ask(site, "GET", "/status?project=none") == 404


@pytest.mark.parametrize(
    ("client", "host", "headers"),
    [
        ("10.0.0.3", "127.0.0.1", {}),
        ("127.0.0.1", "our.example.org", {}),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "10.0.0.3"}),
    ],
)
def test_people_elsewhere_need_the_token(open_site: Opener, client: str, host: str, headers: dict[str, str]) -> None:
    without = open_site(client=client, host=host, allowed_hosts="our.example.org")
    assert ask(without, "GET", "/status", None, headers) == 403
    site = open_site(client=client, host=host, allowed_hosts="our.example.org", token="people", **CREDENTIALS)
    assert ask(site, "GET", "/status", None, headers) == 401
    assert ask(site, "GET", "/status", None, headers | {"Authorization": "Bearer wrong"}) == 401
    assert ask(site, "GET", "/status", None, headers | BASIC) == 401
    assert ask(site, "GET", "/status", None, headers | {"Cookie": "socialite=people"}) == 401
    assert ask(site, "GET", "/status", None, headers | {"Authorization": "Bearer people"}) == 200


def test_the_token_moves_from_the_address_to_a_cookie(open_site: Opener) -> None:
    site = open_site(client="10.0.0.3", token="people tok&en", **CREDENTIALS)
    wrong = site.client.get("/status", params={"token": "wrong"})
    assert wrong.status_code == 401
    moved = site.client.get("/status", params={"token": "people tok&en", "a": "b"}, follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (303, "/status?a=b")
    cookie = moved.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "people" not in cookie
    assert site.client.get("/status").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/status", "/nowhere"])
def test_a_rebound_name_is_refused(site: Site, path: str) -> None:
    assert ask(site, "GET", path, None, {"Host": "evil.example.org"}) == 421


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_page_of_another_site_cannot_post(site: Site, headers: dict[str, str]) -> None:
    site.connect()
    for path in ("/webhook", "/predict", "/setup"):
        assert ask(site, "POST", path, EVENT, headers) == 403
    assert site.inbox() == []


def test_body_limit(open_site: Opener) -> None:
    site = open_site(body_limit=2000)
    site.connect()
    long = {"tasks": [task(n, "x" * 100) for n in range(30)], "project": NAME}
    assert ask(site, "POST", "/predict", long) == 413
    answer = site.client.post("/predict", content=(b"[" for _ in range(3000)))  # chunked: no length is given
    assert answer.status_code == 413
    assert answer.json()["error"] == "The request is larger than 0.00191 MiB."
    assert ask(site, "POST", "/predict", {"tasks": [], "project": NAME}) == 200
