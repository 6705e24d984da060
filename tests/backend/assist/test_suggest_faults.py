"""What the service does when the engine, the store or the time fails it: one answer per task, always."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.assist import suggest
from backend.assist.batcher import Batcher, Job
from backend.assist.request import CLOSED, NOT_READY, NOT_STORED
from backend.assist.suggest import Suggester, Suggestion, TaskIn
from backend.engines.protocol import Item, Scores
from db.models import Prediction
from db.store import Store, StoreBusyError
from labelstudio_config.codebook import Question
from tests.backend.assist.engines import FakeEngine, SilentEngine
from tests.backend.assist.world import Service, World, make_world, serving

FRESH = count()


def test_a_text_that_the_engine_fails_on_is_left_out_and_the_others_are_not(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = [f"text {i}" for i in range(20)]
    bodies[7] = bodies[13] = "a SECRET poison"
    engine = FakeEngine(poison=("poison",))
    with caplog.at_level(logging.DEBUG), serving(world, engine) as service:
        answers = service.ask(*(world.task(i, body) for i, body in enumerate(bodies)))
    failed = [i for i, answer in enumerate(answers) if answer.result is None]
    assert failed == [7, 13]
    assert answers[7].reason == "The engine failed on this text (ValueError)."
    assert "SECRET" not in caplog.text
    assert len(world.exposed()) == 18
    with serving(world, FakeEngine()) as service:  # it is asked again
        assert service.ask(world.task(7, bodies[7]))[0].result is not None


def test_an_engines_own_sentence_is_the_reason(world: World) -> None:
    with serving(world, SilentEngine()) as service:
        (answer,) = service.ask(world.task(1, "words"))
    assert (answer.result, answer.reason) == (None, "Everything is in the store already.")
    assert world.streams() == {"words": "work"}


@dataclass
class WrongEngine(FakeEngine):
    """Gives something that is no row of log-probabilities a text."""

    change: Any = None

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        right = super().score(question, items, adapter, shown)
        return Scores(right.family, self.change(right.log_probabilities), right.cut)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values[:-1],
        lambda values: values[:, :1],
        lambda values: values * np.nan,
        lambda values: values + 1.0,
        lambda values: values * 0 - np.inf,
        lambda values: values.ravel(),
    ],
)
def test_what_is_no_score_is_not_stored(world: World, change: Any) -> None:
    with serving(world, WrongEngine(change=change)) as service:
        answers = service.ask(world.task(1, "one"), world.task(2, "two"))
    assert [answer.result for answer in answers] == [None, None]
    assert world.count(Prediction) == 0


def test_at_the_deadline_what_is_ready_is_given_and_the_rest_is_still_scored(world: World) -> None:
    engine = FakeEngine()
    with serving(world, engine, deadline=0.3) as service:
        service.ask(world.task(1, "ready"))
        engine.gate.clear()
        first, second = service.ask(world.task(1, "ready"), world.task(2, "slow"))
        assert first.result is not None
        assert second == NOT_READY
        engine.gate.set()
        until = time.monotonic() + 20
        while world.scored("slow") < 3 and time.monotonic() < until:
            time.sleep(0.01)
        assert world.scored("slow") == 3
    assert [words for words, *_ in world.exposed()] == ["ready", "ready"]
    silent = SilentEngine()
    with serving(world, silent) as service:
        assert service.ask(world.task(2, "slow"))[0].result is not None
    assert silent.asked == []


def test_a_text_that_was_late_for_one_is_in_time_for_the_next(world: World) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    suggester = Suggester(world.store, engine, deadline=0.2)
    suggester.start()
    service = Service(suggester, world.state(engine))

    async def two() -> list[list[Suggestion]]:
        early = asyncio.create_task(service.suggest(world.task(1, "words")))
        await asyncio.sleep(0.1)
        later = asyncio.create_task(service.suggest(world.task(1, "words")))
        answers = [await early]
        engine.gate.set()
        return [*answers, await later]

    try:
        (late,), (ready,) = asyncio.run(two())
    finally:
        suggester.close()
    assert late == NOT_READY
    assert ready.result is not None
    assert len(world.exposed()) == 1


def test_what_cannot_be_noted_as_shown_is_not_shown(world: World) -> None:
    refused = world.place("work", "refused")[0]
    with world.store.writing() as s:
        s.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE INSERT ON exposure WHEN NEW.text_id = {refused} "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    with serving(world, FakeEngine()) as service:
        for _ in range(2):
            answers = service.ask(*(world.task(i, body) for i, body in enumerate(["one", "refused", "two"])))
            assert [answer.result is not None for answer in answers] == [True, False, True]
            assert answers[1] == NOT_STORED
    assert [words for words, *_ in world.exposed()] == ["one", "one", "two", "two"]


def test_a_store_that_is_busy_leaves_tasks_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: Store) -> Any:
        raise StoreBusyError

    with serving(world, FakeEngine()) as service:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "writing", busy)
            assert service.ask(world.task(1, "one"), world.task(2, "two")) == [NOT_STORED] * 2
        with monkeypatch.context() as patch:
            patch.setattr(Store, "reading", busy)
            assert service.ask(world.task(3, "three")) == [NOT_STORED]
        assert all(answer.result is not None for answer in service.ask(world.task(1, "one"), world.task(3, "three")))


def test_a_store_that_hangs_holds_nobody_up_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggest, "GRACE", 0.2)
    with serving(world, FakeEngine(), deadline=0.2) as service, world.store.writing():
        assert service.ask(world.task(1, "words")) == [NOT_STORED]


def test_who_waits_when_the_service_ends_is_told(world: World) -> None:
    engine = FakeEngine()
    suggester = Suggester(world.store, engine)
    suggester.start()
    service = Service(suggester, world.state(engine))
    engine.gate.clear()

    async def end() -> list[Suggestion]:
        waiting = asyncio.create_task(service.suggest(world.task(1, "one"), world.task(2, "")))
        await asyncio.to_thread(engine.entered.acquire)
        threading.Timer(0.1, engine.gate.set).start()
        await asyncio.to_thread(suggester.close)
        return await waiting

    answers = asyncio.run(end())
    assert len(answers) == 2
    assert service.ask(world.task(1, "one")) == [CLOSED]


def test_an_engine_that_cannot_be_loaded_is_said(world: World) -> None:
    def load() -> None:
        raise OSError("no such file")

    with serving(world, FakeEngine(), load=load) as service:
        (answer,) = service.ask(world.task(1, "words"))
        assert answer.result is None
        assert answer.reason.startswith("The engine could not be loaded (OSError)")
        assert not service.suggester.ready


def test_nothing_is_scored_before_the_engine_is_loaded(world: World) -> None:
    loading = threading.Event()
    engine = FakeEngine()
    with serving(world, engine, deadline=0.2, load=lambda: loading.wait(30)) as service:
        assert service.ask(world.task(1, "words")) == [NOT_READY]
        assert not service.suggester.ready
        assert engine.asked == []
        loading.set()
        until = time.monotonic() + 20
        while not service.suggester.ready and time.monotonic() < until:
            time.sleep(0.01)
        assert service.suggester.ready


def test_a_fault_nobody_thought_of_is_answered_and_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put, faults = Batcher.put, [ArithmeticError("words")]

    def broken(batcher: Batcher, jobs: Sequence[Job]) -> None:
        if faults:
            raise faults.pop()
        put(batcher, jobs)

    monkeypatch.setattr(Batcher, "put", broken)
    with serving(world, FakeEngine(), deadline=5) as service:
        assert service.ask(world.task(1, "one"), world.task(2, "two")) == [NOT_STORED] * 2
        assert all(answer.result is not None for answer in service.ask(world.task(1, "one"), world.task(2, "two")))


ODD = st.one_of(
    st.none(),
    st.tuples(st.text(max_size=8)),
    st.tuples(st.text(st.characters(categories=("Cs", "Cc", "Zs", "Mn")), max_size=4)),
    st.lists(st.text(max_size=2), max_size=3).map(tuple),
    st.sampled_from([("poison",), ("same",), ("\0",), ("\ud800",), ("a" * 50_000,), ("' OR 1=1 --",)]),
)
IDS = st.one_of(st.none(), st.integers(-(2**64), 2**64), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(IDS, ODD, st.sampled_from([0, 1, None, 10**9])), max_size=6), max_size=4))
def test_there_is_one_answer_per_task_whatever_is_asked(
    store: Store, requests: list[list[tuple[int | None, tuple[str, ...] | None, int | None]]]
) -> None:
    world = make_world(store, key=f"odd-{next(FRESH)}")
    ways: dict[int | None, int | None] = {0: world.assisted, 1: world.audit}
    asked = [[TaskIn(task, fields, ways.get(way, way)) for task, fields, way in one] for one in requests]
    with serving(world, FakeEngine(poison=("poison",))) as service:
        answers = service.ask_all(asked)
    assert [len(one) for one in answers] == [len(one) for one in asked]
    for tasks, given_answers in zip(asked, answers, strict=True):
        for task, answer in zip(tasks, given_answers, strict=True):
            assert math.isfinite(answer.score)
            assert (answer.result is None) == bool(answer.reason)
            plain = task.fields is not None and len(task.fields) == 1 and task.fields[0].strip()
            if not plain or task.ls_project_id == world.audit or "poison" in (task.fields or ("",))[0]:
                assert answer.result is None
            else:
                assert answer.result is not None
