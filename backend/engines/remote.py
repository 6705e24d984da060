"""A causal language model on a vLLM server: the scores of `causal`, computed elsewhere.

The prompts and the trie of answers are made here. The server is asked, node by node down the trie, for the
log-probabilities of the tokens that may follow. Nothing is generated, but for `backend.engines.spoken`.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.engines import trie
from backend.engines.adapter import unfit
from backend.engines.causal_model import longest
from backend.engines.examination import examine
from backend.engines.loras import Lora, Loras, lost
from backend.engines.prompts import Ask, Lines, Ours, Wording, recipe, showing
from backend.engines.protocol import EngineError, Family, Identity, Item, Scores
from backend.engines.scorable import checked, why_not
from backend.engines.tokens import Seams, Tokens, load
from backend.engines.vllm import Server
from backend.engines.vllm_errors import UnknownModelError
from backend.engines.weights import Weights
from labelstudio_config.codebook import Question

TOGETHER = 8  # prompts of one request: more of them save round trips, fewer of them are lost with one
ROUND = 2048  # items made into tokens at once
PLANS = 64  # asks whose seams and trie are kept, the last used
RELOADS = 5  # times a request finds its adapter gone before it gives up
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one `Ask` is put to the server: the prompts' seams, the trie, and the tokens behind a prompt at each read."""

    seams: Seams
    trie: trie.Trie
    paths: tuple[tuple[int, ...], ...]


