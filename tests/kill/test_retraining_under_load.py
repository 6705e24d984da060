"""While an adapter is tuned, Label Studio is answered as always; afterwards everything says the new release."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from backend.settings import load
from db.models import Job
from db.store import Store, open_store, sqlite_url
from scripts.bench.servers import Server, socialite
from scripts.team import messages
from scripts.team.line import Line
from scripts.team.place import Place
from tests.kill import coded
from tests.moods import rows

TEXTS = 300
NEW = 400  # texts of the stream, which nobody saw before
PATIENCE = 300.0  # seconds


@dataclass
class Stream:
    """Requests one after the other, until told to stop; what came of each."""

    line: Line
    bodies: Callable[[int], tuple[str, Any]]
    answers: list[Any] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Stream:
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def _send(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                self.answers.append(self.line.post(*self.bodies(number)))
            except Exception as fault:  # noqa: BLE001 - each is a failed request
                self.problems.append(f"{type(fault).__name__}: {fault}")
            number += 1
            self._stop.wait(0.02)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(sqlite_url(tmp_path))) as opened:
        yield opened


@pytest.fixture
def made(tmp_path: Path, store: Store) -> Place:
    return coded.project(store, load(home=tmp_path), TEXTS)


def suggestions(made: Place) -> Callable[[int], tuple[str, Any]]:
    """/predict for the project's tasks, and in turn with them for texts that are new."""
    new = rows(NEW, 7)
    tasks = list(made.assisted.tasks)

    def body(number: int) -> tuple[str, Any]:
        asked = messages.predict(made.assisted, [tasks[number % len(tasks)]])
        if number % 2:
            asked["tasks"][0] |= {"id": 10_000 + number % NEW, "data": {"text": new[number % NEW][0][0]}}
        return "/predict", asked

    return body


def answers(made: Place) -> Callable[[int], tuple[str, Any]]:
    """/webhook with what a second coder says of the project's tasks."""
    tasks = list(made.assisted.tasks)
    (question,) = made.codebook.questions

    def body(number: int) -> tuple[str, Any]:
        task_id = tasks[number % len(tasks)]
        result = messages.blind(made.codebook, question, made.assisted.tasks[task_id][1])
        event = messages.created(made.assisted, annotation=500_000 + number, task=task_id, user=2, result=result)
        return "/webhook", event

    return body


def release(line: Line, made: Place) -> str:
    return str(line.post("/setup", messages.setup(made.assisted))["model_version"])


def retrained(line: Line, store: Store, made: Place) -> Job:
    """Start Training, and the job when it has ended."""
    with store.reading() as s:
        before = {job.id for job in s.scalars(select(Job))}
    line.post("/webhook", messages.training(made.assisted))
    return ended(store, before)


def ended(store: Store, before: set[int]) -> Job:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with store.reading() as s:
            job = s.scalar(select(Job).where(Job.kind == "retrain", Job.id.not_in(before)))
        if job is not None and job.state in ("done", "failed"):
            return job
        time.sleep(0.1)
    raise AssertionError("the run does not end")


def test_no_request_fails_while_an_adapter_is_tuned_and_afterwards_all_say_the_new_release(
    tmp_path: Path, store: Store, made: Place
) -> None:
    with socialite(tmp_path, "encoder") as server:
        line = Line(server, made.key)
        line.post(*suggestions(made)(0))  # waits until the engine is loaded
        old = release(line, made)
        with Stream(line, suggestions(made)) as asked, Stream(line, answers(made)) as told:
            job = retrained(line, store, made)
            new = release(line, made)
            after = len(asked.answers) + 1  # one may have been on its way
            time.sleep(1.0)
        assert (job.state, asked.problems, told.problems) == ("done", [], []), job.message
        assert new != old
        results = [result for answer in asked.answers for result in answer["results"]]
        assert all(result.get("result") for result in results)
        said = [result["model_version"] for result in results]
        assert set(said) == {old, new}
        assert set(said[after:]) == {new} and len(said) > after
        assert all(answer["status"] == "stored" for answer in told.answers)
        assert min(len(asked.answers), len(told.answers)) > 20


def test_a_trainer_killed_under_a_server_leaves_it_serving_and_the_next_run_starts_at_once(
    tmp_path: Path, store: Store, made: Place
) -> None:
    with socialite(tmp_path, "encoder") as server:
        line = Line(server, made.key)
        old = release(line, made)
        line.post("/webhook", messages.training(made.assisted))
        trainer(server).kill()
        assert ended(store, set()).state == "failed"
        assert release(line, made) == old
        job = retrained(line, store, made)
        assert job.state == "done", job.message
        assert release(line, made) != old


def trainer(server: Server) -> psutil.Process:
    """The process that tunes, once it is there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for process in psutil.Process().children(recursive=True):
            try:
                if "backend.trainer" in process.cmdline():
                    return process
            except psutil.Error:
                continue
        time.sleep(0.02)
    raise AssertionError(f"no process tunes; the server's log is {server.log}")
