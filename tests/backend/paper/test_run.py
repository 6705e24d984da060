"""Every system on every task, stopped and carried on, with nothing asked twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.paper.answers import CELLS, Answers, Kept, key
from backend.paper.run import NEAREST, Cells, Plan, Report, Row, Scored, run, scored
from backend.paper.systems import AUTHORS, Baseline, System
from backend.paper.task import Split, Task
from tests.backend.paper.counted import Counted
from tests.backend.paper.small import task

PLAIN = Plan()
MOOD, TONE = task("mood", 1), task("tone", 2, labels=3)


def silent(name: str) -> Report:
    return lambda done, total: None


def answered(
    folder: Path, systems: Sequence[System], plan: Plan = PLAIN, tasks: Sequence[Task] = (MOOD, TONE)
) -> Cells:
    return run(systems, [scored(one, plan) for one in tasks], plan, folder, bar=silent)


def marks(found: Cells, row: Row, name: str = "mood", variant: tuple[int, int] = (0, 0)) -> np.ndarray:
    cell = found[row, name]
    assert not isinstance(cell, str)
    return cell[variant].marks


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    plan = Plan(shots=(0, 2), seeds=(0, 1))
    first, second = Counted(), Counted()
    before = answered(tmp_path, [first], plan)
    after = answered(tmp_path, [second], plan)
    assert sum(n for _, n, _ in first.asked) == 2 * 30 * 3
    assert second.asked == []
    assert before.keys() == after.keys()
    for row in (Row("counted", 0), Row("counted", 2, "random")):
        assert np.array_equal(marks(before, row), marks(after, row))
    assert (first.freed, second.freed) == (1, 1)


def test_an_interrupted_run_loses_one_slice_at_most(tmp_path: Path) -> None:
    first, second, whole = Counted(stops_at=5), Counted(), Counted()
    with pytest.raises(KeyboardInterrupt):
        answered(tmp_path, [first])
    assert first.freed == 1
    found = answered(tmp_path, [second])
    expected = answered(tmp_path / "other", [whole])
    assert [*first.asked, *second.asked] == whole.asked
    assert np.array_equal(marks(found, Row("counted", 0)), marks(expected, Row("counted", 0)))


def test_other_weights_other_texts_and_other_examples_are_asked_anew(tmp_path: Path) -> None:
    answered(tmp_path, [Counted()], tasks=[MOOD])
    changed = Counted(weights="w2")
    answered(tmp_path, [changed], tasks=[MOOD])
    assert sum(n for _, n, _ in changed.asked) == 30
    text = Split((("Another text stands first now.",), *MOOD.test.items[1:]), MOOD.test.answers)
    edited = Counted()
    answered(tmp_path, [edited], tasks=[replace(MOOD, test=text)])
    assert [n for _, n, _ in edited.asked] == [8]
    relabelled = Counted()
    other = replace(MOOD, test=Split(MOOD.test.items, MOOD.test.answers[::-1]))
    answered(tmp_path, [relabelled], tasks=[other])
    assert relabelled.asked == []
    asked = replace(MOOD, question=replace(MOOD.question, instruction="Which mood is it?"))
    reworded = Counted()
    answered(tmp_path, [reworded], tasks=[asked])
    assert sum(n for _, n, _ in reworded.asked) == 30


def test_a_damaged_file_is_computed_again(tmp_path: Path) -> None:
    before = answered(tmp_path, [Counted()], tasks=[MOOD])
    files = sorted((tmp_path / CELLS).iterdir())
    files[0].write_bytes(files[0].read_bytes()[:40])
    files[1].write_bytes(b"")
    again = Counted()
    after = answered(tmp_path, [again], tasks=[MOOD])
    assert len(again.asked) == 2
    assert np.array_equal(marks(before, Row("counted", 0)), marks(after, Row("counted", 0)))


def test_no_text_and_no_example_is_kept(tmp_path: Path) -> None:
    answered(tmp_path, [Counted(), Baseline("tfidf", "tfidf")], Plan(shots=(2,)))
    kept = b"".join(path.read_bytes() for path in (tmp_path / CELLS).iterdir())
    words = {word.encode() for item in MOOD.test.items for word in item[0].split() if len(word) > 5}
    assert kept
    assert not [word for word in words if word in kept]
    for path in (tmp_path / CELLS).iterdir():
        with np.load(path, allow_pickle=False) as file:
            assert {file[name].dtype.kind for name in file.files} <= {"b", "i", "f"}


def test_who_is_shown_what(tmp_path: Path) -> None:
    one = Counted()
    found = answered(tmp_path, [one, Baseline("most", "majority")], Plan(shots=(0, 3), seeds=(0, 1)), [MOOD])
    assert [row for row, _ in found] == [Row("counted", 0), Row("counted", 3, "random"), Row("most", None)]
    few = found[Row("counted", 3, "random"), "mood"]
    assert set(few) == {(0, 0), (1, 0)}
    shown = {lines for _, _, each in one.asked for lines in each}
    assert len(shown) == 2
    assert all(len(lines.splitlines()) == 3 for lines in shown)
    scored_texts = {item[0] for item in MOOD.test.items}
    assert not [line for lines in shown for line in lines.splitlines() if line.rpartition(" - ")[0] in scored_texts]


def test_the_nearest_are_each_texts_own_and_drawn_once(tmp_path: Path) -> None:
    one = Counted()
    found = answered(tmp_path, [one], Plan(shots=(2,), seeds=(0, 1), examples=NEAREST), [MOOD])
    assert set(found[Row("counted", 2, NEAREST), "mood"]) == {(0, 0)}
    assert len({lines for _, _, each in one.asked for lines in each}) > 20


def test_other_wordings_are_asked_with_the_first_draw(tmp_path: Path) -> None:
    plan = Plan(shots=(2,), seeds=(4, 5), paraphrases=True)
    found = answered(tmp_path, [Counted(other_wordings=2)], plan, [MOOD])
    assert set(found[Row("counted", 2, "random"), "mood"]) == {(4, 0), (4, 1), (4, 2), (5, 0)}


def test_what_cannot_be_answered_has_its_reason(tmp_path: Path) -> None:
    empty = replace(TONE, name="empty", test=Split())
    bare = replace(TONE, name="bare", train=Split())
    one = Counted(refuses=("mood",), fails=("tone",))
    found = answered(tmp_path, [one, Baseline("tfidf", "tfidf")], Plan(shots=(2,)), [MOOD, TONE, empty, bare])
    row = Row("counted", 2, "random")
    assert found[row, "mood"] == "It does not want to."
    assert found[row, "tone"] == "It cannot."
    assert found[row, "empty"] == "The task 'empty' has no texts in its test split."
    assert "no examples to show" in found[row, "bare"]
    assert "no training texts" in found[Row("tfidf", None), "bare"]
    assert len(marks(found, Row("tfidf", None))) == 30


def test_a_limit_is_a_random_part_that_stays_the_same() -> None:
    part = scored(MOOD, Plan(limit=10))
    again, other = scored(MOOD, Plan(limit=10)), scored(MOOD, Plan(limit=10, seed=1))
    assert len(part.items) == len(part.truth) == len(part.clusters) == 10
    assert part.items == again.items != other.items
    places = [MOOD.test.items.index(item) for item in part.items]
    assert places == sorted(places)
    assert [frozenset(np.array(MOOD.question.label_ids)[row]) for row in part.truth] == [
        MOOD.test.answers[i] for i in places
    ]


def test_baselines_learn_from_train(tmp_path: Path) -> None:
    found = answered(tmp_path, [Baseline("most", "majority"), Baseline("tfidf", "tfidf")], tasks=[MOOD])
    truth = scored(MOOD, Plan()).truth
    most, words = (marks(found, Row(name, None)) for name in ("most", "tfidf"))
    assert (most == most[0]).all()
    assert (words == truth).all(axis=1).mean() > 0.65
    refused = answered(tmp_path, [Baseline("most", "majority")], Plan(decode=AUTHORS), [MOOD])
    assert "writes no answers" in str(refused[Row("most", None, decode=AUTHORS), "mood"])


def test_the_key_is_of_all_that_is_seen() -> None:
    question, items = MOOD.question, MOOD.test.items[:2]
    base = key(question, items, {"a": 1}, None)
    others: list[Callable[[], str]] = [
        lambda: key(TONE.question, items, {"a": 1}, None),
        lambda: key(question, items[::-1], {"a": 1}, None),
        lambda: key(question, items, {"a": 2}, None),
        lambda: key(question, items, {"a": 1}, ["", ""]),
        lambda: key(question, items, {"a": 1}, ["x", ""]),
    ]
    assert len({base, *(make() for make in others)}) == 6
    assert key(question, items, {"a": 1}, None) == base


def test_answers_of_another_shape_are_not_taken(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.put("k", Answers.of(np.ones((3, 2), dtype=np.bool_)))
    assert kept.get("k", 3, 2) is not None
    assert kept.get("k", 3, 4) is None
    assert kept.get("other", 3, 2) is None
    assert [path.name for path in (tmp_path / CELLS).iterdir()] == ["k.npz"]


def test_the_bar_ends_and_the_forecast_knows_what_is_missing(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    missing: list[list[tuple[str, int]]] = []

    def forecast(system: System, texts: Sequence[tuple[Scored, int]]) -> None:
        missing.append([(one.task.name, n) for one, n in texts])

    plan = Plan()
    both = [scored(one, plan) for one in (MOOD, TONE)]
    run([Counted()], both, plan, tmp_path, bar=lambda name: lambda *at: told.append(at), forecast=forecast)
    run([Counted()], both, plan, tmp_path, bar=silent, forecast=forecast)
    assert told[0] == (0, 60)
    assert told[-1] == (60, 60)
    assert missing == [[("mood", 30), ("tone", 30)]]
