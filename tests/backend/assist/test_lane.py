from __future__ import annotations

import logging
import threading

import pytest

from backend.assist import lane
from backend.assist.lane import Lane


def test_what_comes_while_it_is_busy_is_taken_together_and_in_order() -> None:
    groups: list[list[int]] = []
    busy, go_on = threading.Event(), threading.Event()

    def handle(group: list[int]) -> None:
        groups.append(group)
        busy.set()
        assert go_on.wait(30)

    numbers: Lane[int] = Lane("numbers", handle)
    numbers.start()
    numbers.put(0)
    assert busy.wait(30)
    for i in range(1, 100):
        numbers.put(i)
    go_on.set()
    numbers.close()
    assert groups == [[0], list(range(1, 100))]


def test_a_group_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MOST", 3)
    groups: list[list[int]] = []
    numbers: Lane[int] = Lane("numbers", groups.append)
    for i in range(7):
        numbers.put(i)
    numbers.start()
    numbers.close()
    assert groups == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_small_group_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "PAUSE", 0.3)
    groups: list[list[int]] = []
    numbers: Lane[int] = Lane("numbers", groups.append, lambda: 2)
    numbers.start()
    numbers.put(0)
    numbers.put(1)
    numbers.close()
    assert groups == [[0, 1]]


def test_the_next_group_is_handled_whatever_one_does(caplog: pytest.LogCaptureFixture) -> None:
    handled: list[int] = []

    def handle(group: list[int]) -> None:
        if 0 in group:
            raise ValueError("a SECRET text")
        handled.extend(group)

    numbers: Lane[int] = Lane("numbers", handle)
    numbers.start()
    with caplog.at_level(logging.DEBUG):
        numbers.put(0)
        while not caplog.records:
            threading.Event().wait(0.01)
        numbers.put(1)
        numbers.close()
    assert handled == [1]
    assert "SECRET" not in caplog.text


def test_a_lane_that_was_never_started_can_be_closed() -> None:
    Lane[int]("numbers", lambda group: None).close()
