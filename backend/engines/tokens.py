"""Prompts as token ids: whole prompts are tokenized together with their answers, since tokens merge across seams.

A prompt that is too long loses its examples, the first line first, and only when all are gone the ends of its texts,
the longest first; never anything of the template or the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.engines.prompts import Ask, Lines, Prompt
from backend.engines.protocol import EngineError, Item

# Texts that try the seams: what their prompts share, all do, and their answers are those of any text.
PROBES = ("a", "Zoë went home.", "9", "(no", "é", "\n\t", "well:", "Output:", "漢字", "🎉", "...", " ")
FIRST = "<s>"  # how Llama's vocabularies spell the token that begins a text
AT_ONCE = 1024  # prompts tokenized in one call


@dataclass(frozen=True, slots=True)
class Seams:
    """What the prompts of an `Ask` have in common.

    `prefix` begins them all. `back` tokens at a prompt's end change when an answer follows: they belong to the
    `answers`, which are token ids that end in the end token, in the order of `Ask.words`.
    """

    prefix: tuple[int, ...]
    back: int
    answers: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Prompts as token ids; int64 [n], the tokens cut off each; and bool [n], which of them lost examples."""

    ids: list[list[int]]
    cut: NDArray[np.int64]
    fewer: NDArray[np.bool_]


class Tokens:
    """A model's tokenizer, and the number of tokens the model reads (`window`), answer included."""

    def __init__(self, tokenizer: Any, window: int) -> None:
        if tokenizer.eos_token_id is None:
            raise EngineError("The model's tokenizer has no end token, so whole answers cannot be scored.")
        self.tokenizer = tokenizer
        self.window = window
        self.end = int(tokenizer.eos_token_id)
        self._begin = _begin(tokenizer)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of whole texts with what the model expects before them; '</s>' in a text is plain characters."""
        found: list[list[int]] = []
        for start in range(0, len(texts), AT_ONCE):
            part = list(texts[start : start + AT_ONCE])
            found += self.tokenizer(part, split_special_tokens=True, verbose=False)["input_ids"]
        return [self._framed(ids) for ids in found]

    def seams(self, ask: Ask) -> Seams:
        """How the prompts of `ask` begin and how answers follow them. `EngineError` if that depends on the text."""
        prompts = [str(ask.prompt((text,) * (len(ask.frame) - 1))) for text in PROBES]
        plain = self.ids(prompts)
        found = set()
        for prompt, ids in zip(prompts, plain, strict=True):
            whole = self.ids([prompt + ask.answer(word) for word in ask.words])
            kept = common([ids, *whole])
            found.add((len(ids) - kept, tuple((*answer[kept:], self.end) for answer in whole)))
        if len(found) > 1:
            raise EngineError(
                "The model's tokenizer joins an answer with the text before it, so labels cannot be scored. "
                "Choose another model."
            )
        back, answers = found.pop()
        return Seams(tuple(plain[0][: common(plain)]), back, answers)

    def encode(self, ask: Ask, seams: Seams, items: Sequence[Item], shown: Sequence[Lines] | None = None) -> Encoded:
        """The prompts of all items without the tokens that `Seams.back` counts; `shown` are each item's own examples.

        `EngineError` when the instruction alone is longer than the window.
        """
        given = shown if shown is not None else [None] * len(items)
        prompts = [ask.prompt(item, lines) for item, lines in zip(items, given, strict=True)]
        room = self.window - max(len(answer) - 1 for answer in seams.answers) + seams.back
        found = self.fitted(prompts, room)
        return Encoded([ids[: len(ids) - seams.back] for ids in found.ids], found.cut, found.fewer)

    def fitted(self, prompts: Sequence[Prompt], room: int) -> Encoded:
        """The prompts with at most `room` tokens each. `EngineError` when an instruction alone has more."""
        found = self.ids([str(prompt) for prompt in prompts])
        cut = np.zeros(len(prompts), dtype=np.int64)
        fewer = np.zeros(len(prompts), dtype=np.bool_)
        for row, ids in enumerate(found):
            if len(ids) > room:
                found[row] = self._shortened(prompts[row], len(ids), room)
                cut[row], fewer[row] = len(ids) - len(found[row]), bool(prompts[row].shown)
        return Encoded(found, cut, fewer)

    def _shortened(self, prompt: Prompt, length: int, room: int) -> list[int]:
        """The prompt's ids with as many of its examples as fit into `room`, else with none and less of its texts."""
        if not prompt.shown:
            return self._cut_in_texts(prompt, length, room)
        fit: list[int] = []
        fewest, most = 0, len(prompt.shown)
        while fewest < most:
            middle = (fewest + most) // 2
            (ids,) = self.ids([str(prompt.with_examples(middle))])
            if len(ids) <= room:
                fit, fewest = ids, middle + 1
            else:
                most, length = middle, len(ids)
        return fit or self._cut_in_texts(prompt.with_examples(0), length, room)

    def _cut_in_texts(self, prompt: Prompt, length: int, room: int) -> list[int]:
        """The prompt's ids with its texts cut so that at most `room` are left of `length`."""
        starts = [self._starts(text) for text in prompt.texts]
        lengths = [len(places) for places in starts]
        left = max(0, sum(lengths) - (length - room))
        while left >= 0:
            kept = _shares(lengths, left)
            texts = [text[: (*at, len(text))[n]] for text, at, n in zip(prompt.texts, starts, kept, strict=True)]
            (ids,) = self.ids([str(prompt.with_texts(texts))])
            if len(ids) <= room:
                return ids
            left = min(left - (len(ids) - room), sum(kept) - 1)
        raise EngineError(
            f"The instruction alone is longer than the {self.window} tokens that are read. "
            "Shorten it, show fewer examples, or allow a longer window."
        )

    def _starts(self, text: str) -> list[int]:
        """For each token of a text the character it begins at."""
        told = self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )
        return [start for start, _ in told["offset_mapping"]]

    def _framed(self, ids: list[int]) -> list[int]:
        while ids and ids[-1] == self.end:  # some tokenizers close every text
            ids = ids[:-1]
        if self._begin is not None and (not ids or ids[0] != self._begin):
            ids = [self._begin, *ids]
        return ids


def load(folder: Path, window: int) -> Tokens:
    """The tokenizer in a model's folder; `EngineError` when transformers cannot read it."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise EngineError(
            f"The tokenizer in {folder.name} cannot be loaded by transformers ({type(error).__name__}). "
            "The folder of a model must hold its tokenizer too."
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise EngineError(
            f"The tokenizer in {folder.name} cannot say which characters a token covers. Convert it first."
        )
    return Tokens(tokenizer, window)


def common(rows: Sequence[list[int]]) -> int:
    """How many tokens all rows begin with."""
    first, last = min(rows), max(rows)
    return next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _begin(tokenizer: Any) -> int | None:
    """The token that Llama's vocabularies expect first even where their tokenizer leaves it out, unless told to."""
    told = getattr(tokenizer, "init_kwargs", {}).get("add_bos_token")
    if tokenizer.bos_token != FIRST or told is False:
        return None
    return int(tokenizer.bos_token_id)


def _shares(lengths: Sequence[int], total: int) -> list[int]:
    """How much is left of each length when `total` is left of all: the longest are cut first, to a common level."""
    left, rest = list(lengths), total
    for number, place in enumerate(sorted(range(len(left)), key=lambda n: lengths[n])):
        left[place] = min(lengths[place], rest // (len(left) - number))
        rest -= left[place]
    return left
