from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from sqlalchemy import select

from backend.assist import streams
from backend.assist.streams import DrawError, draw, ties
from db import predictions, texts
from db.models import Draw, Placement, Project, Text
from db.predictions import ExposureRow
from db.store import Store
from db.texts import TextRow
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.world import World, make_world

FRESH = count()
WORDS = ["".join(random.Random(i).choices("bcdfghjklmnpqrstvwxz", k=7)) for i in range(400)]


def body(number: int) -> str:
    """A text that is like no other."""
    return " ".join(random.Random(number).choices(WORDS, k=12))


def remember(world: World, rows: Iterable[TextRow]) -> list[int]:
    with world.store.writing() as s:
        return texts.remember(s, world.project_id, list(rows))


def drawn(world: World, ids: list[int], audit: int, control: int, seed: int = 1) -> Draw:
    with world.store.writing() as s:
        return draw(s, s.get_one(Project, world.project_id), ids, audit=audit, control=control, seed=seed)


def placements(world: World) -> dict[int, tuple[int | None, int | None, str, str | None]]:
    mine = select(Placement).join(Text, Text.id == Placement.text_id).where(Text.project_id == world.project_id)
    with world.store.reading() as s:
        return {p.text_id: (p.draw_id, p.rank, p.stream, p.role) for p in s.scalars(mine)}


def test_a_draw_is_a_permutation_cut_into_streams(world: World) -> None:
    ids = remember(world, (TextRow((body(i),)) for i in range(100)))
    made = drawn(world, ids, audit=20, control=30)
    assert (made.number, made.seed, made.population, made.audit, made.control) == (1, 1, 100, 20, 30)
    by_rank = {rank: (stream, role) for _, rank, stream, role in placements(world).values()}
    assert sorted(rank for rank in by_rank if rank is not None) == list(range(100))
    assert [by_rank[rank][0] for rank in range(100)] == ["audit"] * 20 + ["control"] * 30 + ["work"] * 50
    assert [by_rank[rank][1] for rank in range(20)] == ["gate", "test"] * 10
    assert {by_rank[rank][1] for rank in range(20, 100)} == {None}
    assert {draw_id for draw_id, *_ in placements(world).values()} == {made.id}


def test_the_same_seed_and_texts_give_the_same_draw_whatever_their_ids(store: Store) -> None:
    def streams_of(key: str, seed: int, order: list[int]) -> dict[str, str]:
        world = make_world(store, key)
        drawn(world, remember(world, (TextRow((body(i),)) for i in order)), audit=5, control=5, seed=seed)
        return world.streams()

    forwards = list(range(60))
    first = streams_of("first", 7, forwards)
    assert streams_of("second", 7, forwards[::-1]) == first
    assert streams_of("third", 8, forwards) != first


def test_each_draw_of_a_project_has_a_permutation_of_its_own(world: World) -> None:
    orders = []
    for first in (0, 100):
        ids = remember(world, (TextRow((body(first + i),)) for i in range(40)))
        drawn(world, ids, audit=0, control=0, seed=7)
        with world.store.reading() as s:
            hashes = {text.id: text.content_hash for text in s.scalars(select(Text))}
        placed = placements(world)
        orders.append([placed[i][1] for i in sorted(ids, key=hashes.__getitem__)])
    assert sorted(orders[0], key=str) == sorted(orders[1], key=str)
    assert orders[0] != orders[1]


def test_near_duplicates_and_group_mates_stay_together(world: World) -> None:
    plain = [TextRow((body(i),)) for i in range(40)]
    edited = [TextRow((body(i).upper() + " !!",)) for i in range(10)]
    grouped = [TextRow((body(100 + i),), f"thread {i % 5}") for i in range(20)]
    both = [TextRow((body(100) + ".",)), TextRow((body(5) + " https://t.co/x",), "thread 1")]
    ids = remember(world, [*plain, *edited, *grouped, *both])
    made = drawn(world, ids, audit=12, control=8)
    assert made.population == 44  # 40 texts, of which one is tied to a group, and 5 groups
    placed = placements(world)
    ranks = defaultdict(set)
    for i in range(10):
        ranks[f"text {i}"] |= {placed[ids[i]], placed[ids[40 + i]]}
    for i in range(20):
        ranks[f"thread {i % 5}"].add(placed[ids[50 + i]])
    ranks["thread 0"].add(placed[ids[70]])
    ranks["thread 1"] |= {placed[ids[71]], placed[ids[5]], placed[ids[45]]}
    assert all(len(places) == 1 for places in ranks.values())
    with world.store.reading() as s:
        clusters = {text.id: text.cluster for text in s.scalars(select(Text))}
    assert {clusters[i] for i in ids} == {min(j for j in ids if placed[j] == placed[i]) for i in ids}


def test_later_draws_change_nothing_and_new_twins_join(world: World) -> None:
    first = remember(world, (TextRow((body(i),), f"thread {i}" if i < 3 else None) for i in range(50)))
    made = drawn(world, first, audit=10, control=10)
    before = placements(world)
    twins = remember(world, (TextRow((body(i).title() + "?",)) for i in range(50)))
    mates = remember(world, (TextRow((body(900 + i),), f"thread {i}") for i in range(3)))
    new = remember(world, (TextRow((body(1000 + i),)) for i in range(30)))
    later = drawn(world, first + twins + mates + new, audit=6, control=4)
    after = placements(world)
    assert {i: after[i] for i in first} == before
    assert [after[i] for i in twins] == [after[i] for i in first]
    assert [after[i] for i in mates] == [after[i] for i in first[:3]]
    assert (later.number, later.population) == (2, 30)
    assert Counter(after[i][2] for i in new) == {"audit": 6, "control": 4, "work": 20}
    assert {after[i][0] for i in new} == {later.id} != {made.id}
    assert Counter(after[i][3] for i in new if after[i][2] == "audit") == {"gate": 3, "test": 3}


