"""A learned head on an encoder's embeddings, as it is applied: zero-shot scores plus what labelled texts added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import TENSORS, Manifest, read
from backend.engines.protocol import EngineError, Item
from backend.engines.terms import Terms

FEATURES = "features v1: last and middle layer; of a pair also the difference"


@dataclass(frozen=True, slots=True)
class Head:
    """scores = scale * zero-shot + bias + features @ weights + terms @ term_weights.

    `scale` and `bias` [K], `weights` [D, K], `term_weights` [V, K]; V is 0 when there were too few labels for words.
    """

    scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    weights: NDArray[np.float32]
    terms: Terms
    term_weights: NDArray[np.float32]

    def scores(
        self, prior: NDArray[np.float64], features: NDArray[np.float32], items: Sequence[Item]
    ) -> NDArray[np.float64]:
        """Unnormalised log-scores [n, K] from zero-shot ones [n, K], `features(...)` [n, D] and the texts."""
        scores = prior * self.scale + self.bias + (features @ self.weights).astype(np.float64)
        if len(self.terms.buckets):
            for row, item in enumerate(items):
                for field, text in enumerate(item):
                    columns, values = self.terms.values(text, field)
                    scores[row] += values @ self.term_weights[columns]
        return scores

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        return {
            "scale": self.scale,
            "bias": self.bias,
            "weights": np.ascontiguousarray(self.weights, dtype=np.float32),
            "term_buckets": self.terms.buckets,
            "term_idf": self.terms.idf,
            "term_weights": np.ascontiguousarray(self.term_weights, dtype=np.float32),
        }


def features(embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Dense features [n, D] from one embedding matrix per field: of a pair, both texts and their difference.

    The signed difference is what tells which of two texts has more of something; |a - b| and a * b added nothing to it.
    """
    if len(embeddings) == 1:
        return embeddings[0]
    first, second = embeddings
    return np.concatenate([first, second, first - second], axis=1)


def load(folder: Path) -> tuple[Manifest, Head]:
    """The adapter in a directory; `EngineError` when it is not a whole head."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    manifest = read(folder)
    if manifest.method != "head" or TENSORS not in manifest.files:
        raise EngineError(f"The adapter {folder.name} is a '{manifest.method}', which the encoder cannot use.")
    try:
        x = load_file(folder / TENSORS)
        return manifest, Head(
            x["scale"], x["bias"], x["weights"], Terms(x["term_buckets"], x["term_idf"]), x["term_weights"]
        )
    except (SafetensorError, KeyError, OSError) as error:
        raise EngineError(f"The file {TENSORS} of the adapter {folder.name} cannot be read. Train it again.") from error
