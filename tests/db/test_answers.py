from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from db import answers, projects, texts
from db.answers import LiveAnswer, ValueFact
from db.models import Answer, AnswerValue, AnswerVersion, Coder, Tombstone
from db.store import Store, open_store, sqlite_url
from db.texts import PlacementRow, TaskRow
from tests.db.world import World, at, make_world


def live(world: World) -> list[LiveAnswer]:
    with world.store.reading() as s:
        return answers.live(s, world.project.id)


def said(world: World) -> list[tuple[int, list[int | None]]]:
    """(annotation id, label ids) of what is live."""
    return [(a.annotation_id, [v.label_id for v in a.values]) for a in live(world)]


def test_an_answer_comes_back_with_all_that_was_said(world: World) -> None:
    humor, offense = world.questions.values()
    values = (
        ValueFact(humor, world.labels["humor", "yes"], None, "kept"),
        ValueFact(humor, world.labels["humor", "no"], None, "changed"),
        ValueFact(offense, None, 2.5, "human"),
    )
    with world.store.writing() as s:
        coder = answers.coder(s, world.project.id, world.assisted.server_id, 3)
        texts.place(s, [PlacementRow(world.text, None, 4, "control")])
        fact = world.fact(
            1, 5, values=values, coder_id=coder.id, origin="changed", lead_time=3.25, ground_truth=True,
            release_id=world.release.id, notes={"why": "ü"}, problems=["An unknown label."],
        )  # fmt: skip
        assert answers.record(s, fact) is True
        assert answers.record(s, fact) is False
    (answer,) = live(world)
    expected = asdict(fact)
    assert {name: value for name, value in asdict(answer).items() if name in expected} == {
        name: value for name, value in expected.items() if name != "notes"
    }
    assert (answer.text_id, answer.stream, answer.role, answer.ls_role) == (world.text, "control", None, "assisted")
    with world.store.reading() as s:
        version = s.get_one(AnswerVersion, answer.version_id)
        assert (version.notes, version.problems) == ({"why": "ü"}, ["An unknown label."])
        assert s.get_one(Answer, answer.answer_id).coder_id == coder.id


def test_the_latest_version_counts_whenever_it_came(world: World) -> None:
    yes, no = world.labels["humor", "yes"], world.labels["humor", "no"]
    with world.store.writing() as s:
        answers.record(s, world.fact(1, 20, "no"))
        answers.record(s, world.fact(1, 10, "yes"))
    assert said(world) == [(1, [no])]
    with world.store.writing() as s:
        assert answers.record(s, world.fact(1, 20, "yes", via="sync")) is False
        answers.record(s, world.fact(1, 30, "yes"))
    assert said(world) == [(1, [yes])]
    with world.store.reading() as s:
        assert s.scalars(select(func.count(AnswerVersion.id))).one() == 3
        assert s.scalars(select(func.count(AnswerValue.id))).one() == 3


def test_a_delete_before_its_create_holds(world: World) -> None:
    with world.store.writing() as s:
        assert answers.bury(s, world.assisted.id, [1, 2], "webhook") == 2
        assert answers.bury(s, world.assisted.id, [2, 3], "sync") == 1
        assert answers.bury(s, world.assisted.id, [], "sync") == 0
        assert answers.record(s, world.fact(1, 1)) is True
        answers.record(s, world.fact(4, 1))
    assert [a.annotation_id for a in live(world)] == [4]


def test_the_audit_projects_annotations_are_others(world: World) -> None:
    with world.store.writing() as s:
        answers.record(s, world.fact(1, 1))
        answers.record(s, world.fact(1, 1, ls_project_id=world.audit.id, ls_task_id=world.audit_task))
        answers.bury(s, world.assisted.id, [1], "webhook")
    (answer,) = live(world)
    assert (answer.ls_project_id, answer.ls_role, answer.ls_task_id) == (world.audit.id, "audit", world.audit_task)


def test_answers_of_deleted_tasks_are_kept_but_not_live(world: World) -> None:
    with world.store.writing() as s:
        answers.record(s, world.fact(1, 1))
        texts.delete_tasks(s, world.assisted.id, [10])
    assert live(world) == []
    with world.store.reading() as s:
        assert s.scalars(select(func.count(AnswerValue.id))).one() == 1


def test_an_answer_stays_with_the_text_that_was_coded(world: World) -> None:
    with world.store.writing() as s:
        answers.record(s, world.fact(1, 1))
        ((_, edited),) = texts.remember_tasks(s, world.assisted, [TaskRow(10, "a", ("Why did the hen?",))])
        answers.record(s, world.fact(2, 1))
    assert [(a.annotation_id, a.text_id) for a in live(world)] == [(1, world.text), (2, edited)]


