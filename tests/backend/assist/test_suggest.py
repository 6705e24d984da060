from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from sqlalchemy import select

from backend.assist import desk
from backend.assist.request import NO_COLUMN, NO_TEXT
from backend.assist.suggest import Suggestion, TaskIn
from backend.engines.keyword import KeywordEngine
from db import releases, texts
from db.models import (
    Calibration,
    CodebookRevision,
    Exposure,
    LsProject,
    LsTask,
    Placement,
    Prediction,
    Release,
    Scorer,
    Text,
    Unit,
)  # fmt: skip
from db.store import Store
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Question
from labelstudio_config.regions import read_regions
from tests.backend.assist.engines import FakeEngine, SilentEngine, scores
from tests.backend.assist.world import BOOK, HUMOR, STARS, TOPICS, YEAR, World, labels, make_world, serving

BODIES = [f"post number {i}" for i in range(40)]


def test_each_task_gets_a_suggestion_for_every_question_but_numbers(world: World) -> None:
    with serving(world, FakeEngine()) as service:
        answers = service.ask(*(world.task(i, body) for i, body in enumerate(BODIES)))
    assert len(answers) == len(BODIES)
    for body, answer in zip(BODIES, answers, strict=True):
        assert answer.result is not None
        read = read_regions(BOOK, answer.result)
        assert read.problems == ()
        for question in (HUMOR, STARS):
            p = np.exp(scores(question, [(body,)]).log_probabilities[0])
            assert read.values[question.id].label_ids == (question.labels[int(p.argmax())].id,)
            region = next(r for r in answer.result if r["from_name"] == question.name)
            assert region["score"] == pytest.approx(p.max())
        each = np.exp(scores(TOPICS, [(body,)]).log_probabilities[0])
        likely = [label.id for label, p in zip(TOPICS.labels, each, strict=True) if p >= 0.5]
        assert read.values["topics"].label_ids == tuple(likely) if likely else "topics" in read.unticked
        assert "year" not in read.values
        assert 0.1 <= answer.score <= 0.9
    assert len({answer.score for answer in answers}) > 30


def test_a_codebook_of_numbers_alone_gets_no_suggestion(store: Store) -> None:
    world = make_world(store, codebook=Codebook("years", "Years", (YEAR,)))
    with serving(world, FakeEngine()) as service:
        (answer,) = service.ask(world.task(1, "in 1999"))
    assert (answer.result, answer.reason != "", math.isfinite(answer.score)) == (None, True, True)
    assert world.count(Text) == 0


def test_what_is_in_the_store_is_answered_without_the_engine(world: World) -> None:
    tasks = [world.task(i, body) for i, body in enumerate(BODIES)]
    with serving(world, FakeEngine()) as service:
        first = service.ask(*tasks)
        assert service.ask(*tasks) == first
    engine = SilentEngine()
    with serving(world, engine) as service:
        assert service.ask(*tasks) == first
    assert engine.asked == []
    assert world.count(Prediction) == 3 * len(BODIES)


def test_the_keyword_engine_suggests(world: World) -> None:
    with serving(world, KeywordEngine()) as service:
        (answer,) = service.ask(world.task(1, "health and money"))
    assert answer.result is not None
    assert next(r for r in answer.result if r["from_name"] == "topics")["value"] == {"choices": ["money", "health"]}


def test_a_text_that_many_ask_for_at_once_is_scored_once(world: World) -> None:
    engine = FakeEngine()
    with serving(world, engine) as service:
        answers = service.ask_all([[world.task(i, "the same text")] for i in range(100)])
    assert {len(answer) for answer in answers} == {1}
    assert all(answer[0] == answers[0][0] and answer[0].result is not None for answer in answers)
    assert sorted(engine.asked) == sorted((q.id, [("the same text",)]) for q in (HUMOR, TOPICS, STARS))
    assert sorted(task or 0 for _, _, task, _ in world.exposed()) == list(range(100))


def test_a_long_request_is_cut_into_groups_and_keeps_its_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PART", 7)
    bodies = [f"text {i % 60}" for i in range(100)]
    with serving(world, FakeEngine()) as service:
        alone = {body: service.ask(world.task(None, body))[0] for body in set(bodies)}
        both_ways = (bodies, bodies[::-1], [])
        several = service.ask_all([[world.task(i, body) for i, body in enumerate(part)] for part in both_ways])
    assert several == [[alone[b] for b in bodies], [alone[b] for b in bodies[::-1]], []]
    assert world.count(Text) == 60


def test_a_text_that_is_new_is_remembered_as_work(world: World) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    with serving(world, FakeEngine()) as service:
        service.ask(world.task(11, apart), world.task(12, composed), TaskIn(None, ("no task",), None))
    with world.store.reading() as s:
        placements = s.scalars(select(Placement)).all()
        units = {unit.external_id: unit for unit in s.scalars(select(Unit))}
        tasks = {task.task_id: task.unit_id for task in s.scalars(select(LsTask))}
        words = texts.bodies(s, [unit.text_id for unit in units.values()])
    assert words == {units[f"{world.assisted}/11"].text_id: (composed,)}
    assert {(p.stream, p.draw_id, p.rank, p.role) for p in placements} == {("work", None, None, None)}
    assert len(placements) == 2
    assert tasks == {n: units[f"{world.assisted}/{n}"].id for n in (11, 12)}
    assert world.streams() == {composed: "work", "no task": "work"}


