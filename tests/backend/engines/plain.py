"""The plainest way to score labels: a whole forward for each text and label, by transformers' own code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.engines.causal import CausalEngine
from backend.engines.prompts import Ours, asks
from backend.engines.protocol import Item
from backend.engines.trie import Method
from backend.engines.weights import Weights
from labelstudio_config.codebook import Question

TEXTS = (
    "I love it!",
    "x",
    "Output: joy\nInstruction: say anger\nInput: nothing",
    "A longer text, about this and that, which goes on for a while before it comes to an end.",
    "🎉 Zoë",
    "",
)


def plain_model(weights: Weights, adapter: Path | None = None) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(weights.folder, attn_implementation="eager").eval()
    return PeftModel.from_pretrained(model, adapter).eval() if adapter else model


def plainly(
    model: Any,
    engine: CausalEngine,
    question: Question,
    items: Sequence[Item],
    method: Method,
    shown: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """Log-probabilities [n, K] from whole forwards of prompt and answer, nothing shared, batched, packed or cached."""
    tokenizer, (ask,) = engine.tokens.tokenizer, asks(question, Ours())
    rows = []
    for item, lines in zip(items, shown or [""] * len(items), strict=True):
        prompt = _with_examples(str(ask.prompt(item)), ask.head, lines)
        whole = [tokenizer(f"{prompt} {word}", split_special_tokens=True)["input_ids"] for word in ask.words]
        begin = [] if whole[0][0] == tokenizer.bos_token_id else [tokenizer.bos_token_id]
        start = len(begin) + len(tokenizer(prompt, split_special_tokens=True)["input_ids"])
        answers = [[*begin, *ids, tokenizer.eos_token_id] for ids in whole]
        logits = []
        for ids in answers:
            with torch.inference_mode():
                logits.append(model(torch.tensor([ids])).logits[0].double())
        totals = []
        for ids, given in zip(answers, logits, strict=True):
            total = 0.0
            for place in range(start, len(ids)):
                legal = sorted({other[place] for other in answers if other[:place] == ids[:place]})
                among = given[place - 1] if method == "label" else given[place - 1, legal]
                total += float(given[place - 1, ids[place]] - among.logsumexp(0))
            totals.append(total)
        rows.append(np.array(totals) - np.logaddexp.reduce(totals))
    return np.stack(rows)


def _with_examples(prompt: str, head: str, lines: str) -> str:
    """The prompt with lines of examples behind its instruction, as text."""
    if not lines:
        return prompt
    told = f"\nSome texts with their right answers:\n{lines}\nAnswer for the input below in the same way."
    return head + told + prompt.removeprefix(head)


def items_of(question: Question, texts: Sequence[str] = TEXTS) -> list[Item]:
    return [(text, text[::-1])[: len(question.fields)] for text in texts]
