from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from db.base import NaiveTimeError, now
from db.dialect import insert_new
from db.models import Lease
from db.store import Store

NAIVE = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - that it is refused is the point


def test_a_naive_time_is_refused_on_every_way_in(store: Store) -> None:
    lease = {"name": "a", "holder": "b", "acquired_at": now(), "expires_at": NAIVE}
    with pytest.raises(StatementError, match="time zone"), store.writing() as s:
        s.execute(insert(Lease), [lease])
    with pytest.raises(StatementError, match="time zone"), store.writing() as s:
        s.add(Lease(**lease))
    with pytest.raises(NaiveTimeError, match="time zone"), store.writing() as s:
        insert_new(s, Lease, [lease])
    with pytest.raises(StatementError, match="time zone"), store.reading() as s:
        s.execute(select(Lease).where(Lease.expires_at > NAIVE))
    with store.reading() as s:
        assert s.scalars(select(Lease)).all() == []


def test_a_time_comes_back_as_the_same_moment_in_utc(store: Store) -> None:
    there = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with store.writing() as s:
        s.add(Lease(name="a", holder="b", acquired_at=there, expires_at=there))
        insert_new(s, Lease, [{"name": "c", "holder": "b", "acquired_at": there, "expires_at": there}])
    with store.reading() as s:
        for back in s.scalars(select(Lease.expires_at)):
            assert back == there
            assert back.tzinfo is UTC
        earlier = select(Lease).where(Lease.expires_at < there + timedelta(microseconds=1))
        assert len(s.scalars(earlier).all()) == 2
        assert s.scalars(select(Lease).where(Lease.expires_at < there)).all() == []


def test_now_is_aware_and_utc() -> None:
    assert now().utcoffset() == timedelta(0)
