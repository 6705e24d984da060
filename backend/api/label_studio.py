"""What Label Studio calls: /health, /setup, /predict, /webhook, /versions, under /ls/{project_key} and at the root.

Plain routes over parsed JSON: no model object is built per request, and nothing here waits for the weights to load.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.api.access import Access
from backend.api.directory import Directory, Place
from backend.api.errors import BadRequest, Json, NotFound
from backend.api.guard import json_body
from backend.assist.catalogue import Catalogue, ProjectState
from backend.assist.request import Suggestion, TaskIn
from backend.assist.suggest import Suggester
from backend.corpus import event
from backend.corpus.annotation import whole
from backend.corpus.task_data import texts
from db import releases
from db.projects import ASSISTED
from db.store import Store
from labelstudio_config.beside import without_areas
from labelstudio_config.errors import CodebookError

log = logging.getLogger(__name__)
NO_CODEBOOK = "no-codebook"  # the model_version of a project whose labelling screen cannot be read
Handler = Callable[[Request], Awaitable[Response]]


class LabelStudio:
    """The handlers, over what the application holds."""

    def __init__(
        self, store: Store, access: Access, directory: Directory, catalogue: Catalogue, suggester: Suggester
    ) -> None:
        self.store, self.access, self.directory = store, access, directory
        self.catalogue, self.suggester = catalogue, suggester

    def routes(self) -> list[Route]:
        """The busiest first: routes are tried in order."""
        ways: list[tuple[str, Handler, str]] = [
            ("/predict", self.predict, "POST"),
            ("/health", self.health, "GET"),
            ("/setup", self.setup, "POST"),
            ("/versions", self.versions, "GET"),
        ]
        made = [
            Route(base + path, handler, methods=[method])
            for path, handler, method in ways
            for base in ("/ls/{key}", "")
        ]
        return [*made, Route("/ls/{key}", self.health, methods=["GET"])]

    async def health(self, request: Request) -> Response:
        """From memory alone: Label Studio asks before everything, and waits a second."""
        await self._key(request)
        return Json({"status": "UP", "model_class": "socialite", "model_loaded": self.suggester.ready})

    async def setup(self, request: Request) -> Response:
        """The project's current `model_version`; the same string that /predict says."""
        key = await self._key(request)
        body = await self._object(request)
        identity, hostname = event.identity(body.get("project")), _address(body.get("hostname"))
        if key is None and identity is None:
            raise BadRequest(
                "Label Studio did not say which of its projects this is.",
                "Give the model the address that `socialite connect` printed, with /ls/ and the project's key in it.",
            )
        place = await self._place(key, identity, hostname)
        project = place.project_key if place else str(key)
        if await self.directory.rests(project):
            return Json({"model_version": await asyncio.to_thread(self._last_release, project)})
        state = await self._state(project, place, body.get("schema"))
        return Json({"model_version": state.release if state else NO_CODEBOOK})

    async def predict(self, request: Request) -> Response:
        """One result per task, in order. Label Studio passes over one without `result`, and asks again later."""
        key = await self._key(request)
        body = await self._object(request)
        tasks = body.get("tasks")
        if not isinstance(tasks, list):
            raise BadRequest("The request has no list of tasks.", "Send {'tasks': [...]}, as Label Studio does.")
        place = await self._place(key, event.identity(body.get("project")))
        project = place.project_key if place else key
        if project and await self.directory.rests(project):
            return Json({"results": [{} for _ in tasks], "message": "The project is archived: it suggests nothing."})
        state = await self._state(project, place, body.get("label_config")) if project else None
        if state is None:
            return Json({"results": [{} for _ in tasks], "message": "The project has no readable codebook yet."})
        given = [_task(task, state, place) for task in tasks]
        suggestions = await self.suggester.suggest(state, given, _channel(body, tasks))
        return Json({"results": [_result(suggestion, state.release) for suggestion in suggestions]})

    async def versions(self, request: Request) -> Response:
        """The project's releases, newest first; at the root, which names no project, those of all."""
        key = await self._key(request)
        return Json({"versions": await asyncio.to_thread(self._versions, key)})

    def _versions(self, key: str | None) -> list[str]:
        keys = self.directory.keys
        with self.store.reading() as s:
            named = [name for k, project in keys.items() if key in (None, k) for name in releases.names(s, project)]
        return list(dict.fromkeys(named))

    def _last_release(self, key: str) -> str:
        with self.store.reading() as s:
            release = releases.current(s, self.directory.keys[key])
        return release.name if release else NO_CODEBOOK

    async def _key(self, request: Request) -> str | None:
        """The project key in the URL, None at the root; lets nobody else in."""
        self.access.require_label_studio(request.scope, dict(request.scope["headers"]))
        key = request.path_params.get("key")
        if key is not None and not await self.directory.knows(key):
            raise unknown_key()
        return key

    async def _object(self, request: Request) -> dict[str, Any]:
        body = await json_body(request.receive)
        if not isinstance(body, dict):
            raise BadRequest("The request's body is not a JSON object.", "Send what Label Studio sends.")
        return body

    async def _place(
        self, key: str | None, identity: tuple[int, int] | None, hostname: str | None = None
    ) -> Place | None:
        """The Label Studio project that asks, taken in when connected by hand; None when it does not say which."""
        if identity is None:
            return None
        return await self.directory.find(identity, key) or await self.directory.adopt(identity, key, hostname)

    async def _state(self, key: str, place: Place | None, schema: Any) -> ProjectState | None:
        """What the project is coded with and by; None while its labelling screen asks nothing that can be read."""
        assisted = place is None or place.role == ASSISTED
        config = without_areas(schema) if assisted and isinstance(schema, str) and schema.strip() else None
        state = self.catalogue.at_hand(key, config)
        if state is not None:
            return state
        try:
            return await asyncio.to_thread(self.catalogue.state, key, config, assisted=assisted)
        except CodebookError as error:
            log.warning("Project %s has no codebook: %s", key, error)
            return None


def unknown_key() -> NotFound:
    return NotFound(
        "There is no project of the key in this address.",
        "Run `socialite status` to see the projects, or `socialite connect` to make one.",
    )


def _task(task: Any, state: ProjectState, place: Place | None) -> TaskIn:
    """What is asked of a task: its own texts. Answers and predictions that came with it are not looked at."""
    given = task if isinstance(task, dict) else {}
    return TaskIn(
        task_id=whole(given.get("id")),
        fields=texts(given.get("data"), state.codebook.fields),
        ls_project_id=place.ls_project_id if place else None,
    )


def _result(suggestion: Suggestion, release: str) -> dict[str, Any]:
    if suggestion.result is None:
        return {}
    score = suggestion.score if math.isfinite(suggestion.score) else 0.0
    return {"result": suggestion.result, "score": score, "model_version": release}


def _channel(body: dict[str, Any], tasks: list[Any]) -> str:
    """'interactive' when a coder's open page asks: those tasks carry drafts, or the request a context."""
    params = body.get("params")
    context = params.get("context") if isinstance(params, dict) else None
    drafts = any(isinstance(task, dict) and "drafts" in task for task in tasks[:1])
    return "interactive" if context or drafts else "predict"


def _address(hostname: Any) -> str | None:
    """Label Studio's own address, if it is one."""
    is_one = isinstance(hostname, str) and hostname.startswith(("http://", "https://")) and len(hostname) < 500
    return hostname if is_one else None
