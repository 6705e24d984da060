"""Many texts in one row of tokens behind a prefix that they share, so that nothing is computed twice or padded in vain.

A text's row is its own tokens followed by those of the answers' trie. Linear layers see all rows of a pack as one;
attention is taken in two parts, to the prefix and within the text's own tokens, and the parts are put together by the
logarithm of their sums. transformers' models take it by name: their code stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import EngineError
from backend.engines.trie import ROOT, Trie

ATTENTION = "socialite-prefixed"  # name of the attention below in transformers' registry
FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "granite")
"""Model types whose attention is plain, and that hand down what they are given to it."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keys and values [1, heads, tokens, size] of each layer for the `length` tokens that all texts begin with."""

    layers: list[tuple[Any, Any]] = field(default_factory=list)
    length: int = 0

    def first(self, length: int) -> Prefix:
        """The same for fewer tokens: what comes later in a row changes nothing before it."""
        if length >= self.length:
            return self
        return Prefix([(key[:, :, :length], value[:, :, :length]) for key, value in self.layers], length)


@dataclass(frozen=True, slots=True)
class Pack:
    """B texts of T tokens in all, L the longest, as the model takes them; tensors on its device.

    `tokens` and `positions` are int64 [1, T]; `reads` int64 [B r], where in the row a distribution is read. For the
    attention within texts: `places` int64 [B L] gathers padded texts from the row, `back` int64 [T] undoes it, `mask`
    [B, 1, g L, L] is 0 or -inf, g the queries that share a key.
    """

    prefix: Prefix
    tokens: Any
    positions: Any
    reads: Any
    places: Any = None
    back: Any = None
    mask: Any = None


def register() -> str:
    """The attention's name, ready for transformers' use."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, _no_mask)
    return ATTENTION


def run_prefix(model: Any, ids: Sequence[int]) -> Prefix:
    """Run the tokens that prompts begin with, once."""
    import torch

    row = torch.tensor([list(ids)], device=model.device)
    places = torch.arange(len(ids), device=model.device)
    kept = Prefix(length=len(ids))
    pack = Pack(kept, row, places[None], places[-1:])
    _run(model, pack)
    if len(kept.layers) != model.config.num_hidden_layers:
        raise EngineError("The model does not hand its attention what it is given. Choose another model.")
    return kept


def run(model: Any, pack: Pack, trie: Trie) -> Any:
    """Log-probabilities [B, E] of the trie's edges in float32 (for "choice" up to a constant at each branching)."""
    import torch

    reads = len(trie.reads)
    logits = _run(model, pack)[0]
    logits = logits.view(-1, reads, logits.shape[-1]).float()
    at = torch.tensor([read for read, _ in trie.edges], device=logits.device)
    tokens = torch.tensor([token for _, token in trie.edges], device=logits.device)
    found = logits[:, at, tokens]
    return found if trie.method == "choice" else found - logits.logsumexp(dim=-1)[:, at]


def pack(model: Any, prefix: Prefix, trie: Trie, texts: Sequence[Sequence[int]]) -> Pack:
    """Texts, given by their token ids without the prefix, in one row."""
    import torch

    fed, device = len(trie.tokens), model.device
    own = np.array([len(text) for text in texts])
    lengths = own + fed
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    depths = np.array(trie.depths, dtype=np.int64)
    tokens = np.concatenate([np.array([*text, *trie.tokens]) for text in texts])
    positions = np.concatenate([np.concatenate([np.arange(n), n - 1 + depths]) for n in own]) + prefix.length
    reads = np.array([read if read != ROOT else -1 for read in trie.reads])
    longest = int(lengths.max())
    inside = np.arange(longest)
    places = starts[:, None] + np.minimum(inside, lengths[:, None] - 1)
    back = np.concatenate([row * longest + np.arange(n) for row, n in enumerate(lengths)])

    def there(values: NDArray[np.int64]) -> Any:
        return torch.from_numpy(values.astype(np.int64)).to(device)

    return Pack(
        prefix,
        there(tokens)[None],
        there(positions)[None],
        there(((starts + own)[:, None] + reads).reshape(-1)),
        there(places.reshape(-1)),
        there(back),
        _mask(model, there(own), there(lengths), longest, trie),
    )


