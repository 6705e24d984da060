"""Measures how fast a LoRA is trained, beside transformers' Trainer, and an encoder's head is fitted. BENCHMARKS.md has
the numbers.

    python3 scripts/bench_training.py [--quick] [--json] [--shape small|medium] [--data DIR]

A Llama of random weights with a LoRA as SOCIALITE-LLAMA's authors made it, an instruction of 117 tokens, texts of 39 on
average, batches of 32 texts as they come, on the processor. Trainer pads and computes all logits, as it does by
default. Both take the same batches in turn. The head is that of the embedded encoder, on 2,000 labelled texts (of
DIR/emotion with --data) whose embeddings are known. The last line with --json is one object: `vs_trainer` (target
>= 5), `loss_difference` of the first step, `examples_per_second` of `ours` and `trainer`, `head_seconds` (target < 5),
and `raw`. Exit code 1 when the first step's losses differ by more than 0.0001.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tqdm import tqdm

from backend.engines.encoder import EncoderEngine
from backend.tuners import head
from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from scripts.bench import material
from scripts.bench.training_ways import Trainings

CLOSE = 1e-4  # of the first step's losses
NOISE = 0.25  # share of the head's labels that are drawn by lot


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: texts of a batch, steps of a measurement, pairs of them; fits of the head, texts of it."""

    batch: int
    steps: int
    rounds: int
    fits: int
    texts: int


FULL = Size(batch=32, steps=4, rounds=5, fits=3, texts=2000)
QUICK = Size(batch=32, steps=1, rounds=3, fits=1, texts=2000)
EMOTIONS = ("joy", "anger", "optimism", "sadness")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else FULL
    start = time.perf_counter()
    figures = steps(size, asked.shape)
    figures |= heads(size, asked.data)
    figures["raw"] |= {"cores": os.cpu_count(), "shape": asked.shape, "took_s": time.perf_counter() - start}
    print(table(figures))
    if asked.json:
        print(json.dumps(figures))
    if figures["loss_difference"] > CLOSE:
        print("The two ways do not compute the same loss, so their speed cannot be compared.", file=sys.stderr)
        return 1
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer steps and pairs")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--shape", choices=["small", "medium"], default="small", help="of the model of random weights")
    parser.add_argument("--data", type=Path, help="folder with one folder a task, for the head's texts")
    return parser.parse_args(arguments)


def steps(size: Size, shape: str) -> dict[str, Any]:
    """Both ways in turn, after a step of each that does not count."""
    ways = Trainings(shape, batch=size.batch, steps=size.steps)
    first = ways.ours(1), ways.trainer(1)
    pairs = [(ways.ours(size.steps), ways.trainer(size.steps)) for _ in _bar(size.rounds, "Steps", "pair")]
    rates = [(one.rate, other.rate) for one, other in pairs]
    medians = [statistics.median(column) for column in zip(*rates, strict=True)]
    return {
        "vs_trainer": statistics.median(one / other for one, other in rates),
        "loss_difference": max(abs(one.loss - other.loss) for one, other in [first, *pairs]),
        "examples_per_second": dict(zip(("ours", "trainer"), medians, strict=True)),
        "raw": {"pairs": rates, "weights": ways.weights, "batch": size.batch, "first_loss": pairs[0][0].loss},
    }


def heads(size: Size, data: Path | None) -> dict[str, Any]:
    """Seconds of fitting the encoder's head again when all embeddings are known."""
    engine = EncoderEngine(device="cpu")
    posts = [(text,) for text in material.texts(data, size.texts)]
    asked = emotions()
    with tqdm(total=len(posts), desc="Embeddings", unit="text", disable=None) as bar:

        def told(n: int) -> None:
            bar.update(n)

        scores = engine.prior(asked, posts, told).scores
    random = np.random.default_rng(0)
    drawn = random.random(len(posts)) < NOISE
    best = np.where(drawn, random.integers(len(EMOTIONS), size=len(posts)), scores.argmax(axis=1))
    answers = [frozenset({EMOTIONS[k]}) for k in best]
    took = []
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
        for number in _bar(size.fits, "Heads", "fit"):
            start = time.perf_counter()
            head.train(engine, asked, posts, answers, Path(folder) / f"head{number}")
            took.append(time.perf_counter() - start)
    return {"head_seconds": statistics.median(took)}


def emotions() -> Question:
    labels = tuple(Label(name, name, name, f"The writer feels {name}.") for name in EMOTIONS)
    return Question("emotion", "emotion", Kind.SINGLE, Control.CHOICES, (Field("text", "text"),), labels)


def table(figures: dict[str, Any]) -> str:
    rates = figures["examples_per_second"]
    return "\n".join(
        [
            "| what | measured | target |",
            "| --- | --- | --- |",
            f"| examples/s, this product | {rates['ours']:.1f} | |",
            f"| examples/s, transformers' Trainer | {rates['trainer']:.1f} | |",
            f"| times Trainer's | {figures['vs_trainer']:.1f} | >= 5 |",
            f"| difference of the first step's losses | {figures['loss_difference']:.1e} | <= 1e-4 |",
            f"| fitting the encoder's head again, s | {figures['head_seconds']:.1f} | < 5 |",
        ]
    )


def _bar(n: int, what: str, unit: str) -> Any:
    return tqdm(range(n), desc=what, unit=unit, disable=None)


if __name__ == "__main__":
    sys.exit(main())
