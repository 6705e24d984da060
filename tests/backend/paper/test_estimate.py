"""Memory as estimated is near what tensors take; time and memory are said, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.protocol import EngineError
from backend.paper import estimate as estimating
from backend.paper.estimate import WITHIN, activations, check_fits, estimate, rows_of, shape, standing, trained
from backend.tuners.instruct import material, trainable
from backend.tuners.labelled import Batch
from backend.tuners.presets import recipe
from backend.tuners.rows import loss
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.paper.live_memory import LiveMemory
from tests.backend.tuners.instructed import engine, three


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    more = {"hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 3}
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), key_values=2, **more).folder


@pytest.mark.parametrize(
    ("preset", "more"),
    [
        ("authors", {}),
        ("authors", {"checkpointing": True}),
        ("packed", {}),
        ("packed", {"checkpointing": True}),
        ("packed", {"weights": "all"}),
    ],
)
def test_memory_is_within_the_stated_factor_of_what_tensors_take(
    model: Path, preset: str, more: dict[str, Any]
) -> None:
    used = recipe(preset, **more)
    course = material(engine(model), three(24), [], [], used).taught[0]
    batch = Batch(course.prefix, course.lessons[:6])
    tuned = trainable(engine(model), used)
    tuned.train()
    with LiveMemory() as live:
        loss(tuned, batch).backward()
    form, (row,) = shape(model), rows_of([batch], 8192)
    made = standing(form, used, "float32")
    expected = made["gradient"] + activations(form, row, used, 4, checkpointing=bool(used.checkpointing))
    assert expected / WITHIN < live.peak < expected * WITHIN
    own = [part.numel() for part in tuned.parameters() if part.requires_grad]
    assert trained(form, used) == sum(own)
    if used.weights == "lora":
        assert made["weights"] == 4 * (sum(part.numel() for part in tuned.parameters()) - sum(own))


def test_rows_are_those_that_training_runs(model: Path) -> None:
    used = recipe("packed")
    course = material(engine(model), three(24), [], [], used).taught[0]
    lengths = [len(lesson) for lesson in course.lessons]
    rows = list(rows_of([Batch(course.prefix, course.lessons)], len(course.prefix) + 100))
    assert len(rows) > 1 and sum(row.texts for row in rows) == 24
    assert sum(row.tokens - row.prefix for row in rows) == sum(lengths)
    assert max(row.tokens for row in rows) <= len(course.prefix) + 100
    assert sum(row.reads for row in rows) == sum(len(lesson.answers[0]) for lesson in course.lessons)


def test_it_says_memory_and_time_and_refuses_what_does_not_fit(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.engines.cost.rate", lambda _: 1e9)
    used = recipe("packed", epochs=2, batch=8)
    scorer = engine(model)
    lessons = material(scorer, three(), three(4, 30), [], used)
    found = estimate(scorer, lessons, used)
    assert found.steps == 2 * 8 and found.tokens > 2 * 48 * 20
    passes = 2 * found.tokens + 3 * sum(len(x) for course in lessons.held for x in course.lessons)
    assert found.seconds >= 2 * shape(model).layer * passes / (0.5 * 1e9)
    memory, time = found.lines()
    assert "on this computer" in memory and "optimiser" in memory and "16 steps" in time
    assert estimate(scorer, lessons, used, processes=2).seconds == pytest.approx(found.seconds / 2)
    check_fits(found, "base", used, four_bit=False)
    small = replace(found, there=found.memory / 2)
    with pytest.raises(EngineError, match=r"Tuning 'base' takes about .* Change: --budget"):
        check_fits(small, "base", used, four_bit=False)
    with pytest.raises(EngineError, match="Change: --weights lora"):
        check_fits(small, "base", recipe("packed", weights="all"), four_bit=False)


def test_a_7b_model_takes_what_is_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    form = estimating.Shape(4096, 11008, 32, 4096, 4096, 32000, 6_738_415_616, 6_476_005_376)
    assert trained(form, recipe("authors")) == 4_194_304  # as peft prints it for r=8 on query and value
    assert trained(form, recipe("packed")) == 39_976_960
    row = estimating.RowShape(117, 16, 2900, 3000, 50)
    kept = activations(form, row, recipe("authors"), 2, checkpointing=False)
    again = activations(form, row, recipe("authors"), 2, checkpointing=True)
    assert again < kept / 4
    assert standing(form, recipe("authors"), "bfloat16")["weights"] == pytest.approx(13.5e9, rel=0.01)
    assert np.isclose(sum(standing(form, recipe("packed", weights="all"), "float32").values()), 20 * form.weights)