class RemoteEngine:
    """Scores label sets with the model that a vLLM server at `url` serves as `model`.

    `weights` are the same model's here: its tokenizer is read, its digest is said, its tensors need not be there. `key`
    is what the server was started with, if anything. `shots` examples of each label are shown. At most `concurrency`
    requests are under way at once; each may take `timeout` seconds, and is tried again for `patience` seconds after a
    fault that may pass. `kept` adapters stay on the server. Adapters are given by folder: the server must find it
    under the same path. Unless `ready` is False the server is examined here, else in `load`.
    """

    def __init__(
        self,
        url: str,
        model: str,
        weights: Weights,
        *,
        wording: Wording | None = None,
        method: trie.Method = "label",
        key: str | None = None,
        shots: int = 0,
        concurrency: int = 16,
        kept: int = 8,
        timeout: float = 120.0,
        patience: float = 60.0,
        ready: bool = True,
    ) -> None:
        if method not in trie.METHODS:
            raise EngineError(f"There is no scoring method '{method}'; there are: {', '.join(trie.METHODS)}.")
        self._server = Server(url, key or "", timeout=timeout, patience=patience, connections=max(1, concurrency))
        self._loras = Loras(self._server, kept)
        self._model, self._weights, self._method = model, weights, method
        self._window = longest(weights)
        self.wording: Wording = wording or Ours()
        self.shots, self._concurrency = shots, max(1, concurrency)
        self._plans: OrderedDict[Ask, Plan] = OrderedDict()
        self._examined = False
        self._identity = Identity(
            engine="remote",
            base=weights.base,
            digest=weights.digest,
            prompt=recipe(self.wording, shots, weights.tokenizer, self._window),
            dtype="remote",
            method=method,
        )
        if ready:
            self.load()

    def load(self) -> None:
        """See whether the server can be trusted to score, if that has not been done. `EngineError` says why not."""
        if self._examined:
            return
        room = examine(self._server, self._model, self.tokens)
        if room < self._window:
            raise EngineError(
                f"The server at {self._server.url} reads {room} tokens, the model here {self._window}: "
                f"they would cut texts differently. Start it with --max-model-len {self._window}."
            )
        self.tokens.window = min(self._window, room - 1)  # it takes a prompt only with room for a token more
        self._examined = True

    @property
    def identity(self) -> Identity:
        return self._identity

    def worded(self, wording: Wording) -> RemoteEngine:
        """The same model on the server, asked in another wording."""
        other = copy.copy(self)
        other.wording = wording
        prompt = recipe(wording, self.shots, self._weights.tokenizer, self._window)
        other._identity = replace(self._identity, prompt=prompt)
        return other

    def why_not(self, question: Question) -> str | None:
        return why_not(question)

    def warnings(self, items: Sequence[Item]) -> list[str | None]:
        """Nothing is known of what the model on the server reads well."""
        return [None] * len(items)

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        family = checked(question, items, shown)
        lora = None if adapter is None else self._fitting(adapter, question)
        self.load()
        if lora is not None:
            self._loras.put(lora)
        cut: NDArray[np.int64] = np.zeros(len(items), dtype=np.int64)
        found = []
        for ask, own in showing(question, self.wording, self.shots, shown):
            scores, cut_off = self._answers(ask, items, own, lora)
            found.append(scores)
            cut = np.maximum(cut, cut_off)
        columns = np.stack([scores[:, 0] for scores in found], axis=1) if family is Family.BERNOULLI else found[0]
        return Scores(family, columns, cut)

    @cached_property
    def tokens(self) -> Tokens:
        return load(self._weights.folder, self._window)

    def continued(
        self,
        question: Question,
        prompts: Sequence[list[int]],
        longest: int,
        adapter: Path | None = None,
        report: Callable[[int], None] | None = None,
    ) -> list[list[int]]:
        """The tokens, at most `longest`, that the model puts behind each prompt by itself, the end token included.

        `report` is told how many more prompts are done. `EngineError` as in `score`.
        """
        lora = None if adapter is None else self._fitting(adapter, question)
        self.load()
        if lora is not None:
            self._loras.put(lora)
        found: list[list[int]] = []
        for start in range(0, len(prompts), TOGETHER * self._concurrency):
            some = prompts[start : start + TOGETHER * self._concurrency]
            for part in self._in_units(lambda unit: self._said(unit, longest, lora), some):
                found += part
            if report:
                report(len(some))
        return found

    def _said(self, prompts: Sequence[list[int]], longest: int, lora: Lora | None) -> list[list[int]]:
        return self._by(lambda model: self._server.continued(model, prompts, longest, self.tokens.end), lora)

    def _fitting(self, folder: Path, question: Question) -> Lora:
        """The adapter, made for the same weights, vocabulary and prompts, by this engine or by the causal one."""
        lora = self._loras.find(folder)
        if reason := unfit(lora.manifest, self._identity, question, self._weights.tokenizer):
            raise EngineError(reason)
        return lora

    def _answers(
        self, ask: Ask, items: Sequence[Item], own: Sequence[Lines] | None, lora: Lora | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Log-probabilities [n, words] of the answers, and the tokens cut [n]."""
        plan = self._plan(ask)
        edges = np.empty((len(items), len(plan.trie.edges)))
        cut = np.zeros(len(items), dtype=np.int64)
        for start in range(0, len(items), ROUND):
            rows = slice(start, start + ROUND)
            encoded = self.tokens.encode(ask, plan.seams, items[rows], own[rows] if own else None)
            end = start + len(encoded.ids)
            edges[start:end] = self._edges(plan, encoded.ids, lora)
            cut[start:end] = encoded.cut
        return plan.trie.scores(edges), cut

    def _edges(self, plan: Plan, prompts: Sequence[list[int]], lora: Lora | None) -> NDArray[np.float64]:
        """The log-probability of every edge of the trie [n, edges] behind every prompt; all of them, or an error."""
        if not prompts:
            return np.empty((0, len(plan.trie.edges)))
        return np.concatenate(self._in_units(lambda unit: self._down(plan, unit, lora), prompts))

    def _in_units(self, work: Callable[[Sequence[list[int]]], Found], prompts: Sequence[list[int]]) -> list[Found]:
        """What `work` gives for the prompts, a few at a time and several at once; all of it, or an error."""
        units = [prompts[start : start + TOGETHER] for start in range(0, len(prompts), TOGETHER)]
        try:
            with ThreadPoolExecutor(min(self._concurrency, len(units)), thread_name_prefix="remote") as pool:
                waiting = [pool.submit(work, unit) for unit in units]
                try:
                    for one in wait(waiting, return_when=FIRST_EXCEPTION).done:
                        one.result()
                    return [one.result() for one in waiting]
                except BaseException:  # what waits for the server to come back need not: the batch has failed
                    self._server.give_up()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        finally:
            self._server.resume()

    def _down(self, plan: Plan, prompts: Sequence[list[int]], lora: Lora | None) -> NDArray[np.float64]:
        """Down the trie for a few prompts, one node after the other: the server then has the prompt in its cache."""
        parts = [
            self._after([[*prompt, *path] for prompt in prompts], children, lora)
            for path, children in zip(plan.paths, plan.trie.children, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def _after(self, prompts: list[list[int]], ids: Sequence[int], lora: Lora | None) -> NDArray[np.float64]:
        """log P(token | prompt) [n, ids]."""
        return self._by(lambda model: self._server.log_probabilities(model, prompts, ids), lora)

    def _by(self, ask: Callable[[str], Found], lora: Lora | None) -> Found:
        """What the model, or the adapter, answers; an adapter that the server has lost is put back."""
        if lora is None:
            return ask(self._model)
        for _ in range(RELOADS):
            loads = lora.loads
            try:
                return ask(lora.name)
            except UnknownModelError:
                self._loras.again(lora, loads)
        raise lost(self._server, lora)

    def _plan(self, ask: Ask) -> Plan:
        if ask not in self._plans:
            seams = self.tokens.seams(ask)
            tree = trie.build(seams.answers, self._method)
            self._plans[ask] = Plan(seams, tree, tuple(_path(tree, place) for place in tree.reads))
        self._plans.move_to_end(ask)
        while len(self._plans) > PLANS:
            self._plans.popitem(last=False)
        return self._plans[ask]


def _path(tree: trie.Trie, place: int) -> tuple[int, ...]:
    """The tokens from the prompt's end to a place in the trie."""

    def upwards() -> Iterator[int]:
        at = place
        while at != trie.ROOT:
            yield tree.tokens[at]
            at = tree.parents[at]

    return tuple(upwards())[::-1]
