"""What several processes take of a step, and what one is without a launcher."""

from __future__ import annotations

import pytest

from backend.tuners.labelled import Batch, Lesson, share
from backend.tuners.processes import Processes, processes


def test_without_a_launcher_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = processes()
    assert (alone, alone.main, alone.device("auto")) == (Processes(), True, "auto")
    assert (alone.total([1.5], "cpu"), alone.told("x"), alone.gathered(2)) == ([1.5], "x", [2])
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert processes() == Processes(3, 4, 1)
    assert not processes().main


def test_a_step_is_shared_by_tokens_and_every_lesson_goes_to_one() -> None:
    step = [Batch((n,), tuple(Lesson((k,) * (k + 1), ((9,),)) for k in range(n + 2))) for n in range(4)]
    parts = [share(step, rank, 3) for rank in range(3)]
    sizes = [sum(len(lesson) for batch in part for lesson in batch.lessons) for part in parts]
    assert max(sizes) - min(sizes) <= 6
    together = [(batch.prefix, lesson) for part in parts for batch in part for lesson in batch.lessons]
    assert together == [(batch.prefix, lesson) for batch in step for lesson in batch.lessons]
    alone = Batch((), step[0].lessons[:1])
    assert sorted(len(share([alone], rank, 5)) for rank in range(5)) == [0, 0, 0, 0, 1]
