from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from backend.assist.catalogue import Catalogue
from backend.assist.growing import Grown, carry_on
from db import predictions, texts
from db.models import Draw, Snapshot, SnapshotItem
from db.predictions import ExposureRow
from db.texts import TextRow
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.test_streams import body, drawn, placements, remember
from tests.backend.assist.world import World


def grow(world: World, audit: int, control: int = 0) -> Grown:
    with world.store.writing() as s:
        return carry_on(s, world.project_id, audit=audit, control=control)


def by_rank(world: World) -> dict[int, tuple[str, str | None]]:
    return {rank: (stream, role) for _, rank, stream, role in placements(world).values() if rank is not None}


def at_rank(world: World, rank: int) -> int:
    return next(text for text, (_, at, _, _) in placements(world).items() if at == rank)


def show(world: World, text: int) -> None:
    state = Catalogue(world.store, FakeEngine().identity).state(world.key)
    with world.store.writing() as s:
        predictions.expose(s, [ExposureRow(text, state.release_id, None, "push")])


def train(world: World, text: int) -> None:
    state = Catalogue(world.store, FakeEngine().identity).state(world.key)
    with world.store.writing() as s:
        snapshot = Snapshot(project_id=world.project_id, hash="x", revision_id=state.revision_id, rule={})
        s.add(snapshot)
        s.flush()
        question = state.question_ids["humor"]
        s.add(SnapshotItem(snapshot_id=snapshot.id, text_id=text, question_id=question, value={}, split="train"))


def draws(world: World) -> list[tuple[int, int, int]]:
    with world.store.reading() as s:
        found = s.scalars(select(Draw).where(Draw.project_id == world.project_id).order_by(Draw.number))
        return [(draw.population, draw.audit, draw.control) for draw in found]


def test_a_draw_without_an_audit_becomes_what_it_would_have_been(world: World) -> None:
    ids = remember(world, (TextRow((body(i),)) for i in range(40)))
    drawn(world, ids, audit=0, control=0)
    order = {rank: at_rank(world, rank) for rank in range(40)}
    assert grow(world, audit=9, control=6) == Grown(9, 6, 15, 0, 0)
    found = by_rank(world)
    assert [found[rank][0] for rank in range(40)] == ["audit"] * 9 + ["control"] * 6 + ["work"] * 25
    assert [found[rank][1] for rank in range(9)] == ["gate", "test"] * 4 + ["gate"]
    assert {rank: at_rank(world, rank) for rank in range(40)} == order
    assert draws(world) == [(40, 9, 6)]


def test_gate_and_test_go_on_in_turn_behind_the_controls(world: World) -> None:
    ids = remember(world, (TextRow((body(i),)) for i in range(20)))
    drawn(world, ids, audit=3, control=2)
    grow(world, audit=3, control=1)
    found = by_rank(world)
    assert [found[rank] for rank in range(5, 10)] == [
        ("audit", "test"),
        ("audit", "gate"),
        ("audit", "test"),
        ("control", None),
        ("work", None),
    ]
    assert draws(world) == [(20, 6, 3)]


def test_the_audit_ends_before_the_first_that_was_shown_and_does_not_pass_it_over(world: World) -> None:
    ids = remember(world, (TextRow((body(i),)) for i in range(12)))
    drawn(world, ids, audit=2, control=1)
    show(world, at_rank(world, 5))
    assert grow(world, audit=6, control=2) == Grown(2, 2, 4, 4, 0)
    found = by_rank(world)
    assert [found[rank][0] for rank in range(12)] == (
        ["audit"] * 2 + ["control"] + ["audit"] * 2 + ["control"] * 2 + ["work"] * 5
    )


def test_what_a_model_was_trained_on_joins_neither(world: World) -> None:
    ids = remember(world, (TextRow((body(i),)) for i in range(8)))
    drawn(world, ids, audit=2, control=1)
    train(world, at_rank(world, 3))
    assert grow(world, audit=1, control=1) == Grown(0, 0, 0, 1, 1)
    assert Counter(stream for stream, _ in by_rank(world).values()) == {"audit": 2, "control": 1, "work": 5}


def test_texts_that_belong_together_join_together_or_not_at_all(world: World) -> None:
    rows = [TextRow((body(i),), group_key=f"author {i // 3}") for i in range(15)]
    ids = remember(world, rows)
    drawn(world, ids, audit=1, control=0)
    assert grow(world, audit=1) == Grown(1, 0, 3, 0, 0)
    work = [text for text, (_, rank, _, _) in placements(world).items() if rank == 2]
    assert len(work) == 3
    show(world, work[1])
    assert grow(world, audit=1) == Grown(0, 0, 0, 1, 0)


def test_of_several_draws_the_one_with_the_smaller_part_gives(world: World) -> None:
    drawn(world, remember(world, (TextRow((body(i),)) for i in range(20))), audit=4, control=0)
    drawn(world, remember(world, (TextRow((body(i),)) for i in range(100, 110))), audit=0, control=0)
    grow(world, audit=5)
    assert [audit for _, audit, _ in draws(world)] == [6, 3]


def test_there_is_no_more_than_there_is(world: World) -> None:
    drawn(world, remember(world, (TextRow((body(i),)) for i in range(6))), audit=1, control=1)
    assert grow(world, audit=9, control=9) == Grown(4, 0, 4, 5, 9)
    assert grow(world, audit=1) == Grown(0, 0, 0, 1, 0)


def test_texts_that_no_draw_had_stay_where_they_are(world: World) -> None:
    ids = remember(world, [TextRow((body(1),))])
    with world.store.writing() as s:
        texts.place_as_work(s, ids)
    assert grow(world, audit=1) == Grown(0, 0, 0, 1, 0)


def test_a_running_server_looks_for_the_codebooks_examples_again(world: World) -> None:
    """What it keeps of a state must not outlive the audit's growth."""
    drawn(world, remember(world, (TextRow((body(i),)) for i in range(6))), audit=1, control=1)
    catalogue = Catalogue(world.store, FakeEngine().identity)
    before = catalogue.state(world.key)
    assert catalogue.state(world.key) is before
    grow(world, audit=1)
    assert catalogue.state(world.key) is not before