def test_skips_and_other_projects(store: Store) -> None:
    world, other = make_world(store), make_world(store, "other")
    with store.writing() as s:
        answers.record(s, world.fact(1, 1, values=(), cancelled=True))
        answers.record(s, other.fact(9, 1))
    assert [(a.annotation_id, a.cancelled, a.values) for a in live(world)] == [(1, True, ())]
    assert [a.annotation_id for a in live(other)] == [9]


def test_a_coder_learned_later_is_kept(world: World) -> None:
    with world.store.writing() as s:
        coder = answers.coder(s, world.project.id, world.assisted.server_id, 3)
        answers.record(s, world.fact(1, 1))
        answers.record(s, world.fact(1, 2, coder_id=coder.id))
        answers.record(s, world.fact(1, 3))
    assert [a.coder_id for a in live(world)] == [coder.id]


def test_coders_have_pseudonyms_in_order_of_appearance(world: World) -> None:
    with world.store.writing() as s:
        server, elsewhere = world.assisted.server_id, projects.server(s, "http://elsewhere.example").id
        users = [(server, 5), (server, 3), (server, 5), (elsewhere, 5)]
        coders = [answers.coder(s, world.project.id, where, user) for where, user in users]
    assert [c.pseudonym for c in coders] == ["coder-1", "coder-2", "coder-1", "coder-3"]
    with world.store.writing() as s:
        assert answers.coder(s, world.project.id, server, 3).id == coders[1].id
        assert s.scalars(select(func.count(Coder.id))).one() == 3


# -- any order, any number of times


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(sqlite_url(Path(tmp_path_factory.mktemp("answers"))))
    yield store
    store.close()


Event = tuple[Any, ...]  # ("say", annotation, minute, label, skipped) | ("bury", annotations)
LABELS = ("no", "yes")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """What happened, in order, and the same as it arrived: shuffled, with some of it twice or thrice.

    A deleted annotation never comes back: Label Studio gives what is created anew a new number.
    """
    happened: list[Event] = []
    alive: list[int] = []
    numbers = count(1)
    for minute in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["create", "update", "delete"])) if alive else "create"
        if kind == "delete":
            gone = draw(st.lists(st.sampled_from(alive), min_size=1, max_size=2, unique=True))
            alive = [a for a in alive if a not in gone]
            happened.append(("bury", tuple(gone)))
            continue
        if kind == "create":
            alive.append(next(numbers))
        annotation = alive[-1] if kind == "create" else draw(st.sampled_from(alive))
        happened.append(("say", annotation, minute, draw(st.sampled_from(LABELS)), draw(st.booleans())))
    again = draw(st.lists(st.sampled_from(happened), max_size=8))
    return happened, draw(st.permutations(happened + again))


WORLDS = count()


@settings(max_examples=60, deadline=None)
@given(history=histories(), together=st.integers(1, 5))
def test_any_order_and_number_of_arrivals_gives_the_same_answers(
    one_store: Store, history: tuple[list[Event], list[Event]], together: int
) -> None:
    happened, arrived = history
    world = make_world(one_store, f"p{next(WORLDS)}")
    for start in range(0, len(arrived), together):
        with one_store.writing() as s:
            for event in arrived[start : start + together]:
                if event[0] == "bury":
                    answers.bury(s, world.assisted.id, event[1], "webhook")
                else:
                    _, annotation, minute, label, skipped = event
                    answers.record(s, world.fact(annotation, minute, label, cancelled=skipped))
    truth: dict[int, tuple[str, bool]] = {}
    for event in happened:
        if event[0] == "bury":
            for annotation in event[1]:
                del truth[annotation]
        else:
            truth[event[1]] = event[3:]
    label_ids = {label: world.labels["humor", label] for label in LABELS}
    found = {a.annotation_id: (a.values[0].label_id, a.cancelled) for a in live(world)}
    assert found == {a: (label_ids[label], skipped) for a, (label, skipped) in truth.items()}
    with one_store.reading() as s:
        versions = select(func.count(AnswerVersion.id)).join(Answer).where(Answer.ls_project_id == world.assisted.id)
        assert s.scalars(versions).one() == sum(event[0] == "say" for event in happened)
        buried = select(func.count(Tombstone.id)).where(Tombstone.ls_project_id == world.assisted.id)
        assert s.scalars(buried).one() == sum(len(event[1]) for event in happened if event[0] == "bury")
    assert all(
        a.updated_at == at(next(e[2] for e in reversed(happened) if e[:2] == ("say", a.annotation_id)))
        for a in live(world)
    )
