from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.together import Fault, packed, together
from db.models import LsServer
from db.store import Store, StoreBusyError


def insert(s: Session, urls: Sequence[str]) -> int:
    s.add_all([LsServer(url=url) for url in urls])
    s.flush()
    if "wrong" in urls:
        raise ValueError("wrong")
    return len(urls)


def urls_of(store: Store) -> list[str]:
    with store.reading() as s:
        return sorted(s.scalars(select(LsServer.url)))


def test_all_in_one_transaction(store: Store) -> None:
    assert list(together(store, ["a", "b"], insert)) == [(["a", "b"], 2)]
    assert urls_of(store) == ["a", "b"]


def test_one_at_fault_stands_alone(store: Store) -> None:
    pieces = ["a", "b", "wrong", "c", "d"]
    results = list(together(store, pieces, insert))
    assert [piece for part, _ in results for piece in part] == pieces
    assert [part for part, result in results if isinstance(result, Fault)] == [["wrong"]]
    assert urls_of(store) == ["a", "b", "c", "d"]


def test_a_key_that_is_taken_stands_alone(store: Store) -> None:
    list(together(store, ["b"], insert))
    results = list(together(store, ["a", "b", "c"], insert))
    assert [part for part, result in results if isinstance(result, Fault)] == [["b"]]
    assert urls_of(store) == ["a", "b", "c"]


def test_a_busy_store_is_asked_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def busy(_: Store) -> Any:
        asked.append(1)
        raise StoreBusyError

    monkeypatch.setattr(Store, "writing", busy)
    ((part, result),) = together(store, ["a", "b", "c"], insert)
    assert part == ["a", "b", "c"]
    assert isinstance(result, Fault)
    assert isinstance(result.error, StoreBusyError)
    assert asked == [1]


@given(st.lists(st.integers(0, 12)), st.integers(1, 10))
def test_packs_keep_the_order_and_the_size(sizes: list[int], most: int) -> None:
    packs = list(packed(sizes, lambda size: size, most))
    assert [size for pack in packs for size in pack] == sizes
    assert all(sum(pack) <= most or len(pack) == 1 for pack in packs)
    assert all(sum(one) + other[0] > most for one, other in pairwise(packs))
