"""What a causal model says when it is asked: greedy decoding, a text at a time, as SOCIALITE-LLAMA's authors do it.

It is here to compare with, and to repeat published figures: it is several times slower than scoring the labels, and
what is said need not be one. The decoding is that of the authors' evaluation script (no sampling, at most 20 new
tokens, special tokens kept in the text); the prompt is the engine's own, cut where it is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.engines.causal import CausalEngine
from backend.engines.devices import out_of_memory
from backend.engines.packs import ATTENTION
from backend.engines.prompts import showing
from backend.engines.protocol import Engine, EngineError, Family, Item
from backend.engines.remote import RemoteEngine
from backend.engines.scorable import checked
from labelstudio_config.codebook import Question

LONGEST = 20  # new tokens
PLAIN = "sdpa"  # the attention of transformers that can decode

Report = Callable[[int], None]  # told how many more texts are done


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt and what the model said after it, both as decoded with special tokens.

    `end` is how the end token is spelt, `tokens` how many tokens the answer has, the end included.
    """

    prompt: str
    answer: str
    end: str
    tokens: int

    @property
    def whole(self) -> str:
        return self.prompt + self.answer


def spoken(
    engine: Engine,
    question: Question,
    items: Sequence[Item],
    adapter: Path | None = None,
    shown: Sequence[str] | None = None,
    report: Report | None = None,
) -> list[str]:
    """For each item the whole decoded text, prompt and answer in one: what the authors' rule parses. See `said`."""
    return [one.whole for one in said(engine, question, items, adapter, shown, report)]


def said(
    engine: Engine,
    question: Question,
    items: Sequence[Item],
    adapter: Path | None = None,
    shown: Sequence[str] | None = None,
    report: Report | None = None,
) -> list[Said]:
    """For each item its prompt and what the model said; arguments as those of `Engine.score`.

    `EngineError` when the engine says nothing, the question takes more than one answer, or the adapter does not fit.
    """
    if not isinstance(engine, CausalEngine | RemoteEngine):
        raise EngineError(
            f"The {engine.identity.engine} engine scores labels and says nothing, so there is nothing to decode. "
            "Choose a language model, --engine causal or remote, or score its labels."
        )
    if checked(question, items, shown) is Family.BERNOULLI:
        raise EngineError(
            f"To the question '{question.name}' any number of labels may be the answer, which cannot be read from one "
            "word that is said. Score its labels instead."
        )
    engine.load()
    ((ask, own),) = showing(question, engine.wording, engine.shots, shown)
    each = own or [None] * len(items)
    asked = [ask.prompt(item, lines) for item, lines in zip(items, each, strict=True)]
    prompts = engine.tokens.fitted(asked, engine.tokens.window - LONGEST).ids
    if isinstance(engine, RemoteEngine):
        answers = engine.continued(question, prompts, LONGEST, adapter, report)
    else:
        answers = _continued(engine, question, prompts, adapter, report)
    return [_said(engine.tokens.tokenizer, ids, more) for ids, more in zip(prompts, answers, strict=True)]


def _continued(
    engine: CausalEngine, question: Question, prompts: Sequence[list[int]], adapter: Path | None, report: Report | None
) -> list[list[int]]:
    """The tokens that follow each prompt, the end token included where it came."""
    import torch

    found = []
    folder = adapter.resolve() if adapter is not None else None
    with (
        engine.model.using(folder, engine.identity, question) as model,
        _plain_attention(model),
        torch.inference_mode(),
    ):
        for ids in prompts:
            found.append(_greedy(model, ids, engine.tokens.end))
            if report:
                report(1)
    return found


def _greedy(model: Any, ids: list[int], end: int) -> list[int]:
    import torch

    row = torch.tensor([ids], device=model.device)
    try:
        out = model.generate(
            input_ids=row,
            attention_mask=torch.ones_like(row),
            do_sample=False,
            num_beams=1,
            max_new_tokens=LONGEST,
            eos_token_id=end,
            pad_token_id=end,
            temperature=None,
            top_p=None,
            top_k=None,
        )
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise EngineError(
            f"A prompt of {len(ids)} tokens does not fit into the memory of '{model.device}'. Show fewer examples, use "
            "4-bit weights, or a larger device."
        ) from error
    return [int(token) for token in out[0, len(ids) :]]


@contextmanager
def _plain_attention(model: Any) -> Iterator[None]:
    """The same weights with transformers' own attention; the engine's comes back afterwards."""
    model.set_attn_implementation(PLAIN)
    try:
        yield
    finally:
        model.set_attn_implementation(ATTENTION)


def _said(tokenizer: Any, prompt: list[int], answer: list[int]) -> Said:
    def text(ids: list[int]) -> str:
        return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    before = text(prompt)
    return Said(before, text([*prompt, *answer])[len(before) :], str(tokenizer.eos_token), len(answer))
