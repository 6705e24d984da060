"""Lessons behind each other in one row of tokens, after the instruction that they share, and the loss on their answers.

The linear layers see every token once and no padding. In attention a lesson sees the instruction and itself: its
queries are put, filled up to the longest, before the instruction's keys and its own. All of it is one forward pass
without a cache, so that the gradient flows through the instruction, and activations may be computed again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.packs import only_read
from backend.engines.protocol import EngineError
from backend.engines.trie import ROOT, Trie, build
from backend.tuners.labelled import Batch, Lesson

ATTENTION = "socialite-taught"  # name of the attention below in transformers' registry


@dataclass(frozen=True, slots=True)
class Row:
    """B lessons in one row of T tokens, `prefix` of them shared, L the longest's own; tensors on the model's device.

    `tokens` and `positions` are int64 [1, T]; `reads` int64 [R], where in the row a distribution is read. Of these,
    `edges` int64 [E] and `right` int64 [E] name the token that is to come, `weights` float32 [E] how much it counts.
    For the attention: `places` int64 [B L] gathers the filled up lessons from the row behind the prefix, `back` int64
    [T - prefix] undoes it, `mask` bool [B, 1, g L, prefix + L] is true where a token sees another, g the queries that
    share a key.
    """

    prefix: int
    tokens: Any
    positions: Any
    reads: Any
    edges: Any
    right: Any
    weights: Any
    places: Any
    back: Any
    mask: Any


@dataclass(frozen=True, slots=True)
class _Part:
    """A lesson's own tokens: how many belong to the prompt, and the trie of the answers behind them."""

    lesson: Lesson
    trie: Trie

    @property
    def own(self) -> int:
        return len(self.lesson.prompt)

    def __len__(self) -> int:
        return self.own + len(self.trie.tokens)

    def positions(self) -> NDArray[np.int64]:
        return np.concatenate([np.arange(self.own), self.own - 1 + np.array(self.trie.depths, dtype=np.int64)])

    def seen(self) -> NDArray[np.bool_]:
        """[n, n]: what is before a token; of the answers its own branch."""
        found = np.tril(np.ones((len(self), len(self)), dtype=bool))
        found[self.own :, self.own :] = self.trie.visible()
        return found

    def reads(self) -> NDArray[np.int64]:
        return self.own + np.array([-1 if place == ROOT else place for place in self.trie.reads])

    def weights(self) -> NDArray[np.float64]:
        """Of each edge: what the answers that take it are to have together, times the lesson's weight."""
        found = np.zeros(len(self.trie.edges))
        for share, used in zip(self.lesson.shares, self.trie.used, strict=True):
            found[list(used)] += share
        return found * self.lesson.weight


