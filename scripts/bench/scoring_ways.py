"""The ways to get one label out of several from a causal model, each timed on the same model in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from backend.engines.causal import CausalEngine
from backend.engines.packs import ATTENTION
from labelstudio_config.codebook import Question

BATCH = 16  # of the padded ways
MATRICES = ((1024, 512, 1376), (2048, 2048, 2048))  # whose product gives the machine's rate, whichever is faster
LARGE = ((8192, 4096, 11008),)  # the same on a GPU


@dataclass(frozen=True, slots=True)
class Amount:
    """Texts a round for each way; the slow ones take the first few, whose lengths are as those of the others."""

    engine: int
    one_by_one: int
    batched: int
    full: int


class Ways:
    """The engine and its rivals on one question."""

    def __init__(self, engine: CausalEngine, question: Question) -> None:
        self.engine, self.question = engine, question
        (self.frame,) = engine.frames(question)
        self.longest = max(len(answer) for answer in self.frame.seams.answers)  # with the end token
        self.model = engine.model.base

    def rounds(self, posts: Sequence[str], amount: Amount, rounds: int) -> dict[str, float]:
        """Texts a second of each way, the median of its rounds; the ways take turns. Also the matmul rate, FLOP/s."""
        ways: dict[str, tuple[Callable[[Sequence[str]], None], int]] = {
            "engine": (self.score, amount.engine),
            "generate": (self.generate, amount.one_by_one),
            "batched_generate": (self.batched, amount.batched),
            "sorted_batched_generate": (self.sorted, amount.batched),
            "full_forward": (self.full, amount.full),
        }
        found: dict[str, list[float]] = {name: [] for name in (*ways, "flops", "floor_share")}
        for run, n in ways.values():
            run(posts[: min(4, n)])
        for _ in range(rounds):
            for name, (run, n) in ways.items():
                before = self.matmul() if name == "engine" else 0.0
                found[name].append(n / self._seconds(run, posts[:n]))
                if name == "engine":
                    found["flops"].append(max(before, self.matmul()))
                    found["floor_share"].append(found[name][-1] / self.floor(posts[:n], found["flops"][-1]))
        return {name: statistics.median(values) for name, values in found.items()}

    def score(self, posts: Sequence[str]) -> None:
        self.engine.score(self.question, [(post,) for post in posts])

    def generate(self, posts: Sequence[str]) -> None:
        """One text at a time, greedily, up to the longest label and the end."""
        import torch

        with self._as_usual(), torch.inference_mode():
            for ids in self._ids(posts):
                row = torch.tensor([ids], device=self.model.device)
                self._generate(row, torch.ones_like(row))

    def batched(self, posts: Sequence[str]) -> None:
        """The same, padded on the left, in batches of texts as they come."""
        self._in_batches(self._ids(posts))

    def sorted(self, posts: Sequence[str]) -> None:
        """The same in batches of texts of like lengths, so that less is padded."""
        self._in_batches(sorted(self._ids(posts), key=len))

    def _in_batches(self, ids: list[list[int]]) -> None:
        import torch

        with self._as_usual(), torch.inference_mode():
            for start in range(0, len(ids), BATCH):
                some = ids[start : start + BATCH]
                width = max(map(len, some))
                rows = torch.tensor([[0] * (width - len(x)) + x for x in some], device=self.model.device)
                mask = torch.tensor([[0] * (width - len(x)) + [1] * len(x) for x in some], device=self.model.device)
                self._generate(rows, mask)

    def full(self, posts: Sequence[str]) -> None:
        """One forward of the whole prompt and answer for each text and label."""
        import torch

        with self._as_usual(), torch.inference_mode():
            for ids in self._ids(posts):
                for answer in self.frame.seams.answers:
                    row = torch.tensor([[*ids, *answer]], device=self.model.device)
                    self.model(input_ids=row).logits[0, len(ids) - 1 :].float().log_softmax(-1).sum().item()

    def floor(self, posts: Sequence[str], rate: float) -> float:
        """Texts a second if nothing were run but each text's tokens and the trie's, at the rate of matrix products.

        The vocabulary head on the places that are read is not counted, nor is attention: a strict floor.
        """
        ids = self._ids(posts)
        tokens = sum(len(x) - len(self.frame.seams.prefix) + len(self.frame.trie.tokens) for x in ids)
        return len(posts) * rate / (2 * self.weights() * tokens)

    def weights(self) -> int:
        """Weights besides embedding and vocabulary head."""
        inner = self.model.get_decoder().layers
        return sum(part.numel() for part in inner.parameters())

    def matmul(self) -> float:
        """FLOP/s of matrix products now, the fastest of a few."""
        import torch

        best = 0.0
        for n, k, m in MATRICES if self.model.device.type == "cpu" else LARGE:
            a = torch.randn(n, k, device=self.model.device, dtype=self.model.dtype)
            b = torch.randn(m, k, device=self.model.device, dtype=self.model.dtype)
            for _ in range(5):
                took = self._seconds(lambda _, a=a, b=b: torch.nn.functional.linear(a, b), ())
                best = max(best, 2 * n * k * m / took)
        return best

    def _seconds(self, run: Callable[[Sequence[str]], Any], posts: Sequence[str]) -> float:
        import torch

        on_gpu = self.model.device.type == "cuda"
        if on_gpu:
            torch.cuda.synchronize()
        started = time.perf_counter()
        run(posts)
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter() - started

    def _ids(self, posts: Sequence[str]) -> list[list[int]]:
        return self.engine.tokens.encode(self.frame.ask, self.frame.seams, [(post,) for post in posts]).ids

    def _generate(self, rows: Any, mask: Any) -> None:
        self.model.generate(
            input_ids=rows, attention_mask=mask, max_new_tokens=self.longest, do_sample=False, pad_token_id=0
        )

    @contextmanager
    def _as_usual(self) -> Iterator[None]:
        """The model with transformers' own attention."""
        self.model.set_attn_implementation("sdpa")
        try:
            yield
        finally:
            self.model.set_attn_implementation(ATTENTION)
