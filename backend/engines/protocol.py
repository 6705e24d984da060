"""What every engine is: a question and texts in, log-probabilities of its labels out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labelstudio_config.codebook import Kind, Question

Item = tuple[str, ...]  # one text per field of the question, in the order of `Question.fields`


class Family(StrEnum):
    """How a row of log-probabilities is read."""

    CATEGORICAL = "categorical"  # sums to one over the labels
    BERNOULLI = "bernoulli"  # each label on its own: P(label applies)
    ORDINAL = "ordinal"  # sums to one over labels in ascending order


FAMILY = {Kind.SINGLE: Family.CATEGORICAL, Kind.MULTIPLE: Family.BERNOULLI, Kind.ORDINAL: Family.ORDINAL}


@dataclass(frozen=True, slots=True)
class Identity:
    """What, besides the codebook and the adapter, determines an engine's scores."""

    engine: str  # "keyword", "encoder", ...
    base: str  # model id, for people
    digest: str  # sha256 of the weights in use
    prompt: str  # sha256 of the code-independent prompt or scoring recipe
    dtype: str
    method: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n items on a question with K labels.

    `log_probabilities` is float64 [n, K], natural logarithm, columns in the order of `Question.labels`; `cut` is
    int64 [n], the tokens that did not fit and were not read.
    """

    family: Family
    log_probabilities: NDArray[np.float64]
    cut: NDArray[np.int64]


def expected(log_probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected value [n] of ordinal scores [n, K] whose labels count 1 to K."""
    places = np.arange(1, log_probabilities.shape[-1] + 1, dtype=np.float64)
    values: NDArray[np.float64] = np.exp(log_probabilities) @ places
    return values


class Engine(Protocol):
    """A scorer of label sets. One thread calls it at a time; it never writes to the store."""

    @property
    def identity(self) -> Identity: ...

    def load(self) -> None:
        """Load the model, if that has not been done; scoring does so too, but takes seconds then."""
        ...

    def why_not(self, question: Question) -> str | None:
        """None when the question can be scored, else the reason in a sentence."""
        ...

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        """Score every item on the question. `adapter` is an adapter directory, or None for the zero-shot scorer.

        `shown` are the examples that each item's prompt shows, one string of `backend.engines.prompts.shown_lines` an
        item, empty for none. They take the place of the codebook's own examples, and are no part of the identity.
        Raises `EngineError` with a sentence for a person when the question or the adapter cannot be used, or when
        examples are given to an engine that reads none.
        """
        ...

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        """For each item None, or a sentence for a person on why its scores deserve less trust; it quotes no text."""
        ...


class EngineError(Exception):
    """The engine cannot score this."""
