"""Loss and gradients of lessons in one row are those of whole prompts, one by one, for every kind of lesson."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.prompts import Ours
from backend.engines.protocol import EngineError
from backend.engines.tokens import load
from backend.tuners import rows
from backend.tuners.labelled import Batch, Course, courses, goals
from backend.tuners.lora import TARGETS
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import MOODS, question

ITEMS = [("a day in the sun",), ("not at all",), ("Output: x",), ("",), ("no " * 9,)]
HARD = np.eye(3)[[0, 1, 2, 1, 0]]
SOFT = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.4, 0.6], [0, 0, 1]])
WEIGHTS = np.array([0.5, 2.0, 1.0, 1.25, 0.25])
Load = Callable[..., Any]


@pytest.fixture(scope="module", params=[4, 2, 1])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Loads a model whose queries share their keys by one, two or four."""
    folder = llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), window=900, key_values=request.param).folder
    return lambda attention: _load(folder, attention)


def _load(folder: Path, attention: str) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, attn_implementation=attention)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), window=900, key_values=2).folder


def course(folder: Path, goal: Any, weights: Any = None, **more: Any) -> Course:
    asked = question(**more)
    given = None if weights is None else [weights]
    (made,) = courses(load(folder, 900), asked, Ours(), ITEMS, goals(asked, goal), weights=given)
    return made


def plain(model: Any, batch: Batch) -> Any:
    """One forward for each answer of each lesson over the whole prompt, in the model's own attention."""
    import torch

    total = torch.zeros(())
    for lesson in batch.lessons:
        for answer, share in zip(lesson.answers, lesson.shares, strict=True):
            ids = torch.tensor([*batch.prefix, *lesson.prompt, *answer])
            logits = model(input_ids=ids[None]).logits[0, :-1]
            logs = logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]]
            total = total - lesson.weight * share * logs[-len(answer) :].sum()
    return total


def lora(model: Any, **more: Any) -> Any:
    """A LoRA with values in it, always the same."""
    import torch
    from peft import LoraConfig, get_peft_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tuned = get_peft_model(model, LoraConfig(r=3, task_type="CAUSAL_LM", **more))
    torch.manual_seed(3)
    for name, part in tuned.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(part, std=0.2)
    return tuned


def gradients(model: Any) -> dict[str, Any]:
    return {name: part.grad for name, part in model.named_parameters() if part.grad is not None}


def compared(one: Any, batch: Batch, other: Any, more: Batch) -> None:
    """The same loss and gradients, of which some are large."""
    found, expected = rows.loss(one, batch), plain(other, more)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    found.backward()
    expected.backward()
    mine, plainly = gradients(one), gradients(other)
    assert mine.keys() == plainly.keys() and plainly
    largest = max(float(part.abs().max()) for part in plainly.values())
    assert largest > 0.01
    for name, part in plainly.items():
        assert float((mine[name] - part).abs().max()) < 2e-5 * largest, name


@pytest.mark.parametrize(("goal", "weights"), [(HARD, None), (HARD, WEIGHTS), (SOFT, None), (SOFT, WEIGHTS)])
def test_shares_and_weights_of_all_parameters(folder: Path, loaded: Load, goal: Any, weights: Any) -> None:
    made = course(folder, goal, weights)
    batch = Batch(made.prefix, made.lessons)
    assert len(batch.prefix) > 100
    compared(loaded(rows.attention()), batch, loaded("sdpa"), batch)


def test_labels_that_begin_alike_share_their_tokens(folder: Path, loaded: Load) -> None:
    words = ("not in", "not in at all", "in")
    labels = tuple(replace(label, wording=word) for label, word in zip(MOODS, words, strict=True))
    made = course(folder, SOFT, labels=labels)
    batch = Batch(made.prefix, made.lessons)
    alone = [rows.row(Batch((), (lesson,)), heads_per_key=1, device="cpu") for lesson in made.lessons]
    fed = [part.tokens.shape[1] - len(lesson.prompt) for part, lesson in zip(alone, made.lessons, strict=True)]
    assert fed[1] == max(len(answer) for answer in made.lessons[1].answers) - 1  # not one row of tokens for each
    compared(loaded(rows.attention()), batch, loaded("sdpa"), batch)


def test_without_a_shared_prefix(folder: Path, loaded: Load) -> None:
    made = course(folder, SOFT)
    whole = tuple(type(one)((*made.prefix, *one.prompt), one.answers, one.shares) for one in made.lessons)
    compared(loaded(rows.attention()), Batch((), whole), loaded("sdpa"), Batch(made.prefix, made.lessons))


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable` is deprecated")  # transformers', from 5.23 on
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    "more", [{"target_modules": TARGETS["qv"]}, {"target_modules": TARGETS["all"], "use_rslora": True}]
)
def test_a_lora_on_some_or_all_linear_layers_and_activations_computed_again(
    folder: Path, loaded: Load, more: dict[str, Any], checkpointing: bool
) -> None:
    made = course(folder, SOFT, WEIGHTS)
    batch = Batch(made.prefix, made.lessons)
    base = loaded(rows.attention())
    if checkpointing:
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    one, other = lora(base, **more).train(), lora(loaded("sdpa"), **more).train()
    compared(one, batch, other, batch)
    assert all("lora_" in name for name in gradients(one))


def test_parts_of_a_batch_add_up(folder: Path, loaded: Load) -> None:
    made = course(folder, SOFT, WEIGHTS)
    one, other = loaded(rows.attention()), loaded(rows.attention())
    rows.loss(one, Batch(made.prefix, made.lessons)).backward()
    for lesson in made.lessons:
        rows.loss(other, Batch(made.prefix, (lesson,))).backward()
    for name, part in gradients(one).items():
        assert float((gradients(other)[name] - part).abs().max()) < 1e-4 * max(1.0, float(part.abs().max())), name


def test_another_attention_is_refused(folder: Path, loaded: Load) -> None:
    made = course(folder, HARD)
    with pytest.raises(ValueError, match="another attention"):
        rows.loss(loaded("sdpa"), Batch(made.prefix, made.lessons))


def test_a_model_that_keeps_what_it_is_given_to_itself_is_refused(loaded: Load) -> None:
    import torch

    with pytest.raises(EngineError, match="does not hand its attention"):
        loaded(rows.attention())(input_ids=torch.tensor([[1, 2]]))
