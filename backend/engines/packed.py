"""Texts of any lengths behind each other in one row, so that no padding is computed.

The linear layers see one long row of tokens; attention is taken text by text. A text's embedding then does not depend
on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.pooling import Ids, joined, two

ATTENTION = "socialite-packed"  # name of the attention below in transformers' registry
FAMILIES = ("bert",)  # model types that count a text's positions from 0, and pass on what their attention is given
BATCH = 32  # texts in a row; measured: more are hardly faster on a CPU


def attention() -> str:
    """The name of the attention to load a model with, ready for use."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, _no_mask)
    return ATTENTION


class Packed:
    """A model on the CPU that was loaded with this attention."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def read(self, ids: Sequence[Ids]) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """See `Reader`."""
        import torch

        for start in range(0, len(ids), BATCH):
            row = range(start, min(start + BATCH, len(ids)))
            with torch.inference_mode():
                vectors = joined(self.means([ids[place] for place in row]))
            yield row, vectors

    def means(self, ids: Sequence[Ids]) -> list[Any]:
        """See `Reader`."""
        import torch

        lengths = [len(text) for text in ids]
        row = torch.tensor([token for text in ids for token in text])
        places = torch.cat([torch.arange(length) for length in lengths])
        given = {"input_ids": row[None], "position_ids": places[None], "lengths": lengths}
        states = self._model(**given, output_hidden_states=True).hidden_states
        return [_means(layer[0], lengths) for layer in two(states)]


def _means(states: Any, lengths: Sequence[int]) -> Any:
    """The mean [n, width] of each text's states, of all states [tokens, width]."""
    import torch

    counts = torch.tensor(lengths)
    text = torch.repeat_interleave(torch.arange(len(lengths)), counts)
    sums = torch.zeros(len(lengths), states.shape[1], dtype=states.dtype).index_add_(0, text, states)
    return sums / counts.clamp(min=1)[:, None]


def _attention(
    _module: Any,
    query: Any,
    key: Any,
    value: Any,
    _mask: Any,
    *,
    lengths: Sequence[int],
    scaling: float | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention [1, tokens, heads, size] within each text, of query, key and value [1, heads, tokens, size]."""
    import torch

    texts = zip(*(part.split(lengths, dim=2) for part in (query, key, value)), strict=True)
    attended = [torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=scaling) for q, k, v in texts]
    return torch.cat(attended, dim=2).transpose(1, 2).contiguous(), None


def _no_mask(*_: Any, **__: Any) -> None:
    """No text sees another, so there is nothing to hide."""
