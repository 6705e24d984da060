from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.asked import Asked, asked
from backend.assist.batcher import CHARACTERS, FEW, MOST, PACE, Batcher, Job, chosen
from backend.engines.protocol import Item
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.world import BOOK

IDS = {question.id: number for number, question in enumerate(BOOK.questions)}
QUESTIONS: tuple[Asked, ...] = asked(FakeEngine(), BOOK, IDS)


def job(length: int, due: float = 0.0, lot: str = "lot", position: int = 0) -> Job:
    return Job(lot, QUESTIONS, ("x" * length,), None, position=position, due=due)


JOBS = st.lists(
    st.builds(job, st.integers(1, 30_000), st.floats(0, 10), st.sampled_from(["one", "other"])), min_size=1, max_size=80
)


@given(JOBS)
def test_a_batch_has_the_most_urgent_job_and_fits(jobs: list[Job]) -> None:
    batch = chosen(jobs)
    first = min(jobs, key=lambda one: one.due)
    assert first in batch
    assert {one.lot for one in batch} == {first.lot}
    assert set(batch) <= set(jobs)
    assert len(set(batch)) == len(batch) <= MOST
    assert [one.length for one in batch] == sorted(one.length for one in batch)
    assert len(batch) == 1 or len(batch) * batch[-1].length <= CHARACTERS


def test_a_few_are_taken_at_once_and_of_more_a_share() -> None:
    assert len(chosen([job(9) for _ in range(FEW)])) == FEW
    assert FEW <= len(chosen([job(9) for _ in range(2 * FEW)])) < 2 * FEW
    assert len(chosen([job(9) for _ in range(1000)])) == MOST
    assert chosen([]) == []


@pytest.mark.parametrize("longest_first", [True, False])
def test_the_most_urgent_is_not_left_behind_for_its_length(longest_first: bool) -> None:
    jobs = [job(100 - i if longest_first else i + 1, due=i) for i in range(60)]
    assert jobs[0] in chosen(jobs)


def test_lengths_are_matched_among_the_urgent() -> None:
    lengths = [10, 2000] * 20
    batch = chosen([job(length, due=i / 1000) for i, length in enumerate(lengths)])
    assert {one.length for one in batch[:-4]} == {10}


def collected(engine: FakeEngine, *puts: Sequence[Job]) -> list[list[Job]]:
    """The batches in which the jobs come back."""
    done: SimpleQueue[list[Job]] = SimpleQueue()
    batcher = Batcher(engine, lambda jobs: done.put(list(jobs)))
    for jobs in puts:
        batcher.put(jobs)
    batcher.start()
    batches: list[list[Job]] = []
    while sum(map(len, batches)) < sum(map(len, puts)):
        batches.append(done.get(timeout=30))
    batcher.close()
    return batches


def test_every_job_comes_back_once_with_its_outcome() -> None:
    jobs = [job(1 + i % 50, lot=str(i % 3)) for i in range(200)]
    batches = collected(FakeEngine(), jobs[:120], jobs[120:])
    assert sorted(map(id, (one for batch in batches for one in batch))) == sorted(map(id, jobs))
    assert all(one.outcome.scores.keys() == {IDS["humor"], IDS["topics"], IDS["stars"]} for one in jobs)


def test_all_questions_of_a_batch_are_asked_before_the_next_batch() -> None:
    engine = FakeEngine()
    batches = collected(engine, [job(1 + i) for i in range(40)])
    calls: list[tuple[str, list[Item]]] = [
        (one.question.id, [made.fields for made in batch]) for batch in batches for one in QUESTIONS
    ]
    assert engine.asked == calls


def test_jobs_that_miss_less_are_asked_less() -> None:
    less = Job("lot", QUESTIONS[:1], ("less",), None)
    engine = FakeEngine()
    collected(engine, [job(3), less])
    assert [items for question, items in engine.asked if question == "stars"] == [[("xxx",)]]
    assert less.outcome.scores.keys() == {QUESTIONS[0].question_id}


def test_a_short_request_goes_before_the_end_of_a_long_one() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    done: SimpleQueue[list[Job]] = SimpleQueue()
    batcher = Batcher(engine, lambda jobs: done.put(list(jobs)))
    long_ = [job(9, position=i) for i in range(1500)]
    batcher.put(long_)
    batcher.start()
    assert engine.entered.acquire(timeout=30)
    short = job(9)
    batcher.put([short])
    assert short.due < long_[0].due + PACE * 1500
    engine.gate.set()
    batches = [done.get(timeout=30) for _ in range(5)]
    batcher.close()
    assert any(short in batch for batch in batches)


def test_what_waits_at_the_end_is_dropped() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    done: list[Job] = []
    batcher = Batcher(engine, done.extend)
    batcher.start()
    batcher.put([job(1)])
    assert engine.entered.acquire(timeout=30)
    batcher.put([job(2)])
    threading.Timer(0.05, engine.gate.set).start()
    batcher.close()
    assert [one.length for one in done] == [1]


def test_it_may_be_closed_without_a_start() -> None:
    batcher = Batcher(FakeEngine(), lambda jobs: None)
    batcher.put([job(1)])
    batcher.close()
    assert not batcher.loaded
