"""SOCIALITE-LLAMA's engine: a causal model scores the label set, log P(label and end token | prompt)."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.causal_model import CausalModel, longest
from backend.engines.devices import out_of_memory
from backend.engines.packs import Prefix, pack, packs, run, run_prefix
from backend.engines.prompts import Ask, Ours, Wording, asks, recipe, showing
from backend.engines.protocol import EngineError, Family, Identity, Item, Scores
from backend.engines.scorable import checked, why_not
from backend.engines.tokens import Encoded, Seams, Tokens, common, load
from backend.engines.trie import METHODS, Method, Trie, build
from backend.engines.unwatched import unwatched
from backend.engines.weights import Weights
from labelstudio_config.codebook import Question

SLICE = 2048  # items whose prompts are in memory at once
KEPT = 32  # prefixes and tries kept ready, each the last used
KEPT_TOKENS = 12_000  # of prefixes, those with examples being long: 6 GB for a 7B
BUDGET = {"cpu": 1024}  # tokens of a pack; measured: more are slower on a CPU
BUDGET_ELSEWHERE = 8192


@dataclass(frozen=True, slots=True)
class Frame:
    """An `Ask` ready for scoring."""

    ask: Ask
    seams: Seams
    trie: Trie


class CausalEngine:
    """Scores label sets with a causal model whose `weights` are on this machine.

    `wording` gives instructions and label words (default: from the codebook), `shots` examples of each label are shown.
    `method` is "label" or "choice", see `backend.engines.trie`. `device` is "cpu", "cuda", ... or "auto" for a GPU if
    there is one; `dtype` "auto" is bfloat16 there and float32 on a CPU. `budget` bounds the tokens run at once, and is
    halved when memory runs out. Up to `kept` adapters stay in memory. Loading takes from seconds to minutes: it happens
    here unless `ready` is False, and then in `load`.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        wording: Wording | None = None,
        device: str = "auto",
        dtype: str = "auto",
        four_bit: bool = False,
        method: Method = "label",
        shots: int = 0,
        budget: int | None = None,
        kept: int = 8,
        ready: bool = True,
    ) -> None:
        if method not in METHODS:
            raise EngineError(f"There is no scoring method '{method}'. Choose one of: {', '.join(METHODS)}.")
        if shots < 0 or (budget is not None and budget < 1):
            raise EngineError("The number of examples shown is 0 or more, the budget of tokens 1 or more.")
        self.weights = weights
        self.window = longest(weights)
        self.wording: Wording = wording or Ours()
        self._method: Method = method
        self.shots = shots
        self._budget = budget
        self.model = CausalModel(
            weights, device=device, dtype=dtype, four_bit=four_bit, kept=kept, gone=self._forget_adapter
        )
        self._frames: OrderedDict[Ask, Frame] = OrderedDict()
        self._prefixes: OrderedDict[tuple[Path | None, tuple[int, ...]], Prefix] = OrderedDict()
        if ready:
            self.load()

    def load(self) -> None:
        """Load tokenizer and model, if that has not been done."""
        with unwatched():
            _ = self.tokens
            _ = self.model.base

    @cached_property
    def tokens(self) -> Tokens:
        return load(self.weights.folder, self.window)

    @cached_property
    def identity(self) -> Identity:
        return Identity(
            engine="causal",
            base=self.weights.base,
            digest=self.weights.digest,
            prompt=recipe(self.wording, self.shots, self.weights.tokenizer, self.window),
            dtype=self.model.dtype,
            method=self._method,
        )

    @property
    def budget(self) -> int:
        """Tokens that are run at once."""
        return self._budget or BUDGET.get(self.model.device, BUDGET_ELSEWHERE)

    def why_not(self, question: Question) -> str | None:
        return why_not(question)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        return [None] * len(items)

    def worded(self, wording: Wording) -> CausalEngine:
        """The same model in memory, asked in another wording."""
        other = copy.copy(self)
        other.wording = wording
        other.__dict__.pop("identity", None)
        return other

    def frames(self, question: Question) -> tuple[Frame, ...]:
        """What is asked for the question: one thing, or one for each label when any number of them may apply."""
        return tuple(self._frame(ask) for ask in asks(question, self.wording, self.shots))

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        """See `Engine`. Examples that all items share are run once, with the instruction; others with each text."""
        family = checked(question, items, shown)
        asked = showing(question, self.wording, self.shots, shown)
        frames = [(self._frame(ask), own) for ask, own in asked]
        folder = adapter.resolve() if adapter is not None else None
        scores = np.empty((len(items), len(question.labels)))
        cut = np.zeros(len(items), dtype=np.int64)
        with self.model.using(folder, self.identity, question) as model:
            for column, (frame, own) in enumerate(frames):
                for start in range(0, len(items), SLICE):
                    rows = slice(start, start + SLICE)
                    encoded = self.tokens.encode(frame.ask, frame.seams, items[rows], own[rows] if own else None)
                    found, lost = self._scored(model, folder, frame, encoded), encoded.cut
                    np.maximum(cut[rows], lost, out=cut[rows])
                    if family is Family.BERNOULLI:
                        scores[rows, column] = found[:, 0]
                    else:
                        scores[rows] = found
        return Scores(family, scores, cut)

    def _scored(self, model: Any, folder: Path | None, frame: Frame, encoded: Encoded) -> NDArray[np.float64]:
        """Log-probabilities [n, words] of a slice of items; those that lost examples share less, so they go apart."""
        import torch

        scores = np.empty((len(encoded.ids), len(frame.ask.words)))
        for rows in (np.flatnonzero(~encoded.fewer), np.flatnonzero(encoded.fewer)):
            if not rows.size:
                continue
            order = sorted(rows, key=lambda n: len(encoded.ids[n]), reverse=True)
            ids = [encoded.ids[n] for n in order]
            shared = min(common([list(frame.seams.prefix), *ids]), len(ids[-1]) - 1)
            with torch.inference_mode():
                prefix = self._prefix(model, folder, frame.seams.prefix).first(shared)
                edges = self._edges(model, prefix, frame.trie, [text[shared:] for text in ids])
            scores[order] = frame.trie.scores(edges)
        return scores

    def _edges(self, model: Any, prefix: Prefix, trie: Trie, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Log-probabilities [n, edges], pack by pack; when memory runs out, packs become half as large."""
        import torch

        found: list[Any] = []
        done = 0
        while done < len(texts):
            lengths = [len(text) + len(trie.tokens) for text in texts[done:]]
            start = done
            for begin, end in packs(lengths, self.budget):
                part = texts[start + begin : start + end]
                result = _tried(partial(_run, model, prefix, trie, part))
                if result is None:
                    self._shrink(sum(lengths[begin:end]), len(part))
                    break
                found.append(result)
                done = start + end
        return np.asarray(torch.cat(found).double().cpu().numpy())

    def _shrink(self, tokens: int, texts: int) -> None:
        """Halve the budget after a pack that did not fit. `EngineError` when it was a single text."""
        if texts == 1:
            raise EngineError(
                f"A text of {tokens} tokens does not fit into the memory of '{self.model.device}' even alone. "
                "Allow a shorter window, use 4-bit weights, or a larger device."
            )
        self._budget = max(1, min(self.budget, tokens) // 2)

    def _prefix(self, model: Any, folder: Path | None, ids: tuple[int, ...]) -> Prefix:
        """The prefix's keys and values under this adapter, kept for the next texts of the question."""
        key = (folder, ids)
        if key not in self._prefixes:
            made = _tried(partial(run_prefix, model, ids))
            if made is None:
                self._prefixes.clear()
                made = _tried(partial(run_prefix, model, ids))
            if made is None:
                self._shrink(len(ids), 1)
            self._prefixes[key] = made
        self._prefixes.move_to_end(key)
        while len(self._prefixes) > KEPT or (
            len(self._prefixes) > 1 and sum(kept.length for kept in self._prefixes.values()) > KEPT_TOKENS
        ):
            self._prefixes.popitem(last=False)
        return self._prefixes[key]

    def _frame(self, ask: Ask) -> Frame:
        if ask not in self._frames:
            seams = self.tokens.seams(ask)
            self._frames[ask] = Frame(ask, seams, build(seams.answers, self._method))
        self._frames.move_to_end(ask)
        while len(self._frames) > KEPT:
            self._frames.popitem(last=False)
        return self._frames[ask]

    def _forget_adapter(self, folder: Path) -> None:
        for key in [key for key in self._prefixes if key[0] == folder]:
            del self._prefixes[key]


def _run(model: Any, prefix: Prefix, trie: Trie, texts: Sequence[Sequence[int]]) -> Any:
    return run(model, pack(model, prefix, trie, texts), trie)


def _tried(work: Callable[[], Any]) -> Any:
    """What `work` gives, or None when memory ran out, which is then given back."""
    import torch

    try:
        return work()
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None
