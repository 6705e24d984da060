"""What a caller is told when a request is refused: a sentence, and what to do. Never a traceback, a text or a token."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that is answered with an error."""

    status = 400

    def __init__(self, sentence: str, what_to_do: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.what_to_do, self.headers = sentence, what_to_do, headers

    def answer(self) -> Response:
        return error(self.status, self.sentence, self.what_to_do, self.headers)


class BadRequest(Refusal):
    status = 400


class NotAllowed(Refusal):
    """Nobody, or somebody unknown, asked."""

    status = 401


class Forbidden(Refusal):
    status = 403


class NotFound(Refusal):
    status = 404


class Conflict(Refusal):
    status = 409


class TooLarge(Refusal):
    status = 413


class WrongHost(Refusal):
    status = 421


class Unavailable(Refusal):
    status = 503


class Json(Response):
    """An answer in JSON that nobody may keep."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)

    def __init__(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        kept = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
        super().__init__(content, status, kept)


def error(status: int, sentence: str, what_to_do: str, headers: dict[str, str] | None = None) -> Json:
    return Json({"error": sentence, "what_to_do": what_to_do}, status, headers)


def http_error(status: int) -> Json:
    """What is answered where no route takes a request."""
    if status == 405:
        return error(405, "This address is not called that way.", "Use GET to read, POST for what Label Studio sends.")
    return error(
        status,
        "There is nothing at this address.",
        "Label Studio needs http://host:port/ls/ and a project's key; people read /status and /projects/KEY/report.",
    )
