from __future__ import annotations

import pytest
from sqlalchemy import update

from backend.assist import bulk
from backend.assist.bulk import Counts, score_missing
from db.models import Exposure, Prediction, TextBody
from tests.backend.assist.engines import FakeEngine, SilentEngine
from tests.backend.assist.world import World, serving


def run(world: World, engine: FakeEngine, ids: list[int]) -> Counts:
    *_, last = score_missing(world.store, engine, world.state(engine), ids)
    return last


def test_texts_are_scored_and_stored_once(world: World) -> None:
    ids = world.place("work", *(f"text {i}" for i in range(30)))
    engine = FakeEngine()
    assert run(world, engine, ids + ids) == Counts(scored=30)
    assert world.count(Prediction) == 90
    assert world.count(Exposure) == 0
    assert run(world, SilentEngine(), ids) == Counts(known=30)
    with serving(world, SilentEngine()) as service:
        assert service.ask(world.task(None, "text 3"))[0].result is not None


def test_a_run_that_was_broken_off_is_resumed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 4)
    monkeypatch.setattr(bulk, "LOOK", 10)
    ids = world.remember(*(f"text {i}" for i in range(25)))
    first = FakeEngine()
    steps = score_missing(world.store, first, world.state(first), ids)
    assert next(steps).done == 4
    assert next(steps).done == 8
    steps.close()
    seen: list[tuple[int, int]] = []
    second = FakeEngine()
    *_, last = score_missing(world.store, second, world.state(second), ids, progress=lambda *at: seen.append(at))
    assert last == Counts(scored=17, known=8)
    assert not set(first.texts) & set(second.texts)
    assert len(set(first.texts + second.texts)) == 25
    assert seen[-1] == (25, 25)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_texts_without_words_and_texts_that_fail_are_counted(world: World) -> None:
    ids = world.remember("good", "poison", " ", "erased")
    with world.store.writing() as s:
        s.execute(update(TextBody).where(TextBody.text_id == ids[3]).values(fields=None))
    counts = run(world, FakeEngine(poison=("poison",)), [*ids, 10**9])
    assert counts == Counts(scored=1, empty=3, failed=1, problem="The engine failed on this text (ValueError).")
    assert run(world, FakeEngine(), ids) == Counts(scored=1, known=1, empty=2)


def test_nothing_to_do_is_done(world: World) -> None:
    assert list(score_missing(world.store, FakeEngine(), world.state(FakeEngine()), [])) == []


def test_only_what_is_missing_is_asked(world: World) -> None:
    ids = world.remember("text")
    run(world, FakeEngine(), ids)
    with world.store.writing() as s:
        first = s.query(Prediction).order_by(Prediction.id).first()
        s.delete(first)
    engine = FakeEngine()
    assert run(world, engine, ids) == Counts(scored=1)
    assert len(engine.asked) == 1


def test_long_texts_come_last(world: World) -> None:
    ids = world.remember("a" * 50, "b", "c" * 20)
    engine = FakeEngine()
    run(world, engine, ids)
    assert engine.texts == [("b",), ("c" * 20,), ("a" * 50,)]
