"""What one encoder learns many questions from: labelled texts by question, and how it is to learn them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from backend.engines.classifier_manifest import POOLINGS
from backend.engines.classifier_model import Body, Row
from backend.engines.protocol import FAMILY, Family, Item
from backend.engines.scorable import checked
from backend.tuners.targets import TrainingError, targets
from labelstudio_config.codebook import Question

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
HELD = 0.1  # of the texts of a question that comes without a validation part
NARROW = 768  # width from which on an encoder takes the rate of a large one
RATES = {"small": 2e-4, "large": 2e-5}  # a usual start for each, not the outcome of a search


@dataclass(frozen=True, slots=True)
class Texts:
    """n texts, one a field of the question, with their label ids: exactly one, or any number of multiple choice."""

    items: Sequence[Item] = ()
    answers: Sequence[frozenset[str]] = ()

    def __len__(self) -> int:
        return len(self.items)

    def rows(self, rows: Rows) -> Texts:
        return Texts([self.items[n] for n in rows], [self.answers[n] for n in rows])


@dataclass(frozen=True, slots=True)
class Subject:
    """A question with the texts it is learned from, and those that say when to stop: without any, a tenth of the
    first is held out. `source` and `licence` are what the model card says of them.
    """

    question: Question
    train: Texts
    validation: Texts = field(default_factory=Texts)
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """How an encoder is trained. `rate` is the highest of the encoder's layers, None for what suits its size.

    `cap` bounds the texts of a question that are drawn, of the training and of the validation part. Of `sampling` see
    `multitask_draw`; `length` is in tokens of a text or pair, None for as many as the encoder reads; `patience` counts
    epochs without gain. `checkpointing`: compute activations again instead of keeping them, for less memory.
    """

    epochs: int = 4
    rate: float | None = None
    batch: int = 32
    cap: int | None = None
    sampling: float = 0.5
    length: int | None = None
    pooling: str = "mean"
    patience: int = 2
    seed: int = 0
    checkpointing: bool = False
    dropout: float = 0.1
    decay: float = 0.01
    warm_up: float = 0.1
    clip: float = 1.0
    head_rate: float = 10.0  # times the encoder's: a head starts from nothing

    def check(self) -> None:
        """`TrainingError` when they cannot be used."""
        whole = min(self.epochs, self.batch, self.patience, self.cap or 1, self.length or 8)
        if whole < 1 or (self.length or 8) < 8 or not 0 <= self.sampling <= 1 or not (self.rate or 1.0) > 0:
            raise TrainingError(
                "Epochs, batch, cap and patience are whole numbers from 1, the length is from 8 tokens, the sampling "
                "from 0 to 1, and the learning rate is above 0. Change the options."
            )
        if self.pooling not in POOLINGS:
            raise TrainingError(f"Tokens are pooled by one of: {', '.join(POOLINGS)}.")

    def settled(self, width: int, window: int) -> EncoderOptions:
        """The options with what is left open decided for an encoder of this width and window."""
        if (self.length or window) > window:
            raise TrainingError(f"The encoder reads {window} tokens; a length of {self.length} is more. Choose less.")
        rate = self.rate or RATES["large" if width >= NARROW else "small"]
        return replace(self, rate=rate, length=self.length or window)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Items as tokens, the labels they were given as zeros and ones [n, K], and how many were cut."""

    family: Family
    rows: Sequence[Row]
    goal: Array
    cut: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([len(row) for row in self.rows], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Course:
    """A question with what is learned (`fit`) and what tells when to stop (`held`)."""

    subject: Subject
    fit: Lessons
    held: Lessons


def drawn_texts(subjects: Sequence[Subject], options: EncoderOptions) -> list[Subject]:
    """The subjects with their validation part and no more texts than the cap. `TrainingError` names what is wrong."""
    if not subjects:
        raise TrainingError("There is no question to learn. Name data that has some.")
    names = [subject.question.id for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrainingError(f"The question '{twice[0]}' was given twice. Join its texts, or leave one out.")
    return [_drawn(subject, options, number) for number, subject in enumerate(subjects)]


def course(body: Body, subject: Subject) -> Course:
    """The texts of a subject as tokens. `TrainingError` or `EngineError` when nothing can be learned from them."""
    question, fit, held = subject.question, subject.train, subject.validation
    both = Texts([*fit.items, *held.items], [*fit.answers, *held.answers])
    checked(question, both.items)
    targets(question, fit.items, fit.answers)
    goal = targets(question, both.items, both.answers)
    rows, cut = body.rows(both.items)
    n, family = len(fit), FAMILY[question.kind]
    return Course(
        subject,
        Lessons(family, rows[:n], goal[:n], int(np.count_nonzero(cut[:n]))),
        Lessons(family, rows[n:], goal[n:], int(np.count_nonzero(cut[n:]))),
    )


def _drawn(subject: Subject, options: EncoderOptions, number: int) -> Subject:
    random = np.random.default_rng([options.seed, number])
    train, validation = subject.train, subject.validation
    if not len(validation):
        train, validation = _split(train, random)
    return replace(
        subject, train=_capped(train, options.cap, random), validation=_capped(validation, options.cap, random)
    )


def _split(texts: Texts, random: np.random.Generator) -> tuple[Texts, Texts]:
    """Most of the texts, and a tenth that is held out; the same text is never on both sides."""
    distinct = list(dict.fromkeys(texts.items))
    chosen = random.permutation(len(distinct))[: round(HELD * len(distinct))]
    held = {distinct[n] for n in chosen}
    side = np.array([item in held for item in texts.items], dtype=bool)
    return texts.rows(np.flatnonzero(~side)), texts.rows(np.flatnonzero(side))


def _capped(texts: Texts, cap: int | None, random: np.random.Generator) -> Texts:
    if cap is None or len(texts) <= cap:
        return texts
    return texts.rows(np.sort(random.permutation(len(texts))[:cap]))
