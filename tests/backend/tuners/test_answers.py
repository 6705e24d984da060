"""Lessons are the prompts that are scored; the loop learns them, stops in time, and can be interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.prompts import Ours, asks
from backend.engines.tokens import Tokens, load
from backend.tuners import answers
from backend.tuners.answers import Plan, train
from backend.tuners.checkpoint import Checkpoint
from backend.tuners.labelled import Batch, Course, batches, courses, goals
from backend.tuners.rows import attention, loss
from backend.tuners.targets import TrainingError
from backend.tuners.training import Step
from labelstudio_config.codebook import Kind
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import question

ITEMS = [("a day in the sun",), ("not at all",), ("Output: x",), ("",), ("no " * 9,)]
LABELS = [0, 1, 2, 1, 0]
GOAL = np.eye(3)[LABELS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), window=900).folder


@pytest.fixture(scope="module")
def tokens(folder: Path) -> Tokens:
    return load(folder, 900)


@pytest.fixture
def model(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, attn_implementation=attention())


def whole(tokens: Tokens, **more: Any) -> list[list[int]]:
    """The same prompts with their answers, each tokenized as one string."""
    (ask,) = asks(question(**more), Ours())
    texts = [str(ask.prompt(item)) + ask.answer(ask.words[k]) for item, k in zip(ITEMS, LABELS, strict=True)]
    return [[*ids, tokens.end] for ids in tokens.ids(texts)]


def taught(tokens: Tokens) -> tuple[Course, ...]:
    return courses(tokens, question(), Ours(), ITEMS, goals(question(), GOAL))


def test_a_lesson_is_the_whole_string(tokens: Tokens) -> None:
    (course,) = taught(tokens)
    assert len(course.prefix) > 100
    assert [[*course.prefix, *one.prompt, *one.answers[0]] for one in course.lessons] == whole(tokens)


def test_each_label_of_several_is_a_course_of_its_own(tokens: Tokens) -> None:
    shares = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 0.25], [1, 1, 1]])
    asked = question(Kind.MULTIPLE)
    found = courses(tokens, asked, Ours(), ITEMS, goals(asked, shares))
    yes, no = found[0].lessons[0].answers[0], found[0].lessons[1].answers[0]
    assert yes != no
    told = [[dict(zip(one.answers, one.shares, strict=True)) for one in course.lessons] for course in found]
    assert [[one.get(yes, 0) for one in row] for row in told] == shares.T.tolist()
    assert [[one.get(no, 0) for one in row] for row in told] == (1 - shares.T).tolist()


def test_prompts_that_were_cut_are_counted(folder: Path) -> None:
    window = max(len(course.prefix) + len(one) for course in taught(load(folder, 900)) for one in course.lessons) - 6
    (course,) = taught(load(folder, window))
    assert 1 <= course.cut < len(ITEMS)
    assert max(len(course.prefix) + len(one) - 1 for one in course.lessons) <= window  # the end token is never read


def test_training_learns_the_answers_and_can_be_repeated(tokens: Tokens, model: Any) -> None:
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    told: list[Step] = []
    plan = Plan(epochs=15, batch=2, rate=0.01, seed=4)
    learned = train(model, taught(tokens), plan, report=told.append)
    assert learned.losses[-1] < 0.3 < learned.losses[0]
    assert [(step.stage, step.done, step.steps) for step in told] == [("training", n + 1, 45) for n in range(45)]
    assert all(step.loss and step.tokens_per_second for step in told)
    assert (learned.best, learned.held, learned.before) == (15, [], None)
    model.load_state_dict(start)
    assert train(model, taught(tokens), plan) == learned


def test_only_what_requires_a_gradient_is_trained(tokens: Tokens, model: Any) -> None:
    import torch

    before = {name: weight.clone() for name, weight in model.named_parameters()}
    model.requires_grad_(False)
    model.lm_head.requires_grad_(True)
    train(model, taught(tokens), Plan(epochs=1, batch=2, rate=0.01))
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert changed == {"lm_head.weight"}


def test_parts_of_a_batch_that_is_too_large_are_learned_together(tokens: Tokens, model: Any) -> None:
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    whole = train(model, taught(tokens), Plan(epochs=3, batch=5, rate=0.01))
    model.load_state_dict(start)
    parts = train(model, taught(tokens), Plan(epochs=3, batch=5, rate=0.01, budget=1))
    assert parts.losses == pytest.approx(whole.losses, rel=1e-4)


def test_a_step_over_two_tasks_is_one_step_on_the_mean_of_their_losses(tokens: Tokens, model: Any) -> None:
    import torch

    other = courses(tokens, question(instruction="And now?"), Ours(), ITEMS[:3], [GOAL[:3]])
    both = (*taught(tokens), *other)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    learned = train(model, both, Plan(epochs=1, batch=8, together=1, rate=0.01, warm_up=0.0, schedule="linear"))
    end = {name: weight.clone() for name, weight in model.state_dict().items()}
    model.load_state_dict(start)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    mean = sum(loss(model, Batch(one.prefix, one.lessons)) for one in both) / 8
    mean.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    assert learned.losses == [pytest.approx(float(mean.detach()), rel=1e-5)]
    moved = max(float((end[name] - start[name]).abs().max()) for name in end)
    apart = {name: float((weight - end[name]).abs().mean()) for name, weight in model.state_dict().items()}
    assert moved == pytest.approx(0.01, rel=1e-3) and max(apart.values()) < 1e-4


def test_courses_that_are_watched_are_told_and_decide_nothing(tokens: Tokens, model: Any) -> None:
    plan = Plan(epochs=3, batch=2, rate=0.003)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    alone = train(model, taught(tokens), plan)
    model.load_state_dict(start)
    learned = train(model, taught(tokens), plan, watched=contrary(tokens))
    assert (learned.losses, learned.held, learned.best, learned.before) == (alone.losses, [], 3, None)
    assert len(learned.courses) == 4 and learned.courses[-1] != learned.courses[0]


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 0.5), ("cosine", 0.5)])
def test_the_rate_rises_and_falls(schedule: Any, middle: float) -> None:
    plan = Plan(warm_up=0.2, schedule=schedule)
    rates = [answers._rate(step, 12, plan) for step in range(13)]
    assert rates[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert rates[7] == pytest.approx(middle) and rates[12] == pytest.approx(0.0)
    assert rates[4] == pytest.approx(0.8 if schedule == "linear" else 0.9045, abs=1e-4)


def test_full_memory_makes_parts_smaller(tokens: Tokens, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    whole = train(model, taught(tokens), Plan(epochs=2, batch=5, rate=0.01))
    model.load_state_dict(start)
    real, rows = loss, []

    def small(given: Any, batch: Any) -> Any:
        rows.append(len(batch.lessons))
        if len(batch.lessons) > 2:
            raise RuntimeError("CUDA error: out of memory")
        return real(given, batch)

    monkeypatch.setattr(answers, "loss", small)
    assert train(model, taught(tokens), Plan(epochs=2, batch=5, rate=0.01)).losses == pytest.approx(
        whole.losses, rel=1e-4
    )
    assert rows[0] == 5 and max(rows[-2:]) <= 2

    monkeypatch.setattr(answers, "loss", lambda *_: (_ for _ in ()).throw(RuntimeError("out of memory")))
    with pytest.raises(TrainingError, match=r"does not fit into the memory of 'cpu'.*4-bit"):
        train(model, taught(tokens), Plan(epochs=1, batch=5))


def test_a_loss_that_is_no_number_is_said(tokens: Tokens, model: Any) -> None:
    import torch

    with torch.no_grad():
        model.lm_head.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"the loss of step 1 is no number\. Choose a lower learning rate"):
        train(model, taught(tokens), Plan())


def contrary(tokens: Tokens) -> tuple[Course, ...]:
    """The same texts with other labels: the better those are learned, the worse these."""
    return courses(tokens, question(), Ours(), ITEMS, goals(question(), np.roll(GOAL, 1, axis=1)))


def test_it_stops_when_the_validation_loss_rises_and_keeps_the_best(tokens: Tokens, model: Any) -> None:
    told: list[Step] = []
    plan = Plan(epochs=20, batch=2, rate=0.003, patience=3)
    learned = train(model, taught(tokens), plan, held=contrary(tokens), report=told.append)
    assert learned.best == int(np.argmin(learned.held)) + 1
    assert len(learned.losses) == learned.best + 3 < 20
    validated = [step for step in told if step.stage == "validation"]
    assert [step.loss for step in validated] == [learned.before, *learned.held]
    assert [step.done for step in validated] == list(range(len(validated)))
    again = train(model, taught(tokens), Plan(epochs=1, rate=0.001), held=contrary(tokens))
    assert again.before == learned.held[learned.best - 1], "the weights are those of the best epoch"


def test_without_a_gain_to_miss_it_goes_to_the_end(tokens: Tokens, model: Any) -> None:
    learned = train(model, taught(tokens), Plan(epochs=4, batch=2, rate=0.003, patience=1), held=taught(tokens))
    assert (len(learned.losses), learned.best) == (4, 4)


class Stopped(Exception):
    pass


@pytest.mark.parametrize("stops", [(1,), (2, 3), (4, 6, 9, 10), (12,)])
def test_an_interrupted_training_comes_to_the_same_end(
    tokens: Tokens, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: tuple[int, ...]
) -> None:
    import torch

    monkeypatch.setattr(answers, "EVERY", 2)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    plan, held = Plan(epochs=4, batch=2, rate=0.003, seed=1), contrary(tokens)
    torch.manual_seed(0)
    whole = train(model, taught(tokens), plan, held=held)
    end = {name: weight.clone() for name, weight in model.state_dict().items()}
    checkpoint = Checkpoint(tmp_path / "state", "this")
    seen: list[int] = []

    def report(step: Step) -> None:
        seen.append(step.done)
        if step.stage == "training" and step.done in left:
            left.remove(step.done)
            raise Stopped

    left = set(stops)
    for _ in stops:
        model.load_state_dict(start)
        with pytest.raises(Stopped):
            train(model, taught(tokens), plan, held=held, checkpoint=checkpoint, report=report)
    model.load_state_dict(start)
    assert train(model, taught(tokens), plan, held=held, checkpoint=checkpoint, report=report) == whole
    assert all(torch.equal(weight, end[name]) for name, weight in model.state_dict().items())
    assert len(seen) < 12 * (len(stops) + 1), "it did not begin anew each time"


def test_batches_hold_every_lesson_once_and_one_course_each(tokens: Tokens) -> None:
    items = [("x" * (n % 7),) for n in range(50)]
    asked = question(Kind.MULTIPLE)
    taught = courses(tokens, asked, Ours(), items, goals(asked, np.eye(3)[np.arange(50) % 3]))
    found = list(batches(taught, 8, np.random.default_rng(1)))
    assert {len(one.lessons) for one in found} == {8, 2}
    for course in taught:
        mine = [one for batch in found if batch.prefix == course.prefix for one in batch.lessons]
        assert sorted(mine, key=repr) == sorted(course.lessons, key=repr)
    order = [batch.prefix for batch in found]
    assert order != sorted(order, key=order.index), "courses are mixed"
    assert found != list(batches(taught, 8, np.random.default_rng(2)))
    assert isinstance(taught[0], Course)
