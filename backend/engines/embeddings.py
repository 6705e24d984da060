"""Texts to vectors with a sentence encoder: transformers in fp32, mean over tokens, length 1, of two layers.

The last layer says what a text is about, and is what similarities are taken of. The middle layer still holds how it is
said (irony, politeness, figures of speech), and costs nothing: a head that is given both learns more from as many
labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines import packed, padded
from backend.engines.encoder_loras import Lora, Loras
from backend.engines.pooling import Reader
from backend.engines.protocol import EngineError
from backend.engines.unwatched import unwatched
from backend.engines.vectors import Disk, Memory, Vector, key
from backend.engines.weights import Weights

STRETCH = 4096  # texts tokenized at once
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
    def _parts(self) -> tuple[Any, Any, Reader]:
        """Tokenizer, model, and what takes tokens through it, loaded when first used."""
        with unwatched():
            tokenizer, model = _load(self.weights, self._wanted)
        packs = model.config._attn_implementation == packed.ATTENTION
        return tokenizer, model, packed.Packed(model) if packs else padded.Padded(tokenizer, model)

    @property
    def _tokenizer(self) -> Any:
        return self._parts[0]

    @property
    def model(self) -> Any:
        """The encoder, in evaluation mode."""
        return self._parts[1]

    @property
    def reader(self) -> Reader:
        return self._parts[2]

    @cached_property
    def loras(self) -> Loras:
        """The LoRAs in memory."""
        return Loras(self.model, self.weights.base)

    def another(self) -> Embedder:
        """The same encoder once more, which training may change; it keeps no embeddings."""
        return Embedder(self.weights, device=self._wanted, capacity=0)

    def load(self) -> None:
        """Load the model now, not with the first text."""
        _ = self._parts

    @property
    def width(self) -> int:
        """Numbers in the vector of one layer: an embedding has twice as many."""
        return int(self.model.config.hidden_size)

    def embed(
        self, texts: Sequence[str], progress: Progress | None = None, lora: Lora | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Embeddings float32 [n, 2 width], and for each text the tokens that did not fit the window, int64 [n].

        An embedding is the unit vector of the last layer followed by that of the middle layer. `lora` changes the
        encoder for these texts; what it makes of them is kept under its digest, and never in the file.
        """
        owner = bytes.fromhex(lora.digest) if lora else b""
        keys = [owner + key(text) for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        disk = None if lora else self._disk
        known = self._known(list(by_key), disk)
        missing = [(name, text) for name, text in by_key.items() if name not in known]
        if missing:
            with self.loras.using(lora):
                known |= self._computed(missing, disk, progress)
        vectors = np.empty((len(texts), 2 * self.width), dtype=np.float32)
        cut = np.empty(len(texts), dtype=np.int64)
        for row, name in enumerate(keys):
            vectors[row], cut[row] = known[name]
        return vectors, cut

    def _known(self, keys: list[bytes], disk: Disk | None) -> dict[bytes, Vector]:
        known = {name: vector for name in keys if (vector := self._memory.get(name)) is not None}
        if disk and len(known) < len(keys):
            stored = disk.get([name for name in keys if name not in known])
            for name, vector in stored.items():
                self._memory.put(name, vector)
            known |= stored
        return known

    def _computed(
        self, missing: list[tuple[bytes, str]], disk: Disk | None, progress: Progress | None
    ) -> dict[bytes, Vector]:
        """Batch by batch; written to the file every so often."""
        computed: dict[bytes, Vector] = {}
        unwritten: dict[bytes, Vector] = {}
        for part in (missing[at : at + STRETCH] for at in range(0, len(missing), STRETCH)):
            ids, cut = self.tokens([text for _, text in part])
            for places, vectors in self.reader.read(ids):
                for place, vector in zip(places, vectors, strict=True):
                    name = part[place][0]
                    computed[name] = unwritten[name] = (vector.copy(), cut[place])
                    self._memory.put(name, computed[name])
                if disk and (len(unwritten) >= WRITTEN or len(computed) == len(missing)):
                    disk.put(unwritten)
                    unwritten = {}
                if progress:
                    progress(len(places))
        return computed

    def tokens(self, texts: list[str]) -> tuple[list[list[int]], list[int]]:
        """Token ids of each text, as many as the window holds, and how many are beyond it."""
        window = self.weights.window
        sound = [text.encode("utf-8", "replace").decode() for text in texts]  # half of a surrogate pair is no character
        ids = self._tokenizer(sound, truncation=True, max_length=window)["input_ids"]
        full = [text for text, own in zip(sound, ids, strict=True) if len(own) >= window]
        whole = self._tokenizer(full, truncation=False, verbose=False)["input_ids"] if full else []
        beyond = iter(max(0, len(own) - window) for own in whole)
        return ids, [next(beyond) if len(own) >= window else 0 for own in ids]


def _load(weights: Weights, device: str) -> tuple[Any, Any]:
    """(tokenizer, model in evaluation mode, fp32); EngineError when transformers cannot read the folder."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers.utils import logging

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights.folder, local_files_only=True)
        kind = AutoConfig.from_pretrained(weights.folder, local_files_only=True).model_type
        how = {"attn_implementation": packed.attention()} if device == "cpu" and kind in packed.FAMILIES else {}
        model = AutoModel.from_pretrained(weights.folder, local_files_only=True, dtype=torch.float32, **how)
        return tokenizer, model.to(device).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EngineError(
            f"The encoder '{weights.base}' cannot be loaded by transformers ({type(error).__name__}). "
            "It must be a text encoder with a tokenizer of its own; its folder may also be incomplete."
        ) from error
