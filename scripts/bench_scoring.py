"""Measures how fast the causal engine scores label sets, beside generating labels and beside one forward a label.
BENCHMARKS.md has the numbers.

    python3 scripts/bench_scoring.py [--quick] [--json] [--shape small|7b] [--device cpu|cuda]

A Llama of random weights, an instruction of 117 tokens, texts of 39 on average; 4 labels, and 8 longer ones (`raw`).
All ways are timed in turn in one process. The last line with --json is one object with the keys vs_generate,
vs_batched_generate, vs_full_forward, floor_share, peak_ratio and `raw`. `--shape 7b --device cuda` takes a 7B-shaped
model in bfloat16 (about 15 GB).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.bench import scoring_material, scoring_memory
from scripts.bench.scoring_ways import Amount, Ways
from scripts.bench.servers import BenchError

SAYS = {
    "vs_generate": ("times the texts a second of generate, one text at a time", ">= 7, goal 8"),
    "vs_batched_generate": ("times those of generate in padded batches, texts as they come", ">= 4"),
    "vs_full_forward": ("times those of one forward for each text and label", ">= 15"),
    "floor_share": ("of the rate if only needed tokens were multiplied through the layers", ">= 0.5, goal 0.6"),
    "peak_ratio": ("peak memory for many texts over that for a tenth", "<= 1.3"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    amount: Amount
    rounds: int
    many: int  # texts whose peak memory is compared with that of a tenth


FULL = Size(Amount(engine=512, one_by_one=64, batched=128, full=32), rounds=5, many=100_000)
QUICK = Size(Amount(engine=192, one_by_one=12, batched=48, full=6), rounds=1, many=10_000)


def measured(size: Size, shape: str, device: str) -> dict[str, Any]:
    """The figures for 4 labels, with those for 8 and what they were measured with in `raw`."""
    posts = scoring_material.texts(size.amount.engine)
    raw: dict[str, Any] = {"shape": shape, "device": device, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="socialite-bench-", ignore_cleanup_errors=True) as folder:
        engine = scoring_material.engine(Path(folder) / "model", shape, device)
        raw |= {"dtype": engine.identity.dtype, "budget": engine.budget}
        for labels in scoring_material.LABELS:
            ways = Ways(engine, scoring_material.question(labels))
            raw[f"{labels} labels"] = compared(ways.rounds(posts, size.amount, size.rounds))
            raw["weights"] = ways.weights()
    if device.startswith("cuda"):
        import torch

        raw["gpu"], raw["gpu_bytes"] = torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()
    return {**raw["4 labels"]["ratios"], "raw": raw}


def compared(rates: dict[str, float]) -> dict[str, Any]:
    ratios = {f"vs_{name}": rates["engine"] / rates[name] for name in ("generate", "batched_generate", "full_forward")}
    return {"ratios": ratios | {"floor_share": rates["floor_share"]}, "texts_per_second": rates}


def memory(size: Size) -> dict[str, Any]:
    try:
        return scoring_memory.ratio(size.many // 10, size.many)
    except BenchError as error:
        return {"peak_ratio": None, "why_not": str(error)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer texts and rounds")
    parser.add_argument("--json", action="store_true", help="one JSON object last")
    parser.add_argument("--shape", choices=["small", "7b"], default="small", help="of the model of random weights")
    parser.add_argument("--device", default="cpu", help="where it runs: cpu, cuda, cuda:1, ...")
    given = parser.parse_args(arguments)
    size = QUICK if given.quick else FULL
    started = time.perf_counter()
    figures = measured(size, given.shape, given.device)
    told = memory(size)
    figures = {**figures, "peak_ratio": told["peak_ratio"]}
    figures["raw"] |= {"memory": told, "took_s": time.perf_counter() - started}
    for labels in scoring_material.LABELS:
        of = figures["raw"][f"{labels} labels"]
        rates = ", ".join(f"{name} {rate:.4g}" for name, rate in of["texts_per_second"].items())
        print(f"{labels} labels, texts/s: {rates}", file=sys.stderr)
    for key, (says, target) in SAYS.items():
        value = f"{figures[key]:.3g}" if figures[key] is not None else f"not measured: {told.get('why_not')}"
        print(f"{key:20s} {value} (target {target})\n{'':20s} {says}", file=sys.stderr)
    if size.many < FULL.many:
        print(f"--quick: peak memory of {size.many} texts instead of {FULL.many}", file=sys.stderr)
    if given.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
