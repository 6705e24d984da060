from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from db.base import now
from db.dialect import chunks, fetch, insert_new
from db.models import Inbox, LsServer, LsTask
from db.store import Store


def test_chunks_keep_the_order_and_lose_nothing() -> None:
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_only_what_is_new_is_inserted_and_counted(store: Store) -> None:
    with store.writing() as s:
        assert insert_new(s, LsServer, []) == 0
        assert insert_new(s, LsServer, [{"url": "a"}, {"url": "b"}, {"url": "a"}]) == 2
        assert insert_new(s, LsServer, [{"url": "b"}, {"url": "c"}]) == 1
        assert insert_new(s, LsServer, [{"url": "c"}]) == 0
        assert s.scalars(select(LsServer.url).order_by(LsServer.id)).all() == ["a", "b", "c"]


def test_defaults_and_values_in_common_are_filled_in(store: Store) -> None:
    before = now()
    rows = [{"event_key": key, "body": {"a": [1, "ü", None]}, "applied_at": None} for key in ("x", "y")]
    with store.writing() as s:
        insert_new(s, Inbox, rows, kind="K", body_hash="0", project_id=None, error=None)
        for row in s.scalars(select(Inbox)):
            assert (row.kind, row.attempts, row.body, row.applied_at) == ("K", 0, {"a": [1, "ü", None]}, None)
            assert before <= row.created_at <= now()


def test_a_row_that_refers_to_nothing_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as s:
        insert_new(s, LsTask, [{"unit_id": 999, "ls_project_id": 999, "task_id": 1, "deleted_at": None}])


def test_a_list_is_one_parameter_of_a_query(store: Store) -> None:
    names = ["a", "b'; --", "ü", "%s", ":x"]
    with store.writing() as s:
        insert_new(s, LsServer, [{"url": name} for name in names])
        query = "SELECT url FROM ls_server WHERE url IN [names] AND id > :least ORDER BY id"
        assert [url for (url,) in fetch(s, query, names=[*names, "z"], least=0)] == names
        assert fetch(s, query, names=[], least=0) == []
        assert [url for (url,) in fetch(s, query, names=names, least=4)] == [":x"]
        ids = [row[0] for row in fetch(s, "SELECT id FROM ls_server WHERE id IN [ids]", ids=[2, 3, 99])]
        assert sorted(ids) == [2, 3]
