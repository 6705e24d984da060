"""Who may call: refused names and pages, Basic for Label Studio, a secret for its webhook, a token for people."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from backend.api.errors import BadRequest, Forbidden, NotAllowed, WrongHost
from backend.settings import Settings

Scope = Any  # an ASGI scope: a dict that servers make
SECRET_HEADER = b"x-socialite-secret"
COOKIE = "socialite"
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BindingError(Exception):
    """The server may not listen on this address as it is set up; the message says what to set."""


def check_binding(settings: Settings) -> None:
    """BindingError when the address can be reached from other machines and no credentials are set."""
    if is_loopback(settings.host) or settings.basic_user:
        return
    raise BindingError(
        f"Other machines can reach {settings.host or 'this address'}, so Label Studio must prove who it is: "
        "set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD (and SOCIALITE_TOKEN for people's pages), "
        "or listen on 127.0.0.1."
    )


@dataclass(frozen=True, slots=True)
class Access:
    """The rules in force. Digests, never the secrets themselves."""

    basic: tuple[bytes, ...]  # of user:password, in the encodings that clients use; empty: not asked for
    token: bytes | None
    names: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> Access:
        pair = f"{settings.basic_user}:{settings.basic_password.get_secret_value()}"
        basic = tuple(dict.fromkeys(map(_digest, _encodings(pair)))) if settings.basic_user else ()
        token = settings.token.get_secret_value()
        names = {settings.host.lower(), *settings.allowed_hosts} - {"", "0.0.0.0", "::"}  # noqa: S104
        return cls(basic, _digest(token.encode()) if token else None, LOOPBACK_NAMES | names)

    def check_host(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Refuse a name that is not this server's: a page that rebinds its own name to us still goes by it."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1:
            raise BadRequest("The request names no host, or several.", "Send one Host header.")
        name = host_name(hosts[0])
        if not name or (name not in self.names and not _is_address(name)):
            raise WrongHost(
                "This server does not answer to the name it was called by.",
                "Call it by 127.0.0.1 or localhost, or add the name to SOCIALITE_ALLOWED_HOSTS and start again.",
            )

    def check_page(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Refuse what another site's page sends: it acts with the reader's rights, not with its own."""
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        foreign = site not in (None, b"same-origin", b"none") or (
            origin is not None and not _same_origin(origin, headers.get(b"host", b""))
        )
        if foreign and not (method in SAFE and headers.get(b"sec-fetch-mode") == b"navigate"):
            raise Forbidden(
                "A page of another site made this request.", "Open this server's own address in the browser instead."
            )

    def has_basic(self, headers: dict[bytes, bytes]) -> bool:
        """True when Label Studio's credentials came along and are right; False also when none are asked for."""
        scheme, _, encoded = headers.get(b"authorization", b"").partition(b" ")
        if not self.basic or scheme.lower() != b"basic":
            return False
        try:
            came = _digest(base64.b64decode(encoded.strip(), validate=True))
        except binascii.Error:
            return False
        return max(hmac.compare_digest(came, right) for right in self.basic)

    def require_label_studio(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Let Label Studio in: by its credentials where they are set, else from this machine only."""
        if self.basic:
            if not self.has_basic(headers):
                raise no_basic()
        elif not from_here(scope):
            raise Forbidden(
                "This server has no credentials set, so it answers this machine only.",
                "Set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD here, and the same in Label Studio.",
            )

    def require_person(self, scope: Scope, headers: dict[bytes, bytes], cookie: str | None) -> None:
        """Let a person in: from this machine directly, else by the token."""
        if is_direct(scope, headers):
            return
        if self.token is None:
            raise Forbidden(
                "People's pages are open to this machine only.",
                "Set SOCIALITE_TOKEN on the server to read them elsewhere.",
            )
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer" and self.is_token(token.strip()):
            return
        if cookie and hmac.compare_digest(cookie.encode(), self.pass_for_cookie().encode()):
            return
        raise NotAllowed(
            "This page needs the token.",
            "Open it once with ?token=... behind its address, or send 'Authorization: Bearer ...'.",
            headers={"www-authenticate": 'Bearer realm="socialite"'},
        )

    def is_token(self, token: bytes) -> bool:
        return self.token is not None and hmac.compare_digest(_digest(token), self.token)

    def pass_for_cookie(self) -> str:
        """What a browser keeps instead of the token itself."""
        return sha256(b"socialite cookie\0" + (self.token or b"")).hexdigest()


def no_basic() -> NotAllowed:
    return NotAllowed(
        "The user name and password are missing or wrong.",
        "In Label Studio, open Settings > Model, edit the model, choose Basic authentication and give the user and "
        "password that this server was started with.",
        headers={"www-authenticate": 'Basic realm="socialite", charset="UTF-8"'},
    )


def matches(secret: bytes | None, secret_hash: str | None) -> bool:
    """Whether this secret is the one whose sha256 (hex) is stored."""
    if secret is None or secret_hash is None:
        return False
    return hmac.compare_digest(sha256(secret).hexdigest().encode(), secret_hash.lower().encode())


@lru_cache(maxsize=64)
def host_name(value: bytes) -> str:
    """The name in a Host header, without the port, lower case; '' when it cannot be read."""
    try:
        return (urlsplit(f"//{value.decode('ascii')}").hostname or "").rstrip(".")
    except (UnicodeDecodeError, ValueError):
        return ""


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether an address, or a name for it, is this machine's own."""
    if host.lower().strip("[]") in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def from_here(scope: Scope) -> bool:
    """Whether the connection was made on this machine."""
    client = scope.get("client")
    return bool(client) and is_loopback(client[0])


def is_direct(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether the caller sits at this machine: a proxy on it speaks for others, and shows it."""
    if not from_here(scope) or any(name in headers for name in FORWARDED):
        return False
    return is_loopback(host_name(headers.get(b"host", b"")))


def _same_origin(origin: bytes, host: bytes) -> bool:
    scheme, _, rest = origin.lower().partition(b"://")
    return scheme in (b"http", b"https") and rest == host.lower()


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _encodings(text: str) -> list[bytes]:
    """Label Studio's HTTP library sends Latin-1 where it can; others UTF-8."""
    try:
        return [text.encode(), text.encode("latin-1")]
    except UnicodeEncodeError:
        return [text.encode()]


def _digest(value: bytes) -> bytes:
    return sha256(value).digest()
