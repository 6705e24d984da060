"""Measures the service, beside an equal Flask app and beside the engine alone, and under load. BENCHMARKS.md has the
numbers.

    python3 scripts/bench_service.py [--quick] [--json] [--data DIR] [--only NAME ...]

Everything runs on this machine, on free loopback ports, in temporary folders. The last line with --json is one object
with the keys vs_flask, engine_share, webhook_p99_ms, health_p99_ms, push_1500_s and `raw`; a key is null where `raw`
says why it was not measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.bench import latency, push, throughput
from scripts.bench.material import texts
from scripts.bench.servers import BenchError

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: float  # of a round against Flask
    new: int  # texts a round against Flask
    encoded: int  # texts a round through the encoder
    events: int  # webhook events prepared
    predictions: int
    at_once: int  # texts scored while /health is asked
    push: bool


FULL = Size(rounds=5, seconds=4, new=6000, encoded=1024, events=12_000, predictions=100_000, at_once=1000, push=True)
QUICK = Size(rounds=1, seconds=2, new=3000, encoded=256, events=3000, predictions=20_000, at_once=150, push=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """One key of the result: what it is, the target, and how it is measured in a folder of its own."""

    key: str
    says: str
    target: str
    run: Callable[[Path], Figures]


def measures(size: Size, data: Path | None) -> list[Measure]:
    def flask(home: Path) -> Figures:
        posts = texts(data, throughput.KNOWN + size.new * (size.rounds + 1))
        return throughput.against_flask(home, posts, size.rounds, size.seconds)

    def share(home: Path) -> Figures:
        rounds = min(size.rounds, 3)
        return throughput.beside_engine(home, texts(data, (throughput.WARM_UP + size.encoded) * rounds), rounds)

    def webhook(home: Path) -> Figures:
        return latency.webhook(
            home, texts(data, max(size.events, size.predictions // 4)), size.events, size.predictions
        )

    def health(home: Path) -> Figures:
        return latency.health(home, texts(data, size.at_once))

    def pushed(home: Path) -> Figures:
        if not size.push:
            raise BenchError("left out by --quick: a new Label Studio alone takes a minute to start")
        return push.push(home, texts(data, push.SUGGESTIONS))

    return [
        Measure(
            "vs_flask",
            "/predict, keyword engine, 8 clients: times the requests a second of the Flask app",
            ">= 6",
            flask,
        ),
        Measure("engine_share", "/predict, encoder, 32 clients: share of the engine's own rate", ">= 0.75", share),
        Measure("webhook_p99_ms", "/webhook at 100 events/s while predictions are written: p99, ms", "< 50", webhook),
        Measure("health_p99_ms", "/health and /setup while texts are scored: p99, ms", "< 100", health),
        Measure("push_1500_s", "1,500 suggestions scored and pushed to Label Studio, s", "< 15", pushed),
    ]


def measured(measure: Measure) -> Figures:
    """The figures of one measure, or the reason why there are none."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="socialite-bench-", ignore_cleanup_errors=True) as folder:
        try:
            figures = measure.run(Path(folder))
        except BenchError as error:
            figures = {measure.key: None, "why_not": str(error)}
    return {**figures, "took_s": time.perf_counter() - started}


def shown(measure: Measure, figures: Figures) -> str:
    value = figures[measure.key]
    said = f"{value:.3g} (target {measure.target})" if value is not None else f"not measured: {figures['why_not']}"
    return f"{measure.key:15s} {said}\n{'':15s} {measure.says}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer texts, one round, no Label Studio")
    parser.add_argument("--json", action="store_true", help="one JSON object last")
    parser.add_argument("--data", type=Path, help="folder with emotion/train.csv: real posts instead of our own")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="measure these keys only")
    given = parser.parse_args(arguments)
    raw: dict[str, Figures] = {}
    for measure in measures(QUICK if given.quick else FULL, given.data):
        if given.only and measure.key not in given.only:
            raw[measure.key] = {measure.key: None, "why_not": "left out by --only"}
            continue
        raw[measure.key] = measured(measure)
        print(shown(measure, raw[measure.key]), file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps({key: figures[key] for key, figures in raw.items()} | {"raw": raw}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
