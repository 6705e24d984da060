"""The outermost layer: whatever goes wrong below it becomes a JSON sentence, and the log says where, not with what."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.access import Access
from backend.api.errors import BadRequest, Refusal, TooLarge, error, http_error
from backend.faults import where

log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware: checks host and page, limits the body, answers every error."""

    def __init__(self, app: ASGIApp, access: Access, body_limit: int) -> None:
        self.app, self.access, self.body_limit = app, access, body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, _limited(receive, self.body_limit), sent)
        except Refusal as refusal:
            answer = refusal.answer()
        except HTTPException as refusal:
            answer = http_error(refusal.status_code)
        except Exception as fault:  # noqa: BLE001 - the last resort
            log.error("%s %s failed: %s", scope.get("method"), _route(scope), where(fault))
            answer = error(
                500,
                "The server could not do this; what you sent was not the reason.",
                "Look at the server's log, which says where it failed, and report it.",
            )
        else:
            return
        if not started:
            await answer(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        if scope["type"] != "http":
            raise BadRequest("This server speaks HTTP only.", "Use http:// in the address.")
        headers = dict(scope["headers"])
        self.access.check_host(scope["headers"])
        self.access.check_page(scope["method"], headers)
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self.body_limit:
            raise too_large(self.body_limit)


def too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The request is larger than {limit / 2**20:.3g} MiB.",
        "Send fewer tasks at a time, or raise SOCIALITE_BODY_LIMIT (in bytes).",
        headers={"connection": "close"},
    )


async def json_body(receive: Receive) -> Any:
    """The request's body as JSON. Half characters become '?', NaN becomes null; BadRequest when it is no JSON."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The request broke off.", "Send it again.")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return parsed(b"".join(parts))


def parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _leniently(body)


def _leniently(body: bytes) -> Any:
    import json

    try:
        value = json.loads(body, parse_constant=lambda _: None)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadRequest("The request's body is not JSON.", "Send JSON, as Label Studio does.") from None


def _limited(receive: Receive, limit: int) -> Receive:
    """Counts what comes in, so that a body without a length has the same limit."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large(limit)
        return message

    return counted


def _route(scope: Scope) -> str:
    """The last part of the path when it is one of ours: a path may hold anything."""
    last = scope.get("path", "").rstrip("/").rpartition("/")[2]
    ours = ("health", "setup", "predict", "webhook", "versions", "status", "report")
    return last if last in ours else "a request"
