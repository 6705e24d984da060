"""Lessons are the prompts that are scored, and the quick loss is the plain one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.prompts import Ours, asks
from backend.engines.tokens import Tokens, load
from backend.tuners.answers import Plan, loss, train
from backend.tuners.labelled import Batch, Course, batches, courses
from labelstudio_config.codebook import Kind
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import question

ITEMS = [("a day in the sun",), ("not at all",), ("Output: x",), ("",), ("no " * 9,)]
LABELS = [{0}, {1}, {2}, {1}, {0}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), window=900).folder


@pytest.fixture(scope="module")
def tokens(folder: Path) -> Tokens:
    return load(folder, 900)


@pytest.fixture
def model(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)


def whole(tokens: Tokens, **more: Any) -> list[list[int]]:
    """The same prompts with their answers, each tokenized as one string."""
    (ask,) = asks(question(**more), Ours())
    texts = [
        str(ask.prompt(item)) + ask.answer(ask.words[min(labels)]) for item, labels in zip(ITEMS, LABELS, strict=True)
    ]
    return [[*ids, tokens.end] for ids in tokens.ids(texts)]


def plain_loss(model: Any, rows: list[list[int]], lengths: list[int]) -> Any:
    """One forward for each row, no padding, no shared prefix."""
    import torch

    total = torch.zeros(())
    for ids, length in zip(rows, lengths, strict=True):
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
        logs = logits.log_softmax(-1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
        total = total - logs[-length:].sum()
    return total / len(rows)


def test_a_lesson_is_the_whole_string(tokens: Tokens) -> None:
    (course,) = courses(tokens, question(), Ours(), ITEMS, LABELS)
    assert len(course.prefix) > 100
    assert [[*course.prefix, *one.prompt, *one.answer] for one in course.lessons] == whole(tokens)


def test_each_label_of_several_is_a_course_of_its_own(tokens: Tokens) -> None:
    labels = [{0, 2}, set(), {1}, {0}, {0, 1, 2}]
    found = courses(tokens, question(Kind.MULTIPLE), Ours(), ITEMS, labels)
    yes, no = found[0].lessons[0].answer, found[0].lessons[1].answer
    assert yes != no
    told = [[one.answer == yes for one in course.lessons] for course in found]
    assert np.array(told).T.tolist() == [[place in some for place in range(3)] for some in labels]


@pytest.mark.parametrize("shared", [True, False])
def test_loss_and_gradient_are_those_of_whole_prompts(tokens: Tokens, model: Any, shared: bool) -> None:
    import torch

    (course,) = courses(tokens, question(), Ours(), ITEMS, LABELS)
    rows = whole(tokens)
    lengths = [len(one.answer) for one in course.lessons]
    expected = plain_loss(model, rows, lengths)
    expected.backward()
    gradients = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    batch = Batch(course.prefix, course.lessons)
    if not shared:
        moved = [type(one)((*course.prefix, *one.prompt), one.answer) for one in course.lessons]
        batch = Batch((), tuple(moved))
    found = loss(model, batch)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert max(float(gradients[name].abs().max()) for name in gradients) > 0.01
    for name, weight in model.named_parameters():
        assert torch.allclose(weight.grad, gradients[name], atol=2e-5), name


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft's, of transformers
def test_only_what_requires_a_gradient_is_trained_and_an_adapter_is(tokens: Tokens, model: Any) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    before = {name: weight.clone() for name, weight in model.named_parameters()}
    torch.manual_seed(1)
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    taught = courses(tokens, question(), Ours(), ITEMS, LABELS)
    losses = train(tuned, taught, Plan(epochs=12, batch=2, rate=0.02))
    assert losses[-1] < losses[0] - 0.2
    after = {name.replace(".base_layer", ""): weight for name, weight in model.named_parameters()}
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_training_learns_the_answers_and_can_be_repeated(tokens: Tokens, model: Any) -> None:
    taught = courses(tokens, question(), Ours(), ITEMS, LABELS)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    told: list[tuple[int, int]] = []
    plan = Plan(epochs=15, batch=2, rate=0.01, seed=4)
    losses = train(model, taught, plan, lambda done, steps, _: told.append((done, steps)))
    assert losses[-1] < 0.3 < losses[0]
    assert told[-1] == (45, 45)
    model.load_state_dict(start)
    assert train(model, taught, plan) == losses


def test_batches_hold_every_lesson_once_and_one_course_each(tokens: Tokens) -> None:
    items = [("x" * (n % 7),) for n in range(50)]
    taught = courses(tokens, question(Kind.MULTIPLE), Ours(), items, [{n % 3} for n in range(50)])
    found = list(batches(taught, 8, np.random.default_rng(1)))
    assert {len(one.lessons) for one in found} == {8, 2}
    for course in taught:
        mine = [one for batch in found if batch.prefix == course.prefix for one in batch.lessons]
        assert sorted(mine, key=repr) == sorted(course.lessons, key=repr)
    order = [batch.prefix for batch in found]
    assert order != sorted(order, key=order.index), "courses are mixed"
    assert found != list(batches(taught, 8, np.random.default_rng(2)))
    assert isinstance(taught[0], Course)