def packs(lengths: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Slices of texts, whose tokens are counted in `lengths`, with at most `budget` tokens each, or one text."""
    start, tokens = 0, 0
    for end, length in enumerate(lengths):
        if end > start and tokens + length > budget:
            yield start, end
            start, tokens = end, 0
        tokens += length
    if start < len(lengths):
        yield start, len(lengths)


def _run(model: Any, pack: Pack) -> Any:
    """Logits [1, reads, vocabulary]: the vocabulary head runs on the places that are read, and on no other."""
    with only_read(model, pack.tokens.shape[1], pack.reads):
        return model(
            input_ids=pack.tokens,
            position_ids=pack.positions,
            use_cache=False,
            logits_to_keep=pack.reads,
            pack=pack,
        ).logits


@contextmanager
def only_read(model: Any, tokens: int, reads: Any) -> Iterator[None]:
    """The last layer does for the places that are read what only they need: of the others it takes keys and values."""
    last = model.get_decoder().layers[-1]

    def taken(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (given[0][:, reads], *given[1:])

    def put_back(_: Any, __: Any, out: Any) -> Any:
        return out.new_zeros(out.shape[0], tokens, out.shape[2]).index_copy(1, reads, out)

    hooks = []
    for part in (last.self_attn.q_proj, last.self_attn.o_proj, last.mlp):
        hooks.append(part.register_forward_pre_hook(taken))
        hooks.append(part.register_forward_hook(put_back))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _mask(model: Any, own: Any, lengths: Any, longest: int, trie: Trie) -> Any:
    """[B, 1, g L, L], 0 where a token sees another, else -inf: text what is before it, the trie along its branches."""
    import torch

    config, fed = model.config, len(trie.tokens)
    shared = config.num_attention_heads // (getattr(config, "num_key_value_heads", None) or config.num_attention_heads)
    row = torch.arange(longest, device=own.device)
    query, key = row[None, :, None], row[None, None, :]
    text, length = own[:, None, None], lengths[:, None, None]
    seen = (key <= query) & (key < text)
    if fed:
        branches = torch.from_numpy(trie.visible()).to(own.device)
        q, k = (query - text).clamp(0, fed - 1), (key - text).clamp(0, fed - 1)
        seen |= (query >= text) & (key >= text) & (key < length) & branches[q, k]
    seen |= (query >= length) & (key == 0)  # what is padded sees something, and is not read
    mask = torch.zeros(seen.shape, dtype=model.dtype, device=own.device).masked_fill_(~seen, float("-inf"))
    return mask[:, None].repeat(1, 1, shared, 1)


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    _given: Any,
    *,
    scaling: float | None = None,
    pack: Pack | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention [1, T, heads, size] of query [1, heads, T, size], key and value [1, key heads, T, size]."""
    import torch

    if pack is None:
        raise EngineError("The model does not hand its attention what it is given. Choose another model.")
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if pack.places is None:
        pack.prefix.layers.append((key, value))
        attend = torch.nn.functional.scaled_dot_product_attention
        out = attend(query, key, value, is_causal=True, scale=scale, enable_gqa=query.shape[1] != key.shape[1])
        return out.transpose(1, 2), None
    first, of_first = pack.prefix.layers[module.layer_idx]
    before, of_before = _attend(_shared(query, key), first, of_first, None, scale)
    padded = [_padded(part, pack) for part in (query, key, value)]
    within, of_within = _attend(_shared(padded[0], key), padded[1], padded[2], pack.mask, scale)
    heads, tokens, size = query.shape[1:]
    before, of_before = before.reshape(heads, tokens, size), of_before.reshape(heads, tokens, 1)
    within = within.reshape(-1, heads, within.shape[2] * key.shape[1] // heads, size)
    of_within = of_within.reshape(*within.shape[:3], 1)
    within, of_within = (x.transpose(0, 1).flatten(1, 2).index_select(1, pack.back) for x in (within, of_within))
    share = torch.sigmoid(of_within - of_before).to(before.dtype)
    return torch.lerp(before, within, share).transpose(0, 1)[None], None


def _shared(query: Any, key: Any) -> Any:
    """Queries [B, heads, n, size] that share a key behind each other: [B, key heads, g n, size]."""
    return query.reshape(query.shape[0], key.shape[1], -1, query.shape[-1])


def _padded(part: Any, pack: Pack) -> Any:
    """[B, heads, L, size] of a row [1, heads, T, size]."""
    texts = pack.mask.shape[0]
    found = part[0].index_select(1, pack.places)
    return found.view(found.shape[0], texts, -1, found.shape[-1]).transpose(0, 1)


def _attend(query: Any, key: Any, value: Any, mask: Any, scale: float) -> tuple[Any, Any]:
    """Attention [B, heads, n, size], and log-sum-exp [B, heads, n] float32 of its scores."""
    import torch

    if query.device.type == "cpu" and query.dtype == torch.float32:
        fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        out, total = fused(query, key, value, attn_mask=mask, scale=scale)
        return out, total
    return attend_plainly(query, key, value, mask, scale)


def attend_plainly(query: Any, key: Any, value: Any, mask: Any, scale: float) -> tuple[Any, Any]:
    """The same in plain operations, for every device."""
    scores = (query @ key.transpose(-1, -2)).float() * scale
    if mask is not None:
        scores += mask
    total = scores.logsumexp(dim=-1, keepdim=True)
    return scores.sub_(total).exp_().to(value.dtype) @ value, total[..., 0]


def _no_mask(*_: Any, **__: Any) -> None:
    """What is hidden is decided above."""
