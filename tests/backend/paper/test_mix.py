"""What is learned is capped, balanced and apart from all that is held out or tested on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.engines.protocol import Item
from backend.paper.mix import held_out, mixed
from backend.paper.sources import tasks
from backend.paper.task import Split, Task
from backend.tuners.labelled import Course, Lesson, batches, count, steps
from backend.tuners.targets import TrainingError
from tests.backend.paper.labelled_folders import folders, rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Task]:
    return tasks([str(folders(tmp_path_factory.mktemp("data"), train=40))])


def split(task: str, n: int, labels: list[str], seed: int) -> Split:
    items: list[Item] = [(text,) for text, _ in rows(task, n, seed)]
    return Split(tuple(items), tuple(frozenset({labels[k % len(labels)]}) for k in range(n)))


def large(task: Task, n: int, labels: list[str]) -> Task:
    return replace(task, train=split("humor", n, labels, 7))


def test_held_out_tasks_are_only_watched_and_test_texts_nowhere(found: list[Task]) -> None:
    out = held_out(found, "related")
    mix = mixed(found, out)
    assert {one.question.provenance.tuning for one in mix.watched} == {"related"} and len(mix.watched) == len(out) == 2
    assert [one.name for one in mix.taught] == [one.name for one in mix.held]
    assert {one.name for one in mix.taught}.isdisjoint(one.name for one in mix.watched)
    tested = {item for task in found for item in task.test.items}
    assert tested and tested.isdisjoint(
        x for part in (mix.taught, mix.held, mix.watched) for o in part for x in o.items
    )
    assert all(one.items == task.validation.items for one, task in zip(mix.watched, out, strict=True))


def test_tasks_are_held_out_by_name_and_unknown_ones_are_named(found: list[Task]) -> None:
    assert [task.name for task in held_out(found, f"{found[0].name},{found[0].question.id}")] == [found[0].name]
    assert held_out(found, "") == []
    with pytest.raises(TrainingError, match=r"There is no task 'nothing' to hold out\. There are: "):
        held_out(found, "nothing")
    with pytest.raises(TrainingError, match="No task has a text for training"):
        mixed(found, found)


def test_no_text_is_learned_that_is_nearly_a_held_out_or_test_text_of_any_task(found: list[Task]) -> None:
    one, other = found[:2]
    (tested,), (checked,) = other.test.items[0], other.validation.items[1]
    near: list[Item] = [(f"{tested.upper()} !",), (f"@someone {checked}",), *one.train.items[2:]]
    mix = mixed([replace(one, train=replace(one.train, items=tuple(near))), other])
    assert mix.taught[0].items == one.train.items[2:]
    assert mix.taught[0].answers == one.train.answers[2:]
    assert any(remark.startswith(f"{one.name}: 2 of") for remark in mix.remarks)
    out = mixed([replace(one, train=replace(one.train, items=tuple(near)))], [other])
    assert out.taught[0].items == one.train.items[2:], "of a task that is held out, too"


def test_a_cap_draws_each_label_with_its_share(found: list[Task]) -> None:
    a, b = found[0].question.label_ids[:2]
    task = large(found[0], 60, [a, a, a, b])
    one, same, other = (mixed([task], cap=21, held_cap=2, seed=seed) for seed in (1, 1, 2))
    assert Counter(next(iter(x)) for x in one.taught[0].answers) == {a: 16, b: 5}
    assert one.taught == same.taught != other.taught
    assert len(one.held[0]) == 2
    given = dict(zip(task.train.items, task.train.answers, strict=True))
    assert all(given[x] == y for x, y in zip(one.taught[0].items, one.taught[0].answers, strict=True))


@pytest.mark.parametrize(("balance", "expected"), [(1.0, [None, None]), (0.0, [50, 50]), (0.5, [75, 25])])
def test_an_epoch_draws_of_each_task_by_the_power_of_its_size(
    found: list[Task], balance: float, expected: list[int | None]
) -> None:
    ids = list(found[0].question.label_ids)
    pair = [large(found[0], 90, ids), replace(found[1], train=split("irony", 10, ids[:2], 9))]
    pair[1] = replace(pair[1], question=found[0].question)
    assert [one.draws for one in mixed(pair, balance=balance).taught] == expected


def test_draws_take_every_lesson_as_often_as_another_and_others_each_epoch() -> None:
    def course(n: int, draws: int | None, token: int) -> Course:
        return Course((token,), tuple(Lesson((k,), ((k, 1),)) for k in range(n)), 0, draws)

    taught = [course(10, 25, 5), course(40, 20, 6), course(3, None, 7)]
    epochs = [list(batches(taught, 4, np.random.default_rng([0, epoch]))) for epoch in range(2)]
    seen = [Counter(x.prompt for one in epoch if one.prefix == (5,) for x in one.lessons) for epoch in epochs]
    assert all(sum(one.values()) == 25 and set(one.values()) == {2, 3} for one in seen)
    large = [{x.prompt for one in epoch if one.prefix == (6,) for x in one.lessons} for epoch in epochs]
    assert [len(one) for one in large] == [20, 20] and large[0] != large[1]
    made = list(steps(taught, 12, 4, np.random.default_rng(0)))
    assert len(made) == count(taught, 12, 4) == 5
    assert sum(len(one.lessons) for step in made for one in step) == 48
    assert any(len({one.prefix for one in step}) > 1 for step in made)
    assert all(len({one.prefix for one in step}) == len(step) for step in made)


def test_without_a_validation_text_a_task_is_learned_all_the_same(found: list[Task]) -> None:
    mix = mixed([replace(found[0], validation=Split()), found[1]])
    assert len(mix.taught) == 2 and [one.name for one in mix.held] == [found[1].name]


def test_folders_are_read_as_they_are(tmp_path: Path) -> None:
    (task,) = tasks([str(folders(tmp_path, ["humor"]))])
    assert len(task.test) == 8 and len(task.train) + len(task.validation) == 24
