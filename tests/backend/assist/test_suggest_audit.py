"""No suggestion for the audit, by any channel, and exposures that equal what was handed out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from backend.assist.request import HELD_BACK
from backend.assist.suggest import Suggestion, TaskIn
from db import projects, texts
from db.models import LsProject, LsTask, Text
from db.store import Store
from db.texts import TaskRow
from tests.backend.assist.engines import FakeEngine, SilentEngine
from tests.backend.assist.world import World, make_world, serving

CHANNELS = ("predict", "interactive")
FRESH = count()  # a project of its own for each example
STREAMS = ("audit", "control", "work", "unplaced", "new")


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_text_of_the_audit_gets_no_suggestion(world: World, channel: str) -> None:
    world.place("audit", "caf\u00e9")
    engine = FakeEngine()
    with serving(world, engine) as service:
        for body in ("caf\u00e9", "cafe\u0301"):
            for task in (world.task(1, body), TaskIn(None, (body,), None), TaskIn(3, (body,), 999)):
                assert service.ask(task, channel=channel) == [HELD_BACK]
        assert service.ask(world.task(4, "tea"), channel=channel)[0].result is not None
    assert [words for words, *_ in world.exposed()] == ["tea"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_task_of_the_audit_project_gets_no_suggestion(world: World, channel: str) -> None:
    world.place("work", "known")
    with serving(world, FakeEngine()) as service:
        for body in ("known", "never seen", "known"):
            assert service.ask(TaskIn(1, (body,), world.audit), channel=channel) == [HELD_BACK]
            assert service.ask(TaskIn(None, (body,), world.audit), channel=channel) == [HELD_BACK]
        assert service.ask(world.task(2, "known"), channel=channel)[0].result is not None
    assert [row[2] for row in world.exposed()] == [2]
    assert world.streams() == {"known": "work"}
    assert (world.count(Text), world.count(LsTask)) == (1, 1)


def test_scores_in_the_store_are_held_back_too(world: World) -> None:
    with serving(world, FakeEngine()) as service:
        service.ask(world.task(1, "words"))
    blind = make_world(world.store, key="other")
    blind.place("audit", "words")
    with serving(blind, SilentEngine()) as service:
        assert service.ask(blind.task(1, "words")) == [HELD_BACK]


def test_a_text_drawn_into_the_audit_while_it_is_scored_is_held_back(world: World) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    with serving(world, engine) as service:

        async def ask() -> list[Suggestion]:
            asking = asyncio.create_task(service.suggest(world.task(1, "new"), world.task(2, "newer")))
            await asyncio.to_thread(engine.entered.acquire)
            world.place("audit", "new")
            engine.gate.set()
            return await asking

        first, second = asyncio.run(ask())
        assert first == HELD_BACK
        assert second.result is not None
        assert service.ask(world.task(1, "new")) == [HELD_BACK]
    assert [words for words, *_ in world.exposed()] == ["newer"]
    assert world.scored("new") == 3  # scored, and shown to nobody


def test_a_project_that_becomes_the_audit_is_noticed(world: World) -> None:
    with serving(world, FakeEngine()) as service:
        assert service.ask(world.task(1, "words"))[0].result is not None
        with world.store.writing() as s:
            s.execute(update(LsProject).where(LsProject.id == world.assisted).values(role="audit"))
        assert service.ask(world.task(1, "words"), world.task(2, "other")) == [HELD_BACK] * 2
    assert len(world.exposed()) == 1


def test_the_edited_text_of_an_audit_task_takes_its_place(world: World) -> None:
    world.place("audit", "before")
    with world.store.writing() as s:
        texts.remember_tasks(s, s.get_one(LsProject, world.assisted), [TaskRow(5, "row 5", ("before",))])
    with serving(world, FakeEngine()) as service:
        assert service.ask(world.task(5, "after")) == [HELD_BACK]
        assert service.ask(TaskIn(None, ("after",), None)) == [HELD_BACK]
    assert world.streams() == {"before": "audit", "after": "audit"}
    assert world.exposed() == []


def test_control_texts_come_first_in_their_order(world: World) -> None:
    for rank, body in enumerate("abc"):
        world.place("control", body, rank=rank)
    with serving(world, FakeEngine()) as service:
        *control, work = (answer.score for answer in service.ask(*(world.task(None, body) for body in "abcd")))
    assert control == sorted(control)
    assert len(set(control)) == 3
    assert control[-1] < 0.1 <= work


@st.composite
def mixes(draw: st.DrawFn) -> tuple[dict[str, str], list[list[tuple[str, int | None, str]]]]:
    """Bodies with their streams, and requests of (body, task id, who asks)."""
    words = st.text("abé 1", min_size=1, max_size=3).filter(str.strip)
    bodies = draw(st.dictionaries(words, st.sampled_from(STREAMS), min_size=1, max_size=6))
    one = st.tuples(
        st.sampled_from(sorted(bodies)),
        st.one_of(st.none(), st.integers(1, 5)),
        st.sampled_from(["assisted", "assisted", "audit", "nobody"]),
    )
    return bodies, draw(st.lists(st.lists(one, max_size=5), max_size=4))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mixes(), st.sampled_from(CHANNELS))
def test_whatever_is_asked_the_audit_stays_blind_and_exposures_are_exact(
    store: Store, mix: tuple[dict[str, str], list[list[tuple[str, int | None, str]]]], channel: str
) -> None:
    bodies, requests = mix
    world = make_world(store, key=f"mix-{next(FRESH)}")
    for body, stream in bodies.items():
        if stream == "unplaced":
            world.remember(body)
        elif stream != "new":
            world.place(stream, body)
    asking = {"assisted": world.assisted, "audit": world.audit, "nobody": None}
    given_tasks = [[TaskIn(task, (body,), asking[who]) for body, task, who in request] for request in requests]
    with serving(world, FakeEngine()) as service:
        answers = service.ask_all(given_tasks, channel) if given_tasks else []
    blind = {body for body, stream in world.streams().items() if stream == "audit"}
    assert {body for body, stream in bodies.items() if stream == "audit"} <= blind
    assert [len(one) for one in answers] == [len(request) for request in requests]
    shown = _shown(given_tasks, answers)
    assert not {body for body, _ in shown} & blind
    for tasks, given_answers in zip(given_tasks, answers, strict=True):
        for task, answer in zip(tasks, given_answers, strict=True):
            held = task.ls_project_id == world.audit or (task.fields or ("",))[0] in blind
            assert (answer == HELD_BACK) == held
    assert Counter((body, task) for body, _, task, _ in world.exposed()) == shown


def _shown(
    requests: Sequence[Sequence[TaskIn]], answers: Sequence[Sequence[Suggestion]]
) -> Counter[tuple[str, int | None]]:
    """(body, task id that is known to us) of what was handed out."""
    return Counter(
        ((task.fields or ("",))[0], task.task_id if task.ls_project_id is not None else None)
        for tasks, given_answers in zip(requests, answers, strict=True)
        for task, answer in zip(tasks, given_answers, strict=True)
        if answer.result is not None
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_task_of_an_adjudication_project_gets_no_suggestion(world: World, channel: str) -> None:
    """Whoever connects a model to it by hand is shown nothing, of no stream."""
    world.place("work", "known")
    with world.store.writing() as s:
        server = s.get_one(LsProject, world.audit).server_id
        place = projects.add_ls_project(s, world.project_id, server, 3, 1000, "adjudication").id
    with serving(world, FakeEngine()) as service:
        for body in ("known", "never seen"):
            assert service.ask(TaskIn(1, (body,), place), channel=channel) == [HELD_BACK]
    assert world.exposed() == []
    assert world.streams() == {"known": "work"}
