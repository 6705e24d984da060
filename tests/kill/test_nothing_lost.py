"""The server's process is killed again and again under a stream of events: whatever it answered 2xx is stored, once."""

from __future__ import annotations

import http.client
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.settings import Settings, load
from backend.worker import Worker
from db import answers, projects
from db.models import AnswerVersion, Inbox, Project, Tombstone
from db.store import Store, open_store, sqlite_url
from tests.conftest import CHECKOUT
from tests.kill import forked, launcher
from tests.kill.sender import Key, Sender, events

ROUNDS = 50
ANNOTATIONS = 12  # that are new in each; many wait when it ends
BEFORE, AFTER = 10, 4  # rounds that end just before a commit, and just after one
PATIENCE = 120.0  # seconds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="keyword")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with closing(open_store(settings.database_url)) as opened:
        with opened.writing() as s:
            made = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
            server = projects.server(s, "http://localhost:8080")
            projects.add_ls_project(s, made.id, server.id, 7, 1795384072, "assisted")
        yield opened


class Server:
    """A server process, which is there once it was started."""

    def __init__(self, settings: Settings) -> None:
        self._environ = {**os.environ, **settings.environment(), "PYTHONPATH": str(CHECKOUT)}
        self._process: BaseProcess | None = None
        self.port = 0

    def start(self, **order: Any) -> None:
        """Let it serve; returns when it answers, or is dead."""
        self.port = _free_port()
        given = (launcher.Order(self.port, **order), self._environ)
        self._process = forked.context().Process(target=launcher.run, args=given)
        self._process.start()
        deadline = time.monotonic() + PATIENCE
        while self._process.is_alive() and not self._answers():
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False

    def kill(self) -> None:
        """End the process, if there is one, as the operating system does when memory runs out: nothing of it runs any
        more.
        """
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        assert self._process is not None
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "the server does not end"
        return self._process.exitcode


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A server process to be told when to start; gone at the end whatever happened."""
    made = Server(settings)
    yield made
    made.kill()


def check(store: Store, sender: Sender) -> None:
    """Every event that was answered 2xx is stored, none twice, and none that was not sent."""
    assert sender.refused == []
    found = stored(store)
    assert [key for key, n in found.items() if n > 1] == []
    assert set(sender.answered) - found.keys() == set()
    assert found.keys() - sender.sent == set()


def stored(store: Store) -> Counter[Key]:
    """What the inbox holds, told as the sender tells it."""
    found: Counter[Key] = Counter()
    with store.reading() as s:
        for row in s.scalars(select(Inbox)):
            if row.kind == "ANNOTATIONS_DELETED":
                found.update(("delete", number, 0) for number in row.body["ids"])
            else:
                given = row.body["annotation"]
                found["say", given["id"], int(given["updated_at"][17:19])] += 1
    return found


def test_nothing_that_was_answered_is_lost(store: Store, settings: Settings, server: Server) -> None:
    rng = random.Random(20261122)
    ways = ["before"] * BEFORE + ["after"] * AFTER + [None] * (ROUNDS - BEFORE - AFTER)
    rng.shuffle(ways)
    sender, by_itself = Sender(), 0
    for number, way in enumerate(ways):
        sender.add(events(1 + ANNOTATIONS * number, ANNOTATIONS, rng))
        server.start(die=way, at=rng.randint(1, 4), worker=number % 10 == 0)
        threads = sender.stream(server.port)
        if way is None:
            assert sender.first.wait(PATIENCE)
            time.sleep(rng.uniform(0, 0.05))
            server.kill()
        else:
            by_itself += server.wait() != 0
        for thread in threads:
            thread.join()
        check(store, sender)
    server.start(worker=True)
    for thread in sender.stream(server.port):
        thread.join()
    check(store, sender)
    server.kill()
    assert by_itself == BEFORE + AFTER
    assert len(sender.answered) > 10 * ROUNDS
    assert set(sender.answered) == stored(store).keys() == sender.sent
    _check_applied(store, settings, sender)


def _check_applied(store: Store, settings: Settings, sender: Sender) -> None:
    """What comes of the events is what their last word says, whatever the order in which they came."""
    worker = Worker(store, settings)
    while worker.apply_waiting():
        continue
    versions = {(number, version) for what, number, version in sender.sent if what == "say"}
    buried = {number for what, number, _ in sender.sent if what == "delete"}
    latest = {number: max(v for n, v in versions if n == number) for number, _ in versions}
    with store.reading() as s:
        live = {answer.annotation_id: answer for answer in answers.live(s, 1)}
        assert s.scalars(select(func.count(AnswerVersion.id))).one() == len(versions)
        assert s.scalars(select(func.count(Tombstone.id))).one() == len(buried)
        assert s.scalars(select(func.count(Project.id))).one() == 1
        assert s.scalars(select(func.count(Inbox.id)).where(Inbox.applied_at.is_(None))).one() == 0
    assert live.keys() == latest.keys() - buried
    assert all(int(live[number].updated_at.second) == latest[number] for number in live)


def test_a_server_that_answers_before_it_commits_is_caught(store: Store, server: Server) -> None:
    """The same check must fail where the commit is left out; else it would prove nothing."""
    sender = Sender()
    sender.add(events(1, 20, random.Random(1)))
    server.start(commit=False)
    for thread in sender.stream(server.port):
        thread.join()
    server.kill()
    assert len(sender.answered) > 20
    with pytest.raises(AssertionError, match="set"):
        check(store, sender)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
