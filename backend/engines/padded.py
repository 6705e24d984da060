"""Texts of nearly the same length beside each other, padded to the longest: for any encoder, and for a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.pooling import Ids, joined, two

BATCH = 32  # measured: larger is not faster on a CPU
FEW = 8  # texts from which on a batch is as fast as a larger one, and may end to keep out padding
ALIKE = 1.1  # times the tokens of a batch's shortest text


class Padded:
    """A model of transformers, and the tokenizer that knows how to pad for it."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer, self._model = tokenizer, model

    def read(self, ids: Sequence[Ids]) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """See `Reader`."""
        import torch

        for places in batches([len(text) for text in ids]):
            with torch.inference_mode():
                vectors = joined(self.means([ids[place] for place in places]))
            yield places, vectors

    def means(self, ids: Sequence[Ids]) -> list[Any]:
        """See `Reader`."""
        given = self._tokenizer.pad({"input_ids": list(ids)}, return_tensors="pt").to(self._model.device)
        states = self._model(**given, output_hidden_states=True).hidden_states
        weight = given["attention_mask"].unsqueeze(-1).to(states[-1].dtype)
        read = weight.sum(1).clamp(min=1)
        return [(layer * weight).sum(1) / read for layer in two(states)]


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts with these numbers of tokens, by length, in batches of nearly the same length: what is padded
    is computed in vain.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if len(batch) == BATCH or (len(batch) >= FEW and lengths[place] > ALIKE * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
