"""What people read: how far the projects are, and what was found."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from backend.api.accept import preferred
from backend.api.access import COOKIE, Access
from backend.api.errors import BadRequest, Conflict, Json, NotFound, Unavailable
from backend.findings.build import build
from backend.findings.facts import PRODUCTION, FindingsError
from backend.learning.rule import RuleError
from backend.reports.board import board, busy
from backend.reports.formats import FORMATS, Format
from db import counts
from db.base import now
from db.store import ProjectNotFoundError, Store

FRESH = 1.0  # seconds that the page's numbers may be old, and five times what it takes to read them
AGAIN = 10  # seconds after which a page is read anew while a job runs
WAITING = 4  # askers for a report who may wait for another's
MEDIA = {one.media: name for name, one in FORMATS.items()}
PAGE = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "vary": "accept",
}


class Numbers:
    """All projects' numbers, the archived ones' too, read once for all who ask within a moment."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._found: list[counts.ProjectStatus] = []
        self._until = 0.0

    def __call__(self) -> list[counts.ProjectStatus]:
        with self._lock:
            if time.monotonic() >= self._until:
                began = time.monotonic()
                with self._store.reading() as s:
                    self._found = counts.status(s, archived=True)
                ended = time.monotonic()
                self._until = ended + max(FRESH, 5 * (ended - began))
            return self._found


def router(store: Store, access: Access) -> APIRouter:
    """The routes for people; `?token=...` is taken out of the address and into a cookie."""
    routes = APIRouter()
    numbers = Numbers(store)
    seats, turn = asyncio.Semaphore(1 + WAITING), asyncio.Lock()  # a report takes seconds of a processor

    @routes.api_route("/", methods=["GET", "HEAD"])
    def page(request: Request, refresh: str = "") -> Response:
        """The status page; for who would rather have JSON, as /status. Label Studio, which proves who it is and never
        asks this, is told that the server is there.
        """
        headers = dict(request.scope["headers"])
        if access.has_basic(headers):
            return Json({"status": "UP", "model_class": "socialite"})
        if (moved := _token_to_cookie(request, access)) is not None:
            return moved
        access.require_person(request.scope, headers, request.cookies.get(COOKIE))
        found = numbers()
        if preferred(request.headers.get("accept", ""), ["application/json", "text/html"]) != "text/html":
            in_use = [one for one in found if one.archived_at is None]
            return Json({"projects": in_use}, headers={"vary": "accept"})
        again = AGAIN if busy(found) and refresh != "no" else None
        timed = {"refresh": str(again)} if again else {}
        return Response(board(found, now(), again=again), media_type="text/html", headers=PAGE | timed)

    @routes.get("/status")
    def status(request: Request, project: str | None = None, archived: bool = False) -> Response:
        """Each project's numbers, or those of one."""
        if (moved := _token_to_cookie(request, access)) is not None:
            return moved
        access.require_person(request.scope, dict(request.scope["headers"]), request.cookies.get(COOKIE))
        try:
            with store.reading() as s:
                return Json({"projects": counts.status(s, project, archived=archived)})
        except ProjectNotFoundError:
            raise _unknown() from None

    @routes.get("/projects/{key}/report")
    async def report(
        request: Request,
        key: str,
        phase: str = PRODUCTION,
        by: list[str] = Query(default=[]),
        name: str | None = Query(default=None, alias="format"),
    ) -> Response:
        """The report of a project, in the format that the address or else the header Accept asks for."""
        if (moved := _token_to_cookie(request, access)) is not None:
            return moved
        access.require_person(request.scope, dict(request.scope["headers"]), request.cookies.get(COOKIE))
        wanted = _format(name, request.headers.get("accept", ""))
        if seats.locked():
            raise Unavailable("Other reports are being made, and more wait.", "Ask again in a minute.")
        async with seats, turn:
            content = await asyncio.to_thread(_made, store, key, phase, by, wanted)
        return Response(content, media_type=wanted.media, headers=PAGE)

    return routes


def _made(store: Store, key: str, phase: str, by: Sequence[str], wanted: Format) -> bytes:
    """The report as bytes; what stands in the way of it becomes a sentence."""
    try:
        with store.reading() as s:
            found = build(s, key, phase, by)
    except ProjectNotFoundError:
        raise _unknown() from None
    except FindingsError as error:
        raise NotFound(str(error), "Look at the address again, or do what the sentence says.") from None
    except RuleError as error:
        raise Conflict(str(error), "Mend the project's rule, and ask again.") from None
    return wanted.written(found).encode("utf-8", "replace")


def _unknown() -> NotFound:
    return NotFound("There is no project of this key.", "Ask for /status to see all of them.")


def _format(name: str | None, accept: str) -> Format:
    name = name if name is not None else MEDIA[preferred(accept, list(MEDIA))]
    if name not in FORMATS:
        raise BadRequest("A report has no such format.", f"Take one of: {', '.join(FORMATS)}.")
    return FORMATS[name]


def _token_to_cookie(request: Request, access: Access) -> Response | None:
    """Where the right token came in the address: send the reader to the address without it, with a cookie instead."""
    token = request.query_params.get("token")
    if token is None or not access.is_token(token.encode()):
        return None
    rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "token"]
    answer = RedirectResponse(f"{request.url.path}{'?' if rest else ''}{urlencode(rest)}", status_code=303)
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    answer.set_cookie(COOKIE, access.pass_for_cookie(), httponly=True, samesite="strict", secure=secure)
    answer.headers["referrer-policy"] = "no-referrer"
    answer.headers["cache-control"] = "no-store"
    return answer
