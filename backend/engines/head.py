"""A learned head on an encoder's embeddings, as it is applied: zero-shot scores plus what labelled texts added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import ENCODER_LORA, LORA_CONFIG, LORA_TENSORS, TENSORS, Manifest, read
from backend.engines.protocol import EngineError, Item
from backend.engines.terms import Terms
from backend.engines.zeroshot import Prototypes

PARTS = {"head": {TENSORS}, ENCODER_LORA: {TENSORS, LORA_CONFIG, LORA_TENSORS}}  # files of a method
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
        return prior * self.scale + self.bias + (features @ self.weights).astype(np.float64) + self.words(items)

    def words(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """What the words of n texts add to their scores [n, K]."""
        scores = np.zeros((len(items), len(self.bias)))
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


def similar(prototypes: Prototypes, fields: int) -> Head:
    """The zero-shot scores of embeddings as a head on `features`, with nothing taken from elsewhere: its scale is 0.

    It is what a tuned encoder starts from; see `ENCODER_LORA`.
    """
    on_last, bias = prototypes.linear()
    width, labels = on_last.shape
    segments = 1 if fields == 1 else 3  # of a pair: either text, and their difference
    weights = np.zeros((segments, 2 * width, labels), dtype=np.float32)
    weights[:fields, :width] = on_last / fields
    none = Terms(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    return Head(np.zeros(labels), bias, weights.reshape(-1, labels), none, np.zeros((0, labels), dtype=np.float32))


def load(folder: Path) -> tuple[Manifest, Head]:
    """The adapter in a directory, but for its LoRA if it has one; `EngineError` when it is none or not whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    manifest = read(folder)
    if manifest.method not in PARTS or not PARTS[manifest.method] <= set(manifest.files):
        raise EngineError(f"The adapter {folder.name} is a '{manifest.method}', which the encoder cannot use.")
    try:
        x = load_file(folder / TENSORS)
        return manifest, Head(
            x["scale"], x["bias"], x["weights"], Terms(x["term_buckets"], x["term_idf"]), x["term_weights"]
        )
    except (SafetensorError, KeyError, OSError) as error:
        raise EngineError(f"The file {TENSORS} of the adapter {folder.name} cannot be read. Train it again.") from error
