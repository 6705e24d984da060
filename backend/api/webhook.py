"""/webhook: whatever happens in Label Studio is on the disk before it is answered, and applied afterwards."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.api.access import SECRET_HEADER, Access, from_here, matches, no_basic
from backend.api.directory import Directory, Place
from backend.api.errors import BadRequest, Forbidden, Json, NotAllowed
from backend.api.guard import json_body
from backend.api.inbox import Arrival, InboxLane
from backend.api.label_studio import unknown_key
from backend.corpus import event

TRAINING = "Noted: the project is re-tuned as soon as the worker comes to it. `socialite status` says how far it is."


class Webhook:
    """The handler, over who may call and where events are kept."""

    def __init__(self, access: Access, directory: Directory, lane: InboxLane) -> None:
        self.access, self.directory, self.lane = access, directory, lane

    def routes(self) -> list[Route]:
        return [Route(base + "/webhook", self.receive, methods=["POST"]) for base in ("/ls/{key}", "")]

    async def receive(self, request: Request) -> Response:
        """202 when the event is stored. Label Studio waits one second, and never sends again."""
        headers = dict(request.scope["headers"])
        secret, basic = headers.get(SECRET_HEADER), self.access.has_basic(headers)
        if self.access.basic and not basic and secret is None:
            raise no_basic()
        if not self.access.basic and not from_here(request.scope):
            raise Forbidden(
                "Events are taken from this machine only.", "Set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD."
            )
        key = request.path_params.get("key")
        if key is not None and not await self.directory.knows(key):
            raise unknown_key()
        body = await json_body(request.receive)
        action = body.get("action") if isinstance(body, dict) else None
        if not isinstance(action, str) or not action:
            raise BadRequest("The event has no action.", "Send what Label Studio's webhooks send.")
        identity = event.identity(body.get("project"))
        place = await self.directory.find(identity, key) if identity else None
        trusted = basic or (action == event.START_TRAINING and not self.access.basic)
        mine = [place] if place else self.directory.all(key)
        if not trusted:
            mine = await self._with_secret(mine, secret)
        if identity is not None and place is None:
            place = await self.directory.adopt(identity, key, None)
        return await self._store(action, body, key, [place] if place else mine, whole=place is not None)

    async def _with_secret(self, places: list[Place], secret: bytes | None) -> list[Place]:
        """The places that the secret opens, or that are open; NotAllowed when there are some and it opens none."""
        opened = self._opened(places, secret)
        if not opened and (places or self.access.basic):
            await self.directory.refresh()  # the secret may be a minute old, our knowledge of it older
            known = {p.ls_project_id for p in places}
            opened = self._opened([p for p in self.directory.all() if p.ls_project_id in known], secret)
            if not opened:
                raise NotAllowed(
                    "The event has no secret, or a wrong one.",
                    "Run `socialite connect` again: it gives Label Studio's webhook the header X-Socialite-Secret.",
                )
        return opened

    def _opened(self, places: list[Place], secret: bytes | None) -> list[Place]:
        closed = bool(self.access.basic)
        return [p for p in places if matches(secret, p.secret_hash) or (p.secret_hash is None and not closed)]

    async def _store(
        self, action: str, body: dict[str, Any], key: str | None, places: list[Place], *, whole: bool
    ) -> Response:
        """Keep the event; one that names no project is kept for each it may be about, as a reason to look there."""
        if whole:
            targets: list[tuple[int, int | None]] = [(p.project_id, p.ls_project_id) for p in places]
        else:
            ids = [p.project_id for p in places] or ([self.directory.keys[key]] if key else [])
            targets = [(project, None) for project in dict.fromkeys(ids)]
        if not targets:
            return Json({"status": "ignored", "message": "No project is connected, so the event is about none."}, 202)
        await self.lane.put(Arrival(action, body, targets))
        more = {"message": TRAINING} if action == event.START_TRAINING else {}
        return Json({"status": "stored", **more}, 202)
