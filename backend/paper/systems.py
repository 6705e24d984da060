"""What is compared: engines, with or without an adapter, and two baselines, all asked in one way."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from backend.engines import adapter as adapters
from backend.engines import bundle
from backend.engines.protocol import EngineError, Item
from backend.learning.baseline import tfidf
from backend.learning.judge import marked
from backend.paper.answers import Answers
from backend.paper.examples import Example
from backend.paper.saw import Saw, saw
from backend.paper.task import Split, Task
from backend.stats.f1 import Marks
from backend.tuners.targets import TrainingError
from labelstudio_config.codebook import Kind, Question

if TYPE_CHECKING:
    from backend.engines.prompts import Wording
    from backend.engines.protocol import Engine
    from backend.settings import Settings

LABELS, AUTHORS = "labels", "authors"  # how an answer is had: the label set is scored; or it is written and parsed
SLICE = 512  # texts between two writes
ALL = 10**9
ASKED = ("causal", "remote")  # engines that read an instruction, and examples


@runtime_checkable
class Reworded(Protocol):
    """An engine that reads an instruction, and can be asked in another one."""

    @property
    def wording(self) -> Wording: ...

    def worded(self, wording: Wording) -> Engine: ...


class System(Protocol):
    """One of the models that are put side by side."""

    name: str
    shows: bool  # whether it can be shown examples, and asked in other words
    slice: int  # texts that are answered at once

    def why_not(self, task: Task, decode: str) -> str | None:
        """None when it can answer the task in this way, else the reason in a sentence."""
        ...

    def saw(self, task: Task) -> Saw:
        """Whether it learned from the task's training texts before."""
        ...

    def about(self, task: Task) -> Mapping[str, str]:
        """What it is, for people and for those who repeat it: `ABOUT` -> value."""
        ...

    def depends(self, task: Task, decode: str, wording: int) -> Mapping[str, Any]:
        """All of the system that an answer depends on."""
        ...

    def wordings(self, task: Task) -> int:
        """In how many ways it can be asked, its own being the first."""
        ...

    def lines(self, question: Question, examples: Sequence[Example], wording: int) -> str:
        """The examples as they are shown."""
        ...

    def answers(
        self, task: Task, items: Sequence[Item], shown: Sequence[str] | None, decode: str, wording: int
    ) -> Answers:
        """What it says of the items. `EngineError`, `TrainingError`: why it says nothing."""
        ...

    def free(self) -> None:
        """Give back its memory; it loads again when it is asked."""
        ...

    def scorer(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """What a project's store keeps of it, by the names of `db.releases.scorer`."""
        ...


ABOUT = ("engine", "model", "revision", "base_digest", "adapter_digest", "wording", "prompt", "dtype", "method")


class Baseline:
    """A system without a model: it learns from the task's training texts each time."""

    shows, slice = False, ALL

    def __init__(self, name: str, what: str) -> None:
        self.name, self._what = name, what

    def why_not(self, task: Task, decode: str) -> str | None:
        if not len(task.train):
            return f"The task '{task.name}' has no training texts to learn from."
        if not task.question.labels or task.question.kind is Kind.NUMBER:
            return f"The question '{task.question.name}' has no labels."
        return f"'{self._what}' writes no answers that could be parsed." if decode == AUTHORS else None

    def saw(self, task: Task) -> Saw:
        return Saw.TRAINED

    def about(self, task: Task) -> Mapping[str, str]:
        said = {
            "engine": self._what,
            "model": self._what,
            "base_digest": split_digest(task.train),
            "method": "baseline",
        }
        return dict.fromkeys(ABOUT, "") | said

    def depends(self, task: Task, decode: str, wording: int) -> Mapping[str, Any]:
        return {"baseline": self._what, "version": 1, "train": split_digest(task.train)}

    def wordings(self, task: Task) -> int:
        return 1

    def lines(self, question: Question, examples: Sequence[Example], wording: int) -> str:
        raise EngineError(f"'{self._what}' is shown no examples.")

    def answers(
        self, task: Task, items: Sequence[Item], shown: Sequence[str] | None, decode: str, wording: int
    ) -> Answers:
        if self._what == "tfidf":
            return Answers.of(tfidf(task.question, task.train.items, task.train.answers, items))
        return Answers.of(np.tile(_majority(task), (len(items), 1)))

    def free(self) -> None:
        """There is nothing to free."""

    def scorer(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        learned = hashlib.sha256(" ".join(split_digest(task.train) for task in tasks).encode()).hexdigest()
        same = {"engine": self._what, "base": self._what, "base_digest": learned, "adapter_digest": ""}
        return same | {"prompt_hash": "", "dtype": "float64", "method": "learned from train"}


def _majority(task: Task) -> Marks:
    """The commonest label of train [K]; of a multiple question every label that more than half of the texts have."""
    shares = truth(task.question, task.train.answers).mean(axis=0)
    if task.question.kind is Kind.MULTIPLE:
        return np.asarray(shares > 0.5)
    return np.asarray(np.arange(len(shares)) == shares.argmax())


def truth(question: Question, answers: Sequence[frozenset[str]]) -> Marks:
    """Which labels [n, K] the texts have."""
    found = [[label in given for label in question.label_ids] for given in answers]
    return np.array(found, dtype=np.bool_).reshape(len(answers), len(question.labels))


def split_digest(split: Split) -> str:
    mine = hashlib.sha256()
    for item, labels in zip(split.items, split.answers, strict=True):
        mine.update(repr((item, sorted(labels))).encode("utf-8", "surrogatepass"))
    return mine.hexdigest()


class Scorer:
    """An engine, as settings name it, with an adapter or without one. It is loaded when it is first asked."""

    slice = SLICE

    def __init__(self, name: str, in_force: Settings, adapter: Path | None = None) -> None:
        self.name, self._settings, self._folder = name, in_force, adapter
        self._engine: Engine | None = None
        self._others: dict[int, Engine] = {}
        self.identity = self.engine.identity
        self.shows = self.identity.engine in ASKED

    @property
    def engine(self) -> Engine:
        """The engine; its weights need not be in memory."""
        from backend.engines.choice import choose

        if self._engine is None:
            self._engine = choose(self._settings, ready=False)
        return self._engine

    def _adapter(self, question: Question) -> Path | None:
        return bundle.part(self._folder, question.id)

    def why_not(self, task: Task, decode: str) -> str | None:
        if reason := self.engine.why_not(task.question):
            return reason
        if decode == AUTHORS and not self.shows:
            return f"The engine '{self.identity.engine}' writes no answers that could be parsed."
        return self._unfit(task.question)

    def _unfit(self, question: Question) -> str | None:
        """Why the adapter does not answer the question: it learned another one."""
        if self._folder is None:
            return None
        mine = self._adapter(question)
        if mine is None:
            return f"The adapter {self._folder.name} was not tuned for the question '{question.id}'."
        manifest = adapters.read(mine)
        return adapters.unfit(manifest, self.identity, question, manifest.vocabulary)

    def saw(self, task: Task) -> Saw:
        mine = self._adapter(task.question) if self._folder is not None else None
        return saw(task, self.identity, mine)

    def about(self, task: Task) -> Mapping[str, str]:
        from backend.engines import hub

        weights = getattr(self.engine, "weights", None) or getattr(
            getattr(self.engine, "embedder", None), "weights", None
        )
        mine = self._adapter(task.question) if self._folder is not None else None
        return {
            "engine": self.identity.engine,
            "model": self.identity.base,
            "revision": hub.commit(weights.folder) if weights is not None else "",
            "base_digest": self.identity.digest,
            "adapter_digest": adapters.digest(mine) if mine is not None else "",
            "wording": self._settings.instructions if self.shows else "",
            "prompt": self.identity.prompt,
            "dtype": self.identity.dtype,
            "method": self.identity.method,
        }

    def depends(self, task: Task, decode: str, wording: int) -> Mapping[str, Any]:
        known = asdict(self._asked(wording).identity)
        del known["base"]
        return known | {"adapter": self.about(task)["adapter_digest"], "decode": decode}

    @cached_property
    def _wordings(self) -> tuple[Wording, ...]:
        """The wordings that it can be asked in, its own being the first."""
        from backend.engines.paraphrases import paraphrases

        engine = self.engine
        return tuple(paraphrases(engine.wording)) if isinstance(engine, Reworded) else ()

    def wordings(self, task: Task) -> int:
        """What was tuned for one question in one wording is asked in that one only."""
        mine = self._adapter(task.question) if self._folder is not None else None
        bound = mine is not None and adapters.read(mine).method != adapters.INSTRUCT
        return 1 if bound else max(1, len(self._wordings))

    def _asked(self, wording: int) -> Engine:
        """The engine as it is asked in that wording; the weights are the same ones."""
        engine = self.engine
        if not wording or not isinstance(engine, Reworded):
            return engine
        if wording not in self._others:
            self._others[wording] = engine.worded(self._wordings[wording])
        return self._others[wording]

    def lines(self, question: Question, examples: Sequence[Example], wording: int) -> str:
        from backend.engines.prompts import shown_lines

        engine = self._asked(wording)
        if not isinstance(engine, Reworded):
            raise EngineError(f"The engine '{self.identity.engine}' is shown no examples.")
        return shown_lines(question, engine.wording, examples)

    def answers(
        self, task: Task, items: Sequence[Item], shown: Sequence[str] | None, decode: str, wording: int
    ) -> Answers:
        engine, mine = self._asked(wording), self._adapter(task.question)
        if decode == AUTHORS and isinstance(engine, Reworded):
            from backend.paper.written import written

            return written(engine, engine.wording, task.question, items, mine, shown)
        found = engine.score(task.question, items, mine, shown)
        n = len(items)
        said = marked(found.log_probabilities, found.family)
        return Answers(said, found.log_probabilities, found.cut, np.zeros(n, dtype=np.bool_))

    def free(self) -> None:
        from backend.engines.memory import given_back

        self._engine, self._others = None, {}
        gc.collect()
        given_back()

    def scorer(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        mine = self.identity
        return {
            "engine": mine.engine,
            "base": mine.base,
            "base_digest": mine.digest,
            "adapter_digest": adapters.digest(self._folder) if self._folder is not None else "",
            "prompt_hash": mine.prompt,
            "dtype": mine.dtype,
            "method": mine.method,
        }


FAULTS = (EngineError, TrainingError)  # why a system leaves a task without an answer
