"""A system whose questions are counted, and which can be interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.engines.protocol import EngineError, Item
from backend.paper.answers import Answers
from backend.paper.examples import Example
from backend.paper.saw import Saw
from backend.paper.systems import ABOUT
from backend.paper.task import Task
from labelstudio_config.codebook import Question


@dataclass
class Counted:
    """Answers from a hash of text, examples and `weights`; of an answer in so many it is interrupted."""

    name: str = "counted"
    shows: bool = True
    slice: int = 8
    weights: str = "w1"
    other_wordings: int = 0
    refuses: tuple[str, ...] = ()  # tasks
    fails: tuple[str, ...] = ()  # tasks
    stops_at: int | None = None
    asked: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    freed: int = 0

    def why_not(self, task: Task, decode: str) -> str | None:
        return "It does not want to." if task.name in self.refuses else None

    def saw(self, task: Task) -> Saw:
        return Saw.UNSEEN

    def about(self, task: Task) -> Mapping[str, str]:
        return dict.fromkeys(ABOUT, "") | {"engine": "counted", "model": self.name, "base_digest": self.weights}

    def depends(self, task: Task, decode: str, wording: int) -> Mapping[str, Any]:
        return {"weights": self.weights, "decode": decode, "wording": wording}

    def wordings(self, task: Task) -> int:
        return 1 + self.other_wordings

    def lines(self, question: Question, examples: Sequence[Example], wording: int) -> str:
        return "\n".join(f"{' '.join(item)} - {','.join(sorted(labels))}" for item, labels in examples)

    def answers(
        self, task: Task, items: Sequence[Item], shown: Sequence[str] | None, decode: str, wording: int
    ) -> Answers:
        if task.name in self.fails:
            raise EngineError("It cannot.")
        if self.stops_at is not None and len(self.asked) >= self.stops_at:
            raise KeyboardInterrupt
        self.asked.append((task.name, len(items), tuple(shown or ())))
        seen = shown or [""] * len(items)
        k = len(task.question.labels)
        parts = [repr((item, one, self.weights, wording)) for item, one in zip(items, seen, strict=True)]
        chosen = [hashlib.sha256(part.encode()).digest()[0] % k for part in parts]
        return Answers.of(np.asarray(np.arange(k) == np.array(chosen)[:, None]))

    def free(self) -> None:
        self.freed += 1

    def scorer(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        same = {"engine": "counted", "base": self.name, "base_digest": self.weights, "adapter_digest": ""}
        return same | {"prompt_hash": "p", "dtype": "float64", "method": "hash"}
