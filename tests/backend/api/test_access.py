"""Names, pages, credentials: the pure rules. How they act on the routes is in test_routes_access.py."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.access import (
    Access,
    BindingError,
    check_binding,
    from_here,
    host_name,
    is_direct,
    is_loopback,
    matches,
)
from backend.api.errors import Refusal
from backend.settings import load


def access(**given: Any) -> Access:
    return Access.of(load(**given))


def basic(user: str, password: str, encoding: str = "utf-8") -> dict[bytes, bytes]:
    return {b"authorization": b"Basic " + base64.b64encode(f"{user}:{password}".encode(encoding))}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "LOCALHOST"])
def test_loopback_needs_no_credentials(host: str) -> None:
    check_binding(load(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "", "annotation.example.org"])
def test_another_address_needs_credentials(host: str) -> None:
    with pytest.raises(BindingError, match="SOCIALITE_BASIC_USER"):
        check_binding(load(host=host))
    check_binding(load(host=host, basic_user="ls", basic_password="secret"))


@pytest.mark.parametrize(("user", "password"), [("ls", "secret"), ("jürgen", "pässwörd"), ("ml", "密碼"), ("a", "b:c")])
def test_basic_in_the_encodings_that_clients_use(user: str, password: str) -> None:
    rules = access(basic_user=user, basic_password=password)
    assert rules.has_basic(basic(user, password))
    if password.isascii() or "密" not in password:
        assert rules.has_basic(basic(user, password, "latin-1"))
    assert not rules.has_basic(basic(user, password + "x"))
    assert not rules.has_basic(basic(user + "x", password))


@pytest.mark.parametrize(
    "header", [b"", b"Basic", b"Basic !!!", b"Bearer eA==", b"Basic " + b"\xff" * 5, b"Basic bWw6"]
)
def test_malformed_basic_is_refused(header: bytes) -> None:
    assert not access(basic_user="ml", basic_password="pass").has_basic({b"authorization": header})


@given(st.binary(max_size=40))
def test_any_authorization_is_refused_without_a_crash(header: bytes) -> None:
    assert not access(basic_user="ml", basic_password="a long password").has_basic({b"authorization": header})


@pytest.mark.parametrize(
    ("host", "ok"),
    [
        (b"127.0.0.1:9090", True),
        (b"localhost", True),
        (b"LocalHost.:9090", True),
        (b"[::1]:9090", True),
        (b"192.168.1.5:9090", True),  # an address cannot be rebound
        (b"our.example.org", True),
        (b"OUR.example.org:80", True),
        (b"evil.example.org", False),
        (b"127.0.0.1.evil.example.org", False),
        (b"localhost.evil.example.org", False),
        (b"", False),
        (b"[::1", False),
        (b"\xff", False),
        (b"user@evil.example.org", False),
    ],
)
def test_names_that_the_server_answers_to(host: bytes, ok: bool) -> None:
    rules = access(allowed_hosts="our.example.org")
    if ok:
        rules.check_host([(b"host", host)])
    else:
        with pytest.raises(Refusal):
            rules.check_host([(b"host", host)])


def test_no_host_or_two_are_refused() -> None:
    for headers in ([], [(b"host", b"localhost"), (b"host", b"localhost")]):
        with pytest.raises(Refusal):
            access().check_host(headers)


@pytest.mark.parametrize(
    ("method", "headers", "ok"),
    [
        ("POST", {}, True),  # Label Studio, curl
        ("POST", {b"origin": b"http://localhost:9090"}, True),
        ("POST", {b"origin": b"http://localhost:8080"}, False),
        ("POST", {b"origin": b"https://evil.example.org"}, False),
        ("POST", {b"origin": b"null"}, False),
        ("POST", {b"sec-fetch-site": b"cross-site"}, False),
        ("POST", {b"sec-fetch-site": b"same-site"}, False),
        ("POST", {b"sec-fetch-site": b"same-origin"}, True),
        ("POST", {b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate"}, False),  # a form
        ("GET", {b"sec-fetch-site": b"cross-site"}, False),
        ("GET", {b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate"}, True),  # a link
        ("GET", {b"sec-fetch-site": b"none"}, True),
    ],
)
def test_pages_of_other_sites(method: str, headers: dict[bytes, bytes], ok: bool) -> None:
    headers = headers | {b"host": b"localhost:9090"}
    if ok:
        access().check_page(method, headers)
    else:
        with pytest.raises(Refusal):
            access().check_page(method, headers)


def test_secret_of_a_webhook() -> None:
    right = sha256("geheim€".encode()).hexdigest()
    assert matches("geheim€".encode(), right)
    assert matches("geheim€".encode(), right.upper())
    assert not matches(b"other", right)
    assert not matches(None, right)
    assert not matches(b"geheim", None)


def scope(client: str | None) -> dict[str, Any]:
    return {"client": (client, 1234) if client else None}


def test_where_a_request_comes_from() -> None:
    assert from_here(scope("127.0.0.1"))
    assert from_here(scope("::1"))
    assert not from_here(scope("10.0.0.3"))
    assert not from_here(scope(None))
    assert is_direct(scope("127.0.0.1"), {b"host": b"localhost:9090"})
    assert not is_direct(scope("127.0.0.1"), {b"host": b"our.example.org"})  # a proxy that keeps the name
    assert not is_direct(scope("127.0.0.1"), {b"host": b"localhost", b"x-forwarded-for": b"10.0.0.3"})
    assert is_loopback("[::1]")
    assert host_name(b"a:99999999") in ("", "a")


def test_a_token_in_the_cookie_is_not_the_token() -> None:
    rules = access(token="people")
    assert rules.is_token(b"people")
    assert not rules.is_token(b"peopl")
    assert "people" not in rules.pass_for_cookie()
    assert not access().is_token(b"")
