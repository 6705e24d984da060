"""The web application, and the one process that runs it."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api import people
from backend.api.access import Access, check_binding
from backend.api.directory import Directory
from backend.api.errors import error, http_error
from backend.api.guard import Guard
from backend.api.inbox import InboxLane
from backend.api.label_studio import LabelStudio
from backend.api.webhook import Webhook
from backend.assist.catalogue import Catalogue
from backend.assist.suggest import Suggester
from backend.child import WorkerChild
from backend.engines.protocol import Engine
from backend.lock import Lock, check_one_process
from backend.logs import to_stderr
from backend.settings import Settings, load
from db.store import Store, open_store

log = logging.getLogger(__name__)
GRACE = 5  # seconds that requests in hand may take when the server ends
TURN = 0.001  # seconds a thread may keep the others from Python: inference needs it between any two operations


class ServeError(Exception):
    """The server cannot start; the message says why."""


def create_app(
    settings: Settings | None = None,
    *,
    engine: Engine | None = None,
    store: Store | None = None,
    poke: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The application over a store, which it takes over: it holds the server's lock on it, and closes it at the end.

    `poke` is called when there is work for the worker, which `serve` runs besides. LockedError: another server has it.
    """
    settings = settings or load()
    check_one_process()
    with ExitStack() as undo:
        store = store or open_store(settings.database_url)
        undo.callback(store.close)
        undo.callback(Lock(lock_file(settings, store)).release)
        scorer = engine or _engine(settings)
        ending = undo.pop_all()
    access = Access.of(settings)
    directory = Directory(store, settings.label_studio_url)
    catalogue = Catalogue(store, scorer.identity)
    suggester = Suggester(store, scorer, deadline=settings.predict_deadline, load=scorer.load)
    lane = InboxLane(store, poke)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with ending:
            gc.freeze()  # what is here now stays: it need not be looked at again and again
            directory.read()
            lane.start()
            suggester.start()
            yield
            await lane.close()
            suggester.close()

    silent: Any = {"tracing": False, "metrics": False, "logs": False}  # nothing of a request leaves this process
    app = FastAPI(
        lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, telemetry=silent
    )
    routes = [
        *LabelStudio(store, access, directory, catalogue, suggester).routes(),
        *Webhook(access, directory, lane).routes(),
    ]
    app.add_middleware(Shortcut, routes=routes)
    app.add_middleware(Guard, access=access, body_limit=settings.body_limit)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    app.include_router(people.router(store, access))
    return app


def _engine(settings: Settings) -> Engine:
    from backend.engines.choice import choose

    return choose(settings, ready=False)


def lock_file(settings: Settings, store: Store) -> Path:
    """The file that only one server may lock: beside an embedded store, else in this machine's data folder."""
    return store.file.with_name(f"{store.file.name}-server") if store.file else settings.home / "server"


def serve(settings: Settings) -> None:
    """Run the server and its worker until Ctrl-C.

    BindingError, LockedError, StoreError, EngineError or ServeError where it cannot start: each says why.
    """
    sys.setswitchinterval(TURN)
    to_stderr()
    check_binding(settings)
    with closing(_socket(settings)) as listening:
        settings = _settled(settings)
        worker = WorkerChild(settings.environment())
        try:
            app = create_app(settings, poke=worker.poke)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="on",
                ws="none",
                timeout_graceful_shutdown=GRACE,
            )
            worker.start()
            log.info("socialite answers at %s; Ctrl-C ends it.", _address(listening))
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listening])
        finally:
            worker.stop()


def _settled(settings: Settings) -> Settings:
    """The settings with the engine that 'auto' stands for, which the worker is given, too."""
    from backend.engines.choice import settled

    settings, said = settled(settings, copies=2)
    if said:
        log.warning(said)
    return settings


def _socket(settings: Settings) -> socket.socket:
    """A listening socket: bound before anything is loaded, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as fault:
        raise ServeError(
            f"It cannot listen on {settings.host}, port {settings.port}: {fault.strerror or fault}. "
            "Another program may use the port: end it, or give another with --port."
        ) from None


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Shortcut:
    """Label Studio's routes, ahead of what FastAPI does around a request, which takes longer than they do."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._router = Router(routes, default=app, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._router.default(scope, receive, send)
        else:
            await self._router(scope, receive, send)


async def _http_error(_: Request, fault: Exception) -> Response:
    return http_error(fault.status_code if isinstance(fault, HTTPException) else 500)


async def _wrong_parameters(_: Request, _fault: Exception) -> Response:
    return error(422, "A parameter in the address cannot be read.", "Look at the address again.")
