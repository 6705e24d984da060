from __future__ import annotations

from db import inbox
from db.inbox import ATTEMPTS, Event
from db.store import Store
from tests.db.world import World, make_world


def event(world: World, key: str | None, n: int = 0) -> Event:
    return Event(world.project.id, "ANNOTATION_CREATED", key, {"annotation": {"id": n, "notes": ["ü 😀"]}})


def test_an_event_is_kept_once_whatever_it_says(world: World) -> None:
    with world.store.inbox() as s:
        assert inbox.append(s, [event(world, "a", 1), event(world, "b", 2), event(world, "a", 3)]) == 2
    with world.store.inbox() as s:
        assert inbox.append(s, [event(world, "a", 4)]) == 0
        assert inbox.append(s, []) == 0
    with world.store.reading() as s:
        rows = inbox.pending(s, 10)
        assert [(row.event_key, row.body["annotation"]["id"]) for row in rows] == [("a", 1), ("b", 2)]
        assert rows[0].body == event(world, "a", 1).body
        assert len({row.body_hash for row in rows}) == 2


def test_events_without_a_key_repeat(world: World) -> None:
    with world.store.inbox() as s:
        assert inbox.append(s, [event(world, None), event(world, None), Event(None, "X", None, {})]) == 3


def test_projects_do_not_share_keys(store: Store) -> None:
    a, b = make_world(store, "a"), make_world(store, "b")
    with store.inbox() as s:
        assert inbox.append(s, [event(a, "k"), event(b, "k")]) == 2


def test_a_body_of_any_text_is_kept(world: World) -> None:
    body = {"lone": "\ud83d", "deep": [{"a": [None, True, 1.5]}], "": "\t"}
    with world.store.inbox() as s:
        inbox.append(s, [Event(world.project.id, "X", None, body)])
    with world.store.reading() as s:
        assert inbox.pending(s, 1)[0].body == body


def test_what_is_applied_or_given_up_waits_no_longer(world: World) -> None:
    with world.store.inbox() as s:
        inbox.append(s, [event(world, key) for key in "abc"])
    with world.store.reading() as s:
        first, second, third = inbox.pending(s, 10)
        assert [row.id for row in inbox.pending(s, 2)] == [first.id, second.id]
    with world.store.writing() as s:
        inbox.failed(s, first.id, "The task is not known.")
        inbox.applied(s, first.id)
        inbox.applied(s, third.id)
    for attempt in range(ATTEMPTS):
        with world.store.writing() as s:
            (waiting,) = inbox.pending(s, 10)
            assert (waiting.id, waiting.attempts) == (second.id, attempt)
            inbox.failed(s, second.id, f"Attempt {attempt} failed.")
    with world.store.reading() as s:
        assert inbox.pending(s, 10) == []
        done, given_up, _ = (s.get_one(type(row), row.id) for row in (first, second, third))
        assert done.applied_at is not None
        assert done.error is None
        assert (given_up.error, given_up.applied_at) == ("Attempt 4 failed.", None)


def test_an_event_that_is_applied_and_then_undone_still_waits(world: World) -> None:
    with world.store.inbox() as s:
        inbox.append(s, [event(world, "a")])
    try:
        with world.store.writing() as s:
            inbox.applied(s, inbox.pending(s, 1)[0].id)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with world.store.reading() as s:
        assert len(inbox.pending(s, 10)) == 1