def attention() -> str:
    """The name of the attention to load a model with, ready for use."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, _no_mask)
    return ATTENTION


def row(batch: Batch, *, heads_per_key: int, device: Any) -> Row:
    """A batch laid out for a model whose queries share a key by `heads_per_key`."""
    import torch

    parts = [_Part(lesson, _trie(lesson.answers)) for lesson in batch.lessons]
    prefix, lengths = len(batch.prefix), np.array([len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    longest = int(lengths.max())
    mask = np.zeros((len(parts), longest, prefix + longest), dtype=bool)
    mask[:, :, :prefix] = True
    mask[:, :, prefix] = True  # what fills a lesson up sees something, and is not read
    for number, part in enumerate(parts):
        mask[number, : len(part), prefix : prefix + len(part)] = part.seen()
    firsts = np.cumsum([0, *(len(part.trie.reads) for part in parts[:-1])])

    def there(values: Any, dtype: Any = np.int64) -> Any:
        return torch.from_numpy(np.asarray(values, dtype)).to(device)

    own = np.concatenate([part.positions() for part in parts]) + prefix
    return Row(
        prefix,
        there([[*batch.prefix, *(t for part in parts for t in (*part.lesson.prompt, *part.trie.tokens))]]),
        there(np.concatenate([np.arange(prefix), own])[None]),
        there(np.concatenate([prefix + start + part.reads() for start, part in zip(starts, parts, strict=True)])),
        there([first + read for first, part in zip(firsts, parts, strict=True) for read, _ in part.trie.edges]),
        there([token for part in parts for _, token in part.trie.edges]),
        there(np.concatenate([part.weights() for part in parts]), np.float32),
        there((starts[:, None] + np.minimum(np.arange(longest), lengths[:, None] - 1)).reshape(-1)),
        there(np.concatenate([number * longest + np.arange(n) for number, n in enumerate(lengths)])),
        there(np.tile(mask, (1, heads_per_key, 1))[:, None], bool),
    )


def loss(model: Any, batch: Batch) -> Any:
    """Minus the log-probability of the lessons' answers and end tokens, by shares and weights, summed: a scalar tensor.

    It is what a whole padded prompt in each row gives, for a fraction of its cost. `model` takes the `attention` above
    and may be one of peft's.
    """
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = whole.config
    if config._attn_implementation != ATTENTION:
        raise ValueError("The model was loaded with another attention, which would mix the lessons up.")
    keys = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    laid = row(batch, heads_per_key=config.num_attention_heads // keys, device=whole.device)
    with _last_layer(whole, laid):
        logits = whole(
            input_ids=laid.tokens, position_ids=laid.positions, use_cache=False, logits_to_keep=laid.reads, row=laid
        ).logits[0]
    logits = logits.float()
    found = logits[laid.edges, laid.right] - logits.logsumexp(dim=-1)[laid.edges]
    return -(laid.weights * found).sum()


def _last_layer(model: Any, row: Row) -> AbstractContextManager[None]:
    """The last layer does no more than is read; all of it where it will be computed again, after this has ended."""
    again = model.training and model.get_decoder().layers[-1].gradient_checkpointing
    return nullcontext() if again else only_read(model, row.tokens.shape[1], row.reads)


@lru_cache(maxsize=4096)
def _trie(answers: tuple[tuple[int, ...], ...]) -> Trie:
    return build(answers)


def _attention(
    _module: Any,
    query: Any,
    key: Any,
    value: Any,
    _given: Any,
    *,
    scaling: float | None = None,
    row: Row | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention [1, T, heads, size] of query [1, heads, T, size], key and value [1, key heads, T, size]."""
    import torch

    if row is None:
        raise EngineError("The model does not hand its attention what it is given. Choose another model.")
    attend = torch.nn.functional.scaled_dot_product_attention
    heads, size = query.shape[1], query.shape[-1]
    own = [_filled(part[0, :, row.prefix :], row) for part in (query, key, value)]
    first = [part[:, :, : row.prefix] for part in (query, key, value)]
    keys, values = (
        torch.cat([a.expand(b.shape[0], -1, -1, -1), b], 2) for a, b in zip(first[1:], own[1:], strict=True)
    )
    queries = own[0].reshape(own[0].shape[0], keys.shape[1], -1, size)  # those that share a key behind each other
    within = attend(queries, keys, values, attn_mask=row.mask, scale=scaling).reshape(own[0].shape)
    within = within.transpose(0, 1).reshape(heads, -1, size).index_select(1, row.back)[None]
    if row.prefix:
        times = heads // key.shape[1]
        key, value = (part.repeat_interleave(times, 1) if times > 1 else part for part in first[1:])
        before = attend(first[0], key, value, is_causal=True, scale=scaling)
        within = torch.cat([before, within], dim=2)
    return within.transpose(1, 2), None


def _filled(part: Any, row: Row) -> Any:
    """[B, heads, L, size] of the lessons' rows [heads, T - prefix, size]."""
    found = part.index_select(1, row.places)
    return found.view(found.shape[0], row.mask.shape[0], -1, found.shape[-1]).transpose(0, 1)


def _no_mask(*_: Any, **__: Any) -> None:
    """What is hidden is decided above."""
