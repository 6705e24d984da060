"""Two ways to evaluate a causal model on a codebook, on the same weights: scoring labels, and the authors' decoding.

The weights are random. Such a model rarely ends its answer, so decoding takes all 20 tokens; `teach` makes it answer
with a label and stop, as a tuned model does, by changing what its vocabulary head says behind a few prompts.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.engines.causal import CausalEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.packs import ATTENTION
from backend.engines.spoken import said
from backend.engines.weights import Weights
from backend.paper.authors_rule import label_table, ours
from labelstudio_config import library
from labelstudio_config.codebook import Question
from scripts.bench import scoring_material, tiny_llama

CODEBOOK = "emotion"
WORDS = 8000  # of a learned vocabulary
STEPS, RATE = 150, 0.05  # of teaching


@dataclass(frozen=True, slots=True)
class Run:
    """What one way took: seconds, and the label's column for each text, as many as there are labels for none."""

    seconds: float
    labels: list[int]
    new_tokens: float = 0.0  # decoded, a text


def question() -> Question:
    """The question that is asked: single choice of four labels, with definitions."""
    book = library.load(CODEBOOK)
    return book.standalone(book.questions[0])


def engine(folder: Path, shape: str, device: str, texts: Sequence[str], tokenizer: Path | None) -> CausalEngine:
    """The engine over random weights, with Llama's vocabulary in the file `tokenizer`, or a learned one."""
    folder.mkdir(parents=True)
    size = _real(folder, tokenizer) if tokenizer else _learned(folder, texts)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}), encoding="utf-8")
    weights = Weights(folder, f"random {shape} Llama", shape, "vocabulary of the benchmark", 2048)
    made = CausalEngine(weights, device=device, ready=False)
    made.model.base = scoring_material.random_model(scoring_material.settings(shape, size), made)
    return made


def by_labels(engine: CausalEngine, asked: Question, texts: Sequence[str]) -> Run:
    """The likeliest label of each text."""
    started = time.perf_counter()
    found = engine.score(asked, [(text,) for text in texts]).log_probabilities.argmax(axis=1)
    return Run(time.perf_counter() - started, [int(label) for label in found])


def by_decoding(engine: CausalEngine, asked: Question, texts: Sequence[str]) -> Run:
    """The label that each text's decoded answer is, letter for letter."""
    started = time.perf_counter()
    found = said(engine, asked, [(text,) for text in texts])
    seconds = time.perf_counter() - started
    table = label_table(engine.wording.words(asked))
    return Run(seconds, [ours(one.answer, table, one.end) for one in found], float(np.mean([x.tokens for x in found])))


def teach(engine: CausalEngine, asked: Question, texts: Sequence[str]) -> None:
    """Make the head say a label and the end token behind these prompts: the label with the most of its own words there.

    Only the head's rows of the labels' tokens are changed, on what the layers below make of the prompts.
    """
    import torch

    right = KeywordEngine().score(asked, [(text,) for text in texts]).log_probabilities.argmax(axis=1)
    (frame,) = engine.frames(asked)
    prompts = engine.tokens.encode(frame.ask, frame.seams, [(text,) for text in texts]).ids
    model = engine.model.base
    model.set_attn_implementation("sdpa")
    states, targets = [], []
    for ids, label in zip(prompts, right, strict=True):
        answer = frame.seams.answers[int(label)]
        with torch.no_grad():
            row = torch.tensor([[*ids, *answer[:-1]]], device=model.device)
            states.append(model.get_decoder()(input_ids=row).last_hidden_state[0, len(ids) - 1 :].float())
        targets += answer
    model.set_attn_implementation(ATTENTION)
    known = sorted(set(targets))
    head, seen = model.get_output_embeddings().weight, torch.cat(states)
    wanted = torch.tensor([known.index(token) for token in targets], device=model.device)
    with torch.no_grad():
        logits = seen @ head.float().T
        logits[:, known] = float("-inf")
        others = logits.logsumexp(dim=-1, keepdim=True)
    rows = head[known].detach().float().requires_grad_(True)
    optimiser = torch.optim.Adam([rows], lr=RATE)
    for _ in range(STEPS):
        among = torch.cat([seen @ rows.T, others], dim=1)
        loss = torch.nn.functional.cross_entropy(among, wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        head[known] = rows.to(head.dtype)


def sizes(engine: CausalEngine, asked: Question, texts: Sequence[str]) -> dict[str, float | int]:
    """What was run: weights, vocabulary, and the tokens of instruction and texts."""
    model = engine.model.base
    (frame,) = engine.frames(asked)
    lengths = [len(ids) for ids in engine.tokens.encode(frame.ask, frame.seams, [(text,) for text in texts]).ids]
    return {
        "weights": sum(part.numel() for part in model.parameters()),
        "weights_of_layers": sum(part.numel() for part in model.get_decoder().layers.parameters()),
        "vocabulary": int(model.config.vocab_size),
        "labels": len(asked.labels),
        "instruction_tokens": len(frame.seams.prefix),
        "prompt_tokens": float(np.mean(lengths)),
    }


def _real(folder: Path, file: Path) -> int:
    from transformers import LlamaTokenizer

    shutil.copyfile(file, folder / "tokenizer.model")
    made = LlamaTokenizer.from_pretrained(folder)
    made.save_pretrained(folder)
    return len(made)


def _learned(folder: Path, texts: Sequence[str]) -> int:
    asked = question()
    more = [asked.asked, *(label.hint for label in asked.labels), *(f" {label.wording}" for label in asked.labels)]
    return tiny_llama.vocabulary(folder, [*texts, *more * 3], WORDS, 2048)
