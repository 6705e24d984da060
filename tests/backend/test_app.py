"""The server as a process: when it refuses to start, how it works with its worker, and how both end."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.testclient import TestClient

from backend import app as application
from backend.api.access import BindingError
from backend.app import ServeError, create_app, lock_file, serve
from backend.engines.keyword import KeywordEngine
from backend.lock import Lock, LockedError, check_one_process
from backend.settings import Settings, load
from db.models import AnswerVersion, Job
from db.store import Store, StoreError, open_store, sqlite_url
from tests.conftest import CHECKOUT
from tests.payloads import CONFIG, NAME, annotation, created, project, task

SERVE = "from backend.app import serve; from backend.settings import load; serve(load())"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="keyword", port=0)


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for a condition; the test fails when it never comes."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@contextmanager
def served(settings: Settings, log: Path, *, program: str = SERVE) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server as a process of its own, and its port; ended hard if the test has not ended it."""
    new_group: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    env = {**os.environ, **settings.environment(), "PYTHONPATH": str(CHECKOUT)}
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", program], stderr=file, env=env, cwd=log.parent, **new_group)
    try:
        until(lambda: b"socialite answers at http://" in log.read_bytes() or process.poll() is not None)
        said = log.read_text("utf-8")
        assert process.poll() is None, said
        yield process, int(said.split("socialite answers at http://")[1].split(";")[0].rpartition(":")[2])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C: it reaches the whole group, the worker too."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        os.killpg(process.pid, signal.SIGINT)


def number(store: Store, what: Any) -> int:
    with store.reading() as s:
        return s.scalars(what).one()


def test_from_a_correction_to_the_counts(settings: Settings, tmp_path: Path) -> None:
    """Server and worker as they run for a person: an answer is applied within moments, and both end at Ctrl-C."""
    log = tmp_path / "log"
    with served(settings, log) as (process, port):
        assert ask(port, "GET", "/health")[0] == 200
        setup = {"project": NAME, "schema": CONFIG, "hostname": "http://127.0.0.1:8080"}
        version = ask(port, "POST", "/setup", setup)[1]["model_version"]
        asked = {"tasks": [task(1)], "project": NAME, "label_config": CONFIG, "params": None}
        assert ask(port, "POST", "/predict", asked)[1]["results"][0]["model_version"] == version
        assert ask(port, "POST", "/webhook", created(annotation(1, 1)))[0] == 202
        assert ask(port, "POST", "/webhook", {"action": "START_TRAINING", "project": project()})[0] == 202
        until(lambda: ask(port, "GET", "/status")[1]["projects"][0]["answers"] == {"human": 1})
        until(lambda: ask(port, "GET", "/status")[1]["projects"][0]["jobs"] == {"failed": 1})
        with closing(open_store(settings.database_url)) as store:
            workers = holders(store)
            assert len(workers) == 1
            interrupt(process)
            process.wait(60)
            assert holders(store) == []  # the worker gave its right back before it ended
            with store.reading() as s:
                message = s.scalars(select(Job.message)).one()
                assert message is not None and message.startswith("The engine 'keyword' has no weights")
    said = log.read_text("utf-8")
    assert "Traceback" not in said
    assert "Text number" not in said


def holders(store: Store) -> list[str]:
    from db.models import Lease

    with store.reading() as s:
        return list(s.scalars(select(Lease.holder).where(Lease.name == "worker")))


def test_the_worker_ends_when_the_server_is_killed(settings: Settings, tmp_path: Path) -> None:
    with served(settings, tmp_path / "log") as (process, _), closing(open_store(settings.database_url)) as store:
        until(lambda: holders(store) != [])
        process.kill()
        until(lambda: holders(store) == [])


def test_a_second_server_on_the_same_store_is_refused(settings: Settings, tmp_path: Path) -> None:
    refused = pytest.raises(LockedError, match="Another server process uses this store")
    with served(settings, tmp_path / "log"), refused:
        create_app(settings, engine=KeywordEngine())
    app = create_app(settings, engine=KeywordEngine())  # a server that was ended, however it was, holds nothing
    with TestClient(app):
        pass


def test_what_failed_to_start_holds_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> None:
        raise StoreError("It is broken.")

    monkeypatch.setattr(application, "_engine", fail)
    with pytest.raises(StoreError):
        create_app(settings)
    with closing(open_store(settings.database_url)) as store:
        Lock(lock_file(settings, store)).release()


def test_another_address_needs_credentials(settings: Settings) -> None:
    with pytest.raises(BindingError, match="SOCIALITE_BASIC_USER"):
        serve(settings.model_copy(update={"host": "0.0.0.0"}))


def test_a_port_in_use_is_said(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port}.*--port"):
            serve(settings.model_copy(update={"port": port}))


@pytest.mark.parametrize("wanted", ["2", " 4 "])
def test_several_workers_by_the_environment_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", wanted)
    with pytest.raises(LockedError, match="do not start several workers"):
        create_app(settings, engine=KeywordEngine())


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["/bin/uvicorn", "--factory", "backend.app:create_app", "--workers", "2"], True),
        (["/bin/gunicorn", "-w", "4"], True),
        (["/lib/uvicorn/__main__.py", "--workers=3"], True),
        (["/bin/uvicorn", "--workers", "1"], False),
        (["/bin/uvicorn"], False),
        (["/bin/socialite", "--workers", "3"], False),
    ],
)
def test_several_workers_by_the_command_line_are_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], refused: bool
) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    if refused:
        with pytest.raises(LockedError):
            check_one_process()
    else:
        check_one_process()


def _hold(path: str, held: Any, free: Any) -> None:
    lock = Lock(Path(path))
    held.set()
    free.wait()
    lock.release()


def test_the_lock_is_between_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, free = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path / "lock"), held, free))
    other.start()
    assert held.wait(120)
    with pytest.raises(LockedError):
        Lock(tmp_path / "lock")
    free.set()
    other.join()
    Lock(tmp_path / "lock").release()


def test_the_application_is_fastapi_without_its_pages(settings: Settings) -> None:
    app = create_app(settings, engine=KeywordEngine())
    assert isinstance(app, FastAPI)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert client.get(path).status_code == 404
        with pytest.raises(Exception), client.websocket_connect("/health"):  # noqa: B017 - it is refused
            pass


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, backend.app, backend.worker; print([m for m in ('torch', 'transformers', 'pandas', 'sklearn', "
        "'label_studio_sdk') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert done.stdout.strip() == "[]"


def test_an_event_is_stored_while_the_worker_is_away(settings: Settings, tmp_path: Path) -> None:
    """The server alone keeps the event; a worker that comes later applies it."""
    pokes: list[int] = []
    app = create_app(settings, engine=KeywordEngine(), poke=lambda: pokes.append(1))
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert client.post("/webhook", json=created(annotation(1, 1))).status_code == 202
    assert pokes == [1]
    with closing(open_store(settings.database_url)) as store:
        assert number(store, select(func.count(AnswerVersion.id))) == 0
        from backend.worker import Worker

        assert Worker(store, settings).apply_waiting()
        assert number(store, select(func.count(AnswerVersion.id))) == 1