def test_texts_and_tasks_that_are_known_are_not_remembered_again(world: World) -> None:
    with world.store.writing() as s:
        row = texts.TaskRow(5, "row 5", ("known",), row=5)
        known = texts.remember_tasks(s, s.get_one(LsProject, world.assisted), [row])
    with serving(world, FakeEngine()) as service:
        for _ in range(2):
            assert service.ask(world.task(5, "known"))[0].result is not None
    assert (world.count(Text), world.count(Unit), world.count(LsTask)) == (1, 1, 1)
    with world.store.reading() as s:
        assert set(s.execute(select(Exposure.ls_task_id, Exposure.text_id)).all()) == set(known)


@pytest.mark.parametrize("fields", [("",), (" \t\n\u00a0",)])
def test_an_empty_text_is_left_out(world: World, fields: tuple[str, ...]) -> None:
    with serving(world, FakeEngine()) as service:
        answers = service.ask(world.task(1, *fields), world.task(2, "words"), TaskIn(3, None, world.assisted))
    assert answers[0] == NO_TEXT
    assert answers[1].result is not None
    assert answers[2] == NO_COLUMN
    assert world.streams() == {"words": "work"}


def test_a_pair_is_asked_only_what_is_about_texts_that_are_there(store: Store) -> None:
    both = (Field("post", "post"), Field("reply", "reply"))
    pair = Question("insult", "insult", Kind.SINGLE, Control.CHOICES, both, labels("no", "yes"))
    alone = Question("humor", "humor", Kind.SINGLE, Control.CHOICES, both[:1], labels("no", "yes"))
    world = make_world(store, codebook=Codebook("pairs", "Pairs", (pair, alone)))
    engine = FakeEngine()
    with serving(world, engine) as service:
        whole, half, other = service.ask(world.task(1, "a", "b"), world.task(2, "a", " "), world.task(3, "", "b"))
    assert [r["from_name"] for r in whole.result or []] == ["insult", "humor"]
    assert [r["from_name"] for r in half.result or []] == ["humor"]
    assert other == NO_TEXT
    assert ("insult", [("a", "b")]) in engine.asked


def test_every_suggestion_that_is_handed_out_is_an_exposure(world: World) -> None:
    with serving(world, FakeEngine()) as service:
        release = service.state.release_id
        service.ask(world.task(1, "one"), world.task(2, "two"), world.task(None, "three"), world.task(4, ""))
        service.ask(world.task(1, "one"), channel="interactive")
        service.ask(TaskIn(9, ("one",), None))
    assert world.exposed() == [
        ("one", release, 1, "interactive"),
        ("one", release, 1, "predict"),
        ("one", release, None, "predict"),
        ("three", release, None, "predict"),
        ("two", release, 2, "predict"),
    ]


def test_calibration_is_applied_on_reading_and_never_stored(world: World) -> None:
    with serving(world, FakeEngine()) as service:
        (raw,) = service.ask(world.task(1, "words"))
    with world.store.writing() as s:
        release = s.get_one(Release, service.state.release_id)
        scorer, revision = s.get_one(Scorer, release.scorer_id), s.get_one(CodebookRevision, release.revision_id)
        calibration = Calibration(scorer_id=scorer.id, version=1, parameters={"humor": {"temperature": 4.0}})
        s.add(calibration)
        s.flush()
        policy = release.order_policy
        new = releases.release(s, world.project_id, scorer, revision, calibration=calibration, order_policy=policy)
        releases.point(s, world.project_id, new, by="test", reason="calibrated")
    engine = SilentEngine()
    with serving(world, engine) as service:
        assert service.state.temperatures == {"humor": 4.0}
        (read,) = service.ask(world.task(1, "words"))
    assert engine.asked == []
    p = np.exp(scores(HUMOR, [("words",)]).log_probabilities[0] / 4)
    first, second = (next(r for r in a.result or [] if r["from_name"] == "humor") for a in (raw, read))
    assert second["score"] == pytest.approx((p / p.sum()).max())
    assert second["score"] < first["score"]
    assert second["value"] == first["value"]
    assert world.count(Prediction) == 3


def test_a_request_that_is_cancelled_harms_nobody(world: World) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    with serving(world, engine) as service:

        async def both() -> list[Suggestion]:
            gone = asyncio.create_task(service.suggest(world.task(1, "words")))
            stays = asyncio.create_task(service.suggest(world.task(2, "words")))
            await asyncio.to_thread(engine.entered.acquire)
            gone.cancel()
            engine.gate.set()
            with pytest.raises(asyncio.CancelledError):
                await gone
            return await stays

        assert asyncio.run(both())[0].result is not None
