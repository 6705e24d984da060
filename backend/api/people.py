"""What people read: how far the projects are."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from backend.api.access import COOKIE, Access
from backend.api.errors import Json, NotFound
from db import counts
from db.store import ProjectNotFoundError, Store


def router(store: Store, access: Access) -> APIRouter:
    """The routes for people; `?token=...` is taken out of the address and into a cookie."""
    routes = APIRouter()

    @routes.get("/status")
    def status(request: Request, project: str | None = None) -> Response:
        """Each project's numbers, or those of one."""
        if (moved := _token_to_cookie(request, access)) is not None:
            return moved
        access.require_person(request.scope, dict(request.scope["headers"]), request.cookies.get(COOKIE))
        try:
            with store.reading() as s:
                return Json({"projects": counts.status(s, project)})
        except ProjectNotFoundError:
            raise NotFound("There is no project of this key.", "Ask for /status to see all of them.") from None

    return routes


def _token_to_cookie(request: Request, access: Access) -> Response | None:
    """Where the right token came in the address: send the reader to the address without it, with a cookie instead."""
    token = request.query_params.get("token")
    if token is None or not access.is_token(token.encode()):
        return None
    rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "token"]
    answer = RedirectResponse(f"{request.url.path}{'?' if rest else ''}{urlencode(rest)}", status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, access.pass_for_cookie(), httponly=True, samesite="strict", secure=secure)
    answer.headers["referrer-policy"] = "no-referrer"
    answer.headers["cache-control"] = "no-store"
    return answer
