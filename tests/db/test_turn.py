from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.turn import LASTS, Turn


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Turn, Turn]]:
    """Two who look at the same signs."""
    with closing(Turn(tmp_path / "turn")) as one, closing(Turn(tmp_path / "turn")) as other:
        yield one, other


def test_nobody_waits_at_first(two: tuple[Turn, Turn]) -> None:
    assert [(turn.urgent, turn.wanted) for turn in two] == [(False, False)] * 2


def test_who_waits_is_seen_by_others_until_it_has_its_turn(two: tuple[Turn, Turn]) -> None:
    one, other = two
    one.ask(urgent=False)
    assert (other.urgent, other.wanted) == (False, True)
    one.ask(urgent=True)
    one.take(urgent=False)
    assert (other.urgent, other.wanted) == (True, True)
    one.take(urgent=True)
    assert (other.urgent, other.wanted) == (False, False)


def test_a_sign_ends_by_itself_and_one_from_the_future_is_none(
    two: tuple[Turn, Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    for later, seen in ((LASTS / 2, True), (2 * LASTS, False), (-1.0, False)):
        monkeypatch.setattr("db.turn.time.time", lambda: 1000.0)
        one.ask(urgent=True)
        monkeypatch.setattr("db.turn.time.time", lambda later=later: 1000.0 + later)
        assert other.urgent is seen


def test_another_process_sees_it(two: tuple[Turn, Turn], tmp_path: Path, checkout: Path) -> None:
    asking = "import sys, time; from pathlib import Path; from db.turn import Turn; turn = Turn(Path(sys.argv[1]))\n"
    asking += "while True: turn.ask(urgent=True); time.sleep(0.001)"
    command = [sys.executable, "-c", asking, str(tmp_path / "turn")]
    with subprocess.Popen(command, cwd=checkout) as process:
        while not (seen := all(turn.urgent for turn in two)) and process.poll() is None:
            continue
        process.kill()
    assert seen


def test_who_comes_after_the_end_meets_nobody(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "turn")
    turn.ask(urgent=True)
    turn.close()
    turn.take(urgent=True)
    turn.ask(urgent=False)
    assert not turn.wanted