def test_a_text_that_was_shown_is_work_and_so_are_its_twins(world: World) -> None:
    release = world.state(FakeEngine()).release_id
    ids = remember(world, (TextRow((body(i),)) for i in range(20)))
    twins = remember(world, (TextRow((body(i) + "!",)) for i in range(5)))
    with world.store.writing() as s:
        predictions.expose(s, [ExposureRow(ids[i], release, None, "found") for i in range(5)])
    made = drawn(world, [*ids[2:], *twins], audit=15, control=0)
    placed = placements(world)
    assert made.population == 15
    assert ids[0] not in placed  # not eligible: not placed, but known to have been shown
    assert {placed[i] for i in [*ids[2:5], *twins]} == {(None, None, "work", None)}
    assert {placed[i][2] for i in ids[5:]} == {"audit"}


def test_a_text_between_clusters_joins_the_audit_before_others(world: World) -> None:
    words = body(1).split()
    near, far = " ".join(words), " ".join([*words[:-3], "quite", "other", "end"])
    between = " ".join([*words[:-2], "other", "end"])
    assert len(set(streams.clusters({1: (near,), 2: (far,)}).values())) == 2
    assert len(set(streams.clusters({1: (near,), 2: (far,), 3: (between,)}).values())) == 1
    world.place("work", far)
    world.place("audit", near, rank=3)
    (joining,) = remember(world, [TextRow((between,))])
    drawn(world, [joining], audit=0, control=0)
    assert placements(world)[joining] == (None, 3, "audit", "gate")


def test_ties_may_be_found_beforehand(world: World) -> None:
    ids = remember(world, [TextRow((body(1),)), TextRow((body(1) + "!",)), TextRow((body(2),))])
    with world.store.reading() as s:
        tied = ties(s, world.project_id, ids)
    assert tied == {ids[0]: ids[0], ids[1]: ids[0], ids[2]: ids[2]}
    with world.store.writing() as s:
        texts.place_as_work(s, ids[:1])  # in the meantime it was asked for
        made = draw(s, s.get_one(Project, world.project_id), ids, audit=1, control=0, seed=1, tied=tied)
    assert made.population == 1
    assert [placements(world)[i][2] for i in ids] == ["work", "work", "audit"]


def test_a_corpus_that_is_too_small_is_said_and_nothing_is_placed(world: World) -> None:
    ids = remember(world, [TextRow((body(1),)), TextRow((body(1) + "!",)), TextRow((body(2),))])
    with pytest.raises(DrawError, match="only 2 can be drawn: 3 texts"):
        drawn(world, ids, audit=2, control=1)
    assert placements(world) == {}
    assert world.count(Draw) == 0


def test_texts_of_other_projects_are_left_alone(store: Store) -> None:
    one, other = make_world(store, "one"), make_world(store, "other")
    ids = remember(other, [TextRow((body(1),))])
    drawn(one, ids, audit=0, control=0)
    assert placements(other) == {}


def test_every_cluster_has_the_same_chance(store: Store) -> None:
    """Over many seeds each of 20 clusters, large or small, is in the audit, and comes first, equally often."""
    world = make_world(store)
    rows = [TextRow((body(i),), f"thread {i % 20}") for i in range(40)] + [
        TextRow((body(40 + i),), "thread 3") for i in range(9)
    ]
    ids = remember(world, rows)
    with store.reading() as s:
        tied = ties(s, world.project_id, ids)
    audits: Counter[int] = Counter()
    firsts: Counter[int] = Counter()
    seeds = 200
    for seed in range(seeds):
        with store.writing() as s:
            draw(s, s.get_one(Project, world.project_id), ids, audit=5, control=3, seed=seed, tied=tied)
            s.flush()
            placed = {p.text_id: p for p in s.scalars(select(Placement))}
            audits.update({tied[i] for i in ids if placed[i].stream == "audit"})
            firsts.update({tied[i] for i in ids if placed[i].rank == 0})
            s.rollback()
    assert sum(audits.values()) == 5 * seeds
    assert len(audits) == 20
    assert chisquare([audits[root] for root in set(tied.values())]).pvalue > 1e-4
    assert chisquare([firsts[root] for root in set(tied.values())]).pvalue > 1e-4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_comes_when_placements_stay_and_the_audit_has_its_size(store: Store, data: st.DataObject) -> None:
    world = make_world(store, f"any-{next(FRESH)}")
    before: dict[int, tuple[int | None, int | None, str, str | None]] = {}
    for _ in range(data.draw(st.integers(1, 3))):
        given_rows = data.draw(
            st.lists(
                st.tuples(
                    st.integers(0, 15), st.sampled_from(["", "!", " ?"]), st.sampled_from([None, None, "a", "b"])
                ),
                max_size=12,
            )
        )
        ids = remember(world, (TextRow((body(i) + end,), group) for i, end, group in given_rows))
        audit, control = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
        try:
            made = drawn(world, ids, audit, control, seed=data.draw(st.integers(0, 99)))
        except DrawError:
            assert placements(world) == before
            continue
        after = placements(world)
        assert before.items() <= after.items()
        assert after.keys() == before.keys() | set(ids)
        new = {place for i, place in after.items() if i not in before and place[0] == made.id}
        assert Counter(place[2] for place in new)["audit"] == audit
        assert len(new) == made.population
        before = after
