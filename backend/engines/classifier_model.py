"""A text encoder with one linear head a question: how texts become tokens, tokens a vector, a vector scores.

Training and scoring both go through here, so that what is learned is what is scored. A pair of texts is the tokenizer's
own pair: both in one sequence, with what the encoder's makers put between them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.classifier_manifest import HEADS, Answered
from backend.engines.protocol import EngineError, Item

READ = 64  # texts scored at once, at most
ALIKE = 1.25  # times the tokens of a batch's shortest text
FOLDED = ("deberta-v2",)  # kinds of encoders whose vocabulary knows Unicode's compatible forms only as plain letters
STRETCH = 4096  # items tokenized at once


@dataclass(frozen=True, slots=True)
class Row:
    """One item as tokens: `ids`, and to which of two texts each belongs where the encoder wants to know."""

    ids: tuple[int, ...]
    types: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)


class Body:
    """An encoder of transformers with its tokenizer, in float32 on a device; `length` tokens are read of an item.

    On a GPU its layers compute in bfloat16, which has float32's range; what is pooled is float32 again.
    """

    def __init__(self, tokenizer: Any, encoder: Any, pooling: str, length: int) -> None:
        self.tokenizer, self.encoder, self.pooling, self.length = tokenizer, encoder, pooling, length

    @property
    def device(self) -> Any:
        return self.encoder.device

    @property
    def width(self) -> int:
        return int(self.encoder.config.hidden_size)

    def rows(self, items: Sequence[Item]) -> tuple[list[Row], NDArray[np.int64]]:
        """The items as tokens, and int64 [n], the tokens of each that did not fit."""
        found: list[Row] = []
        cut = np.zeros(len(items), dtype=np.int64)
        for start in range(0, len(items), STRETCH):
            part = [tuple(map(self._readable, item)) for item in items[start : start + STRETCH]]
            rows = self._tokens(part, self.length)
            full = [n for n, row in enumerate(rows) if len(row) >= self.length]
            whole = self._tokens([part[n] for n in full], None)
            cut[[start + n for n in full]] = [len(row) - self.length for row in whole]
            found += rows
        return found, cut

    def vectors(self, rows: Sequence[Row]) -> Any:
        """[n, width] of n items, which torch may differentiate."""
        import torch

        given = self._padded(rows)
        gpu = self.device.type == "cuda"
        with torch.autocast("cuda", dtype=torch.bfloat16) if gpu else nullcontext():
            states = self.encoder(**given).last_hidden_state
        states = states.float()
        if self.pooling == "first":
            return states[:, 0]
        weight = given["attention_mask"].unsqueeze(-1).to(states.dtype)
        return (states * weight).sum(1) / weight.sum(1)

    def _readable(self, text: str) -> str:
        sound = text.encode("utf-8", "replace").decode()  # half of a surrogate pair is no character
        return unicodedata.normalize("NFKC", sound) if self.encoder.config.model_type in FOLDED else sound

    def _tokens(self, items: Sequence[Item], length: int | None) -> list[Row]:
        if not items:
            return []
        cut = {"truncation": True, "max_length": length} if length else {"truncation": False}
        texts = [list(field) for field in zip(*items, strict=True)]
        told = self.tokenizer(*texts, **cut, verbose=False, return_attention_mask=False)
        types = told.get("token_type_ids")
        if types is None:
            return [Row(tuple(ids)) for ids in told["input_ids"]]
        return [Row(tuple(ids), tuple(own)) for ids, own in zip(told["input_ids"], types, strict=True)]

    def _padded(self, rows: Sequence[Row]) -> dict[str, Any]:
        import torch

        shape = len(rows), max(map(len, rows))
        ids = np.full(shape, self.tokenizer.pad_token_id or 0, dtype=np.int64)
        mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row.ids
            mask[place, : len(row)] = 1
            types[place, : len(row)] = row.types or 0
        given = {"input_ids": ids, "attention_mask": mask}
        if rows[0].types is not None:
            given["token_type_ids"] = types
        return {name: torch.from_numpy(x).to(self.device) for name, x in given.items()}


def body(folder: Path, base: str, *, device: str, pooling: str, length: int) -> Body:
    """The encoder in a folder, in evaluation mode; `EngineError` when transformers cannot read it."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    said = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        with torch.random.fork_rng(devices=[]):  # a layer that the file lacks, such as a pooler, draws numbers
            encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # tokens are pooled here
        return Body(tokenizer, encoder.to(device).eval(), pooling, length)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise EngineError(
            f"The encoder '{base}' cannot be loaded by transformers ({type(error).__name__}). "
            "It must be a text encoder with a tokenizer of its own; its folder may also be incomplete."
        ) from error
    finally:
        logging.set_verbosity(said)


def heads(folder: Path, tasks: Sequence[Answered], width: int, device: Any) -> dict[str, Any]:
    """The linear head of each question; `EngineError` when the file is not what the manifest says."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(folder / HEADS)
        found = {}
        for task in tasks:
            head = torch.nn.Linear(width, len(task.labels))
            head.load_state_dict({part: tensors[f"{task.question}.{part}"] for part in ("weight", "bias")})
            found[task.question] = head.to(device).eval()
        return found
    except (SafetensorError, OSError, KeyError, RuntimeError) as error:
        raise EngineError(f"The file {HEADS} of the encoder {folder.name} cannot be read. Train it again.") from error


def tensors(found: Mapping[str, Any]) -> dict[str, Any]:
    """The heads as the file holds them."""
    return {f"{name}.{part}": x.detach().cpu().contiguous() for name, h in found.items() for part, x in _parts(h)}


def scores(body: Body, head: Any, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Unnormalised log-scores [n, K] of items under a head; both must be in evaluation mode."""
    import torch

    found = np.empty((len(rows), head.out_features))
    with torch.inference_mode():
        for places in batches([len(row) for row in rows]):
            found[places] = head(body.vectors([rows[place] for place in places])).cpu().numpy()
    return found


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of items with these numbers of tokens, by length, in batches of nearly the same length."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if len(batch) == READ or (len(batch) >= 8 and lengths[place] > ALIKE * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _parts(head: Any) -> list[tuple[str, Any]]:
    return list(head.state_dict().items())
