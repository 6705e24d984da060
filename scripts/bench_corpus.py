"""Measures what `socialite predict` takes beside the engine: memory as tables grow, and time. BENCHMARKS.md has the
numbers.

    python3 scripts/bench_corpus.py [--quick] [--json] [--data DIR]

Memory: the peak of a fresh process that labels a CSV of 1,000,000 rows with the keyword engine, over that of one that
labels 10,000. Time: the encoder's texts a second within `predict`, from the table that is read to the table that is
written, over those of one call of the engine with the same texts; each in a fresh engine, one after the other, in one
process a round.

The last line with --json is one object: `peak_ratio` (target <= 1.3), `vs_engine` (target >= 0.90; the median of the
rounds), and `raw`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.bench import material, predicting
from scripts.bench.servers import BenchError

CHECKOUT = Path(__file__).resolve().parents[1]
WARM_UP = 64  # texts


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rows of both tables; texts of a round, and rounds."""

    few: int
    many: int
    texts: int
    rounds: int


FULL = Size(few=10_000, many=1_000_000, texts=2000, rounds=3)
QUICK = Size(few=10_000, many=100_000, texts=400, rounds=2)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else FULL
    start = time.perf_counter()
    figures: dict[str, Any] = {"peak_ratio": None, "vs_engine": None, "raw": {"cores": os.cpu_count()}}
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
        try:
            if asked.only in (None, "memory"):
                figures["raw"]["memory"] = grown(Path(folder), size, asked.data)
                figures["peak_ratio"] = figures["raw"]["memory"]["ratio"]
            if asked.only in (None, "rate"):
                figures["raw"]["rates"] = beside(Path(folder), size, asked.data)
                figures["vs_engine"] = statistics.median(one["share"] for one in figures["raw"]["rates"])
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    figures["raw"]["took_s"] = time.perf_counter() - start
    print(table(figures, size))
    if asked.json:
        print(json.dumps(figures))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: 100,000 rows, and fewer texts")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--data", type=Path, help="folder with emotion/train.csv: real posts instead of our own")
    parser.add_argument("--only", choices=["memory", "rate"], help="one of the two numbers")
    return parser.parse_args(arguments)


def grown(folder: Path, size: Size, data: Path | None) -> dict[str, float]:
    """Peak bytes of both tables, seconds of the larger, and the ratio."""
    texts = material.texts(data, 1000)
    peaks = []
    for rows in (size.few, size.many):
        source = folder / f"{rows}.csv"
        predicting.write(source, texts, rows)
        print(f"Labelling {rows:,} rows ...", file=sys.stderr)
        began = time.perf_counter()
        peaks.append(_printed(folder, "peak", str(source), str(folder / f"{rows}.out.csv")))
        took = time.perf_counter() - began
        source.unlink()
    return {"few": peaks[0], "many": peaks[1], "ratio": peaks[1] / peaks[0], "seconds": took}


def beside(folder: Path, size: Size, data: Path | None) -> list[dict[str, float]]:
    """Of each round the texts a second of the engine, of `predict`, and the second's share of the first."""
    texts = material.texts(data, (size.texts + WARM_UP) * size.rounds)
    rounds = []
    for n in range(size.rounds):
        print(f"Round {n + 1} of {size.rounds} ...", file=sys.stderr)
        own = folder / f"texts-{n}.json"
        own.write_text(json.dumps(texts[n :: size.rounds]), encoding="utf-8")
        rates = _printed(folder, "rates", str(own), str(WARM_UP))
        rounds.append({**rates, "share": rates["predict"] / rates["engine"]})
    return rounds


def _printed(folder: Path, *what: str) -> Any:
    """The last line that a fresh process of `predicting` prints."""
    command = [sys.executable, "-m", "scripts.bench.predicting", *what]
    own = {**os.environ, "SOCIALITE_HOME": str(folder / "home"), "SOCIALITE_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=CHECKOUT, env=own, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise BenchError(f"`{' '.join(what)}` failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def table(figures: dict[str, Any], size: Size) -> str:
    lines = ["| what | measured | target |", "| --- | --- | --- |"]
    if memory := figures["raw"].get("memory"):
        peaks = f"{memory['many'] / 1e6:.0f} MB over {memory['few'] / 1e6:.0f} MB"
        what = f"peak memory of {size.many:,} rows over {size.few:,}: {peaks}"
        lines.append(f"| {what} | {memory['ratio']:.2f} | <= 1.3 |")
        lines.append(f"| seconds of {size.many:,} rows, keyword engine | {memory['seconds']:.0f} | |")
    for n, one in enumerate(figures["raw"].get("rates", ()), 1):
        rates = f"{one['predict']:.0f} texts/s of {one['engine']:.0f}"
        lines.append(f"| share of the engine's own rate, round {n}: {rates} | {one['share']:.2f} | |")
    if figures["vs_engine"] is not None:
        lines.append(f"| share of the engine's own rate, median | {figures['vs_engine']:.2f} | >= 0.90 |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
