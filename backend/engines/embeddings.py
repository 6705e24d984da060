"""Texts to vectors with a sentence encoder: transformers in fp32, mean over tokens, length 1, of two layers.

The last layer says what a text is about, and is what similarities are taken of. The middle layer still holds how it is
said (irony, politeness, figures of speech), and costs nothing: a head that is given both learns more from as many
labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import EngineError
from backend.engines.vectors import Disk, Memory, Vector, key
from backend.engines.weights import Weights

BATCH = 32  # measured: larger is not faster on a CPU
FEW = 8  # texts from which on a batch is as fast as a larger one, and may end to keep out padding
ALIKE = 1.1  # times the tokens of a batch's shortest text
SORTED = 4096  # texts tokenized at once to sort them
WRITTEN = 512  # texts between two writes to the file: what is computed again after an interruption
Progress = Callable[[int], None]  # told how many texts were done since the last call


class Embedder:
    """An encoder in memory. Each distinct text is computed once while it stays in the cache.

    `device` is "cpu", "cuda", "cuda:1", ... or "auto" for a GPU if there is one; `capacity` bounds the embeddings kept
    in memory; `folder` also keeps them in a file, for tuning.
    """

    def __init__(
        self, weights: Weights, *, device: str = "auto", capacity: int = 20_000, folder: Path | None = None
    ) -> None:
        self.weights = weights
        self._wanted = device
        self._memory = Memory(capacity)
        self._disk = Disk(folder, weights.digest) if folder else None

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        """Tokenizer and model, loaded when first used."""
        return _load(self.weights, self._wanted)

    @property
    def _tokenizer(self) -> Any:
        return self._parts[0]

    @property
    def _model(self) -> Any:
        return self._parts[1]

    def load(self) -> None:
        """Load the model now, not with the first text."""
        _ = self._parts

    @property
    def width(self) -> int:
        """Numbers in the vector of one layer: an embedding has twice as many."""
        return int(self._model.config.hidden_size)

    def embed(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Embeddings float32 [n, 2 width], and for each text the tokens that did not fit the window, int64 [n].

        An embedding is the unit vector of the last layer followed by that of the middle layer.
        """
        keys = [key(text) for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        known = self._known(list(by_key))
        missing = [(name, text) for name, text in by_key.items() if name not in known]
        known |= self._computed(missing, progress)
        vectors = np.empty((len(texts), 2 * self.width), dtype=np.float32)
        cut = np.empty(len(texts), dtype=np.int64)
        for row, name in enumerate(keys):
            vectors[row], cut[row] = known[name]
        return vectors, cut

    def _known(self, keys: list[bytes]) -> dict[bytes, Vector]:
        known = {name: vector for name in keys if (vector := self._memory.get(name)) is not None}
        if self._disk and len(known) < len(keys):
            stored = self._disk.get([name for name in keys if name not in known])
            for name, vector in stored.items():
                self._memory.put(name, vector)
            known |= stored
        return known

    def _computed(self, missing: list[tuple[bytes, str]], progress: Progress | None) -> dict[bytes, Vector]:
        """Batch by batch; written to the file every so often."""
        computed: dict[bytes, Vector] = {}
        unwritten: dict[bytes, Vector] = {}
        for some in self._batches(missing):
            vectors, cut = self._forward([text for _, text in some])
            for row, (name, _) in enumerate(some):
                computed[name] = unwritten[name] = (vectors[row].copy(), int(cut[row]))
                self._memory.put(name, computed[name])
            if self._disk and (len(unwritten) >= WRITTEN or len(computed) == len(missing)):
                self._disk.put(unwritten)
                unwritten = {}
            if progress:
                progress(len(some))
        return computed

    def _batches(self, texts: list[tuple[bytes, str]]) -> Iterator[list[tuple[bytes, str]]]:
        """The texts by length, in batches of nearly the same number of tokens: what is padded is computed in vain."""
        batch: list[tuple[bytes, str]] = []
        shortest = 0
        for length, pair in self._by_tokens(texts):
            if len(batch) == BATCH or (len(batch) >= FEW and length > ALIKE * shortest):
                yield batch
                batch = []
            shortest = shortest if batch else length
            batch.append(pair)
        if batch:
            yield batch

    def _by_tokens(self, texts: list[tuple[bytes, str]]) -> Iterator[tuple[int, tuple[bytes, str]]]:
        """(tokens, text) by length: in characters, and in tokens among neighbours."""
        texts = sorted(texts, key=lambda pair: len(pair[1]))
        for start in range(0, len(texts), SORTED):
            part = texts[start : start + SORTED]
            plain = [_sound(text) for _, text in part]
            ids = self._tokenizer(plain, truncation=True, max_length=self.weights.window)["input_ids"]
            yield from sorted(zip(map(len, ids), part, strict=True), key=lambda known: known[0])

    def _forward(self, texts: list[str]) -> tuple[NDArray[np.float32], list[int]]:
        import torch

        texts = [_sound(text) for text in texts]
        window = self.weights.window
        batch = self._tokenizer(texts, padding=True, truncation=True, max_length=window, return_tensors="pt")
        mask = batch["attention_mask"]
        cut = [self._cut(text) if full else 0 for text, full in zip(texts, mask.sum(1) >= window, strict=True)]
        with torch.inference_mode():
            states = self._model(**batch.to(self._model.device), output_hidden_states=True).hidden_states
            weight = mask.to(self._model.device).unsqueeze(-1).to(states[-1].dtype)
            layers = [states[-1], states[(len(states) - 1) // 2]]
            read = weight.sum(1).clamp(min=1)
            units = [torch.nn.functional.normalize((x * weight).sum(1) / read, dim=1) for x in layers]
            vectors = torch.cat(units, dim=1).cpu().numpy()
        return vectors, cut

    def _cut(self, text: str) -> int:
        """Tokens of the text beyond the window."""
        tokens = self._tokenizer(text, truncation=False, padding=False, verbose=False)["input_ids"]
        return max(0, len(tokens) - self.weights.window)


def _sound(text: str) -> str:
    """The text as a tokenizer takes it: half of a surrogate pair is no character."""
    return text.encode("utf-8", "replace").decode()


def _load(weights: Weights, device: str) -> tuple[Any, Any]:
    """(tokenizer, model in evaluation mode, fp32); EngineError when transformers cannot read the folder."""
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights.folder, local_files_only=True)
        model = AutoModel.from_pretrained(weights.folder, local_files_only=True, dtype=torch.float32)
        return tokenizer, model.to(device).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EngineError(
            f"The encoder '{weights.base}' cannot be loaded by transformers ({type(error).__name__}). "
            "It must be a text encoder with a tokenizer of its own; its folder may also be incomplete."
        ) from error
