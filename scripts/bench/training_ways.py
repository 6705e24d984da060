"""One training step in two ways: this product's, and transformers' Trainer with padding and logits everywhere."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.tuners.answers import Plan, train
from backend.tuners.labelled import Batch, Course, batches, courses, goals
from backend.tuners.rows import attention
from backend.tuners.training import Step
from scripts.bench import scoring_material

RATE = 1e-4
IGNORED = -100  # a label that transformers leaves out of the loss


@dataclass(frozen=True, slots=True)
class Ran:
    """Examples a second, and the first step's loss: mean of minus the log-probability of an answer's token."""

    rate: float
    loss: float


class Trainings:
    """Twice the same model of random weights with the same LoRA, the same examples, in the same batches and order."""

    def __init__(self, shape: str, *, batch: int, steps: int) -> None:
        with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
            engine = scoring_material.engine(Path(folder) / "model", shape, "cpu", model=object())
            question = scoring_material.question(4)
            posts = [(text,) for text in scoring_material.texts(batch * steps)]
            goal = np.eye(4)[np.arange(len(posts)) % 4]
            (whole,) = courses(engine.tokens, question, engine.wording, posts, goals(question, goal))
        parts = [whole.lessons[start : start + batch] for start in range(0, len(posts), batch)]
        self.batch = batch
        self.taught = [Course(whole.prefix, part) for part in parts]  # each is a batch, of texts as they come
        self._ours, self._theirs = (_model(shape, name) for name in (attention(), "sdpa"))
        self._first = {
            name: part.detach().clone() for name, part in self._ours.named_parameters() if part.requires_grad
        }
        self.weights = sum(part.numel() for part in self._ours.parameters())

    def ours(self, steps: int) -> Ran:
        """The product's own loop."""
        self._begin(self._ours)
        told: list[Step] = []
        start = time.perf_counter()
        train(self._ours, self.taught[:steps], self._plan, report=told.append)
        took = time.perf_counter() - start
        first = self._order(steps)[0]
        tokens = sum(len(lesson.answers[0]) for lesson in first.lessons)
        return Ran(steps * self.batch / took, float(told[0].loss or 0) * len(first.lessons) / tokens)

    def trainer(self, steps: int) -> Ran:
        """transformers' Trainer, from the beginning of its first step to the end of its last."""
        self._begin(self._theirs)
        clock = _clock()
        rows = [row for batch in self._order(steps) for row in _rows(batch)]
        with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = _trainer(self._theirs, rows, self.batch, folder, clock)
            made.train()
        return Ran(len(rows) / (clock.end - clock.start), float(made.state.log_history[0]["loss"]))

    @property
    def _plan(self) -> Plan:
        return Plan(epochs=1, batch=self.batch, rate=RATE, warm_up=0.0)

    def _order(self, steps: int) -> list[Batch]:
        """As the product's loop takes them."""
        return list(batches(self.taught[:steps], self.batch, np.random.default_rng([self._plan.seed, 0])))

    def _begin(self, model: Any) -> None:
        import torch

        with torch.no_grad():
            for name, part in model.named_parameters():
                if part.requires_grad:
                    part.copy_(self._first[name])


def _model(shape: str, attention_name: str) -> Any:
    """A LoRA as the authors made it, on a model of random weights, both always the same; without dropout."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    make: Any = AutoModelForCausalLM.from_config
    base = make(scoring_material.settings(shape), attn_implementation=attention_name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tuned = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
    for name, part in tuned.named_parameters():
        if "lora_B" in name:  # nothing at first, which would say little of the gradient
            torch.nn.init.normal_(part, std=0.02)
    return tuned


def _rows(batch: Batch) -> list[dict[str, list[int]]]:
    """Each example as a whole prompt with its answer, whose tokens alone are labels."""
    rows = []
    for lesson in batch.lessons:
        prompt, answer = [*batch.prefix, *lesson.prompt], list(lesson.answers[0])
        rows.append({"input_ids": prompt + answer, "labels": [IGNORED] * len(prompt) + answer})
    return rows


def _padded(rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """A batch filled up on the right to its longest row."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)
    fill = [longest - len(row["input_ids"]) for row in rows]
    pairs = list(zip(rows, fill, strict=True))
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * n for row, n in pairs]),
        "attention_mask": torch.tensor([[1] * (longest - n) + [0] * n for n in fill]),
        "labels": torch.tensor([row["labels"] + [IGNORED] * n for row, n in pairs]),
    }


def _trainer(model: Any, rows: list[dict[str, list[int]]], batch: int, folder: str, clock: Any) -> Any:
    from transformers import PrinterCallback, Trainer, TrainingArguments

    settings = TrainingArguments(
        output_dir=folder,
        num_train_epochs=1,
        per_device_train_batch_size=batch,
        learning_rate=RATE,
        train_sampling_strategy="sequential",
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
    data: Any = rows
    made = Trainer(model, settings, data_collator=_padded, train_dataset=data, callbacks=[clock])
    made.remove_callback(PrinterCallback)
    return made


def _clock() -> Any:
    """When the first step began and the last one ended."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        start = end = 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.start = self.start or time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.end = time.perf_counter()

    return Clock()
