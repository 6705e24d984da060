"""Measures how fast a model is evaluated by scoring labels, beside decoding its answers as the paper's authors do.
BENCHMARKS.md has the numbers.

    python3 scripts/bench_evaluate.py [--quick] [--json] [--data DIR] [--tokenizer FILE] [--shape small|7b]
                                      [--device cpu|cuda]

A Llama of random weights is asked the emotion codebook's question, on posts of DIR/emotion or on recombined ones; both
ways take turns on the same weights in one process. Random weights never end an answer, so 20 tokens are decoded for
each text; the same is measured once more after the vocabulary head was taught to say a label and stop. The last line
with --json is one object with the keys vs_authors_decoding, labels_texts_per_second, authors_texts_per_second,
vs_decoding_that_stops, agreement (how often both ways name the same label, after teaching) and `raw`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.bench import evaluate_ways, material
from scripts.bench.evaluate_ways import Run

SAYS = {
    "vs_authors_decoding": ("times the texts a second of decoding as the authors do, 20 tokens each", ">= 7"),
    "labels_texts_per_second": ("texts a second by scoring labels", "-"),
    "authors_texts_per_second": ("texts a second by decoding", "-"),
    "vs_decoding_that_stops": ("times those of decoding, where the model says a label and stops", "-"),
    "agreement": ("of texts both ways give the same label, where the model says labels", "-"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: texts a round of each way, rounds, and texts that the head is taught on."""

    labels: int
    decoded: int
    rounds: int
    taught: int


FULL = Size(labels=512, decoded=64, rounds=3, taught=64)
QUICK = Size(labels=128, decoded=10, rounds=1, taught=24)


def measured(size: Size, shape: str, device: str, data: Path | None, tokenizer: Path | None) -> dict[str, Any]:
    """The figures, with what they were measured with in `raw`."""
    asked = evaluate_ways.question()
    posts = material.texts(data, size.labels + size.taught)
    texts, lessons = posts[: size.labels], posts[size.labels :]
    with tempfile.TemporaryDirectory(prefix="socialite-bench-", ignore_cleanup_errors=True) as folder:
        engine = evaluate_ways.engine(Path(folder) / "model", shape, device, posts, tokenizer)
        raw: dict[str, Any] = {"shape": shape, "device": device, "cores": os.cpu_count()}
        raw |= {
            "dtype": engine.identity.dtype,
            "real_vocabulary": tokenizer is not None,
            "real_texts": data is not None,
        }
        raw |= {"sizes": evaluate_ways.sizes(engine, asked, texts)}

        def turns() -> dict[str, Any]:
            evaluate_ways.by_labels(engine, asked, texts[:8])
            evaluate_ways.by_decoding(engine, asked, texts[:2])
            rounds = [
                (evaluate_ways.by_labels(engine, asked, texts), evaluate_ways.by_decoding(engine, asked, some))
                for some in [texts[: size.decoded]] * size.rounds
            ]
            return compared(rounds, len(asked.labels))

        raw["random"] = turns()
        evaluate_ways.teach(engine, asked, lessons)
        raw["taught"] = turns()
    return {
        "vs_authors_decoding": raw["random"]["ratio"],
        "labels_texts_per_second": raw["random"]["labels"],
        "authors_texts_per_second": raw["random"]["decoding"],
        "vs_decoding_that_stops": raw["taught"]["ratio"],
        "agreement": raw["taught"]["agreement"],
        "raw": raw,
    }


def compared(rounds: list[tuple[Run, Run]], labels: int) -> dict[str, Any]:
    """Texts a second of both ways, the medians of their rounds, and how far what they say is the same."""
    rates = [statistics.median(len(run.labels) / run.seconds for run in way) for way in zip(*rounds, strict=True)]
    scored, decoded = rounds[-1]
    pairs = list(zip(scored.labels, decoded.labels, strict=False))  # decoding reads the first few texts only
    return {
        "labels": rates[0],
        "decoding": rates[1],
        "ratio": rates[0] / rates[1],
        "new_tokens": decoded.new_tokens,
        "says_a_label": statistics.mean(said < labels for _, said in pairs),
        "agreement": statistics.mean(one == other for one, other in pairs),
        "texts_compared": len(pairs),
        "different_labels": len({said for _, said in pairs} - {labels}),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer texts and rounds")
    parser.add_argument("--json", action="store_true", help="one JSON object last")
    parser.add_argument("--data", type=Path, help="folder of task folders with labelled texts")
    parser.add_argument("--tokenizer", type=Path, help="Llama's tokenizer.model; without it a vocabulary is learned")
    parser.add_argument("--shape", choices=["small", "7b"], default="small", help="of the model of random weights")
    parser.add_argument("--device", default="cpu", help="where it runs: cpu, cuda, cuda:1, ...")
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    figures = measured(QUICK if given.quick else FULL, given.shape, given.device, given.data, given.tokenizer)
    figures["raw"]["took_s"] = time.perf_counter() - started
    print(json.dumps(figures["raw"]["sizes"]), file=sys.stderr)
    for key, (says, target) in SAYS.items():
        print(f"{key:24s} {figures[key]:.3g} (target {target})\n{'':24s} {says}", file=sys.stderr)
    if given.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
