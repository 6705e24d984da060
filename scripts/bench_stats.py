"""Measures how fast agreement is bootstrapped, beside the `krippendorff` package, and how fast a large report is made.
BENCHMARKS.md has the numbers.

    python3 scripts/bench_stats.py [--quick] [--json]

Agreement: Krippendorff's alpha of 50,000 ratings (10,000 texts, each by 5 of 20 coders, 5 labels) in 1,000 resamples of
texts, at three levels of measurement. Ours includes drawing the resamples. The package is called once a resample of
those very resamples, in its faster way, with counts of values; with ratings it is slower, which the table shows too.
The report: of a new SQLite store in a temporary folder with 200,000 scores of 100,000 texts on two questions and 20,000
answers, 900 of the texts coded blind by 3 people and its test opened; from the store to HTML.

The last line with --json is one object: `vs_krippendorff`, the least over the levels (target >= 5), `report_s` (target
< 15), and `raw`. Exit code 1 when the two give alphas that differ by more than 1e-9.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import krippendorff
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from backend.findings.build import build
from backend.reports.html import html
from backend.stats.agreement import Level, alpha_of
from backend.stats.bootstrap import resamples
from scripts.bench import report_store

CLOSE = 1e-9  # of two alphas
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
LABELS, CODERS, EACH = 5, 20, 5  # labels, coders, and how many of them rate a text
ERROR = 0.4  # share of ratings that are a label beside the text's own
DRAWS = 1000

Floats = NDArray[np.floating]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: texts that are rated; resamples that the package is looped over with counts and with
    ratings, whose time is scaled up to `DRAWS`; rounds of both; and the store of the report.
    """

    texts: int
    with_counts: int
    with_ratings: int
    rounds: int
    store: report_store.Size


LARGE = report_store.Size(texts=100_000, audit=900, coders=3, control=600, answers=20_000)
FULL = Size(texts=10_000, with_counts=DRAWS, with_ratings=DRAWS, rounds=3, store=LARGE)
QUICK = Size(texts=10_000, with_counts=100, with_ratings=20, rounds=3, store=LARGE)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else FULL
    start = time.perf_counter()
    levels = agreement(size)
    report = reported(size.store)
    figures = {
        "vs_krippendorff": min(one["times"] for one in levels.values()),
        "report_s": report["report_s"],
        "raw": {"levels": levels, **report, "cores": os.cpu_count(), "took_s": time.perf_counter() - start},
    }
    print(table(figures, size))
    if asked.json:
        print(json.dumps(figures))
    if max(one["difference"] for one in levels.values()) > CLOSE:
        print("The two ways do not give the same alphas, so their speed cannot be compared.", file=sys.stderr)
        return 1
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: the package on fewer resamples, scaled")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    return parser.parse_args(arguments)


def agreement(size: Size) -> dict[str, dict[str, float]]:
    """Of each level of measurement the seconds of `DRAWS` resamples, and how far the alphas are apart."""
    ratings = rated(size.texts)
    counts = (ratings.T[:, :, None] == np.arange(LABELS)).sum(axis=1)
    found = {}
    with tqdm(total=len(LEVELS) * size.rounds, desc="Agreement", unit="round", disable=None) as bar:
        for level in LEVELS:
            rounds = []
            for seed in range(size.rounds):
                ours, seconds = timed(bootstrapped, ratings, level, seed)
                weights = np.concatenate(list(resamples(np.arange(size.texts), DRAWS, seed))).astype(np.int64)
                theirs, looped = timed(with_counts, counts, level, weights[: size.with_counts])
                apart = float(np.abs(ours[: len(theirs)] - theirs).max())
                rounds.append((seconds, looped * DRAWS / size.with_counts, apart))
                bar.update(1)
            slow = timed(with_ratings, ratings, level, weights[: size.with_ratings])[1]
            found[level] = {
                "ours_s": statistics.median(one[0] for one in rounds),
                "counts_s": statistics.median(one[1] for one in rounds),
                "ratings_s": slow * DRAWS / size.with_ratings,
                "times": statistics.median(one[1] / one[0] for one in rounds),
                "difference": max(one[2] for one in rounds),
            }
    return found


def rated(texts: int) -> Floats:
    """Ratings [CODERS, texts], NaN where a coder did not rate a text."""
    random = np.random.default_rng(0)
    who = random.permuted(np.tile(np.arange(CODERS), (texts, 1)), axis=1)[:, :EACH]
    own = random.integers(LABELS, size=(texts, 1))
    beside = np.where(random.random((texts, EACH)) < ERROR, random.choice([-1, 1], size=(texts, EACH)), 0)
    ratings = np.full((CODERS, texts), np.nan)
    ratings[who, np.arange(texts)[:, None]] = np.clip(own + beside, 0, LABELS - 1)
    return ratings


def bootstrapped(ratings: Floats, level: Level, seed: int) -> Floats:
    """Our way: alpha [DRAWS] in resamples that are drawn on the way."""
    figure = alpha_of(ratings, level)
    return np.concatenate([figure(weights) for weights in resamples(np.arange(ratings.shape[1]), DRAWS, seed)])


def with_counts(counts: NDArray[np.integer], level: Level, weights: NDArray[np.integer]) -> Floats:
    """The package's alpha [B] from counts of values [texts, LABELS], a resample at a time."""
    drawn = (np.repeat(counts, row, axis=0) for row in weights)
    return np.array([krippendorff.alpha(value_counts=one, level_of_measurement=level) for one in drawn])


def with_ratings(ratings: Floats, level: Level, weights: NDArray[np.integer]) -> Floats:
    """The package's alpha [B] from ratings, a resample at a time."""
    drawn = (np.repeat(ratings, row, axis=1) for row in weights)
    return np.array([krippendorff.alpha(one, level_of_measurement=level) for one in drawn])


def timed(work: Callable[..., T], *given: Any) -> tuple[T, float]:
    """What the work gives, and its seconds."""
    start = time.perf_counter()
    made = work(*given)
    return made, time.perf_counter() - start


def reported(size: report_store.Size) -> dict[str, float]:
    """Seconds of the report, from the store to HTML, of which `build_s` are spent before it is drawn."""
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
        print(f"Writing a store of {size.texts:,} texts ...", file=sys.stderr)
        store, wrote = timed(report_store.create, Path(folder), size)
        try:
            with store.reading() as s:
                report, built = timed(build, s, report_store.KEY, "production", (report_store.COLUMN,))
        finally:
            store.close()
        page, drawn = timed(html, report)
    return {"report_s": built + drawn, "build_s": built, "html_s": drawn, "page_kb": len(page) / 1000, "store_s": wrote}


def table(figures: dict[str, Any], size: Size) -> str:
    raw = figures["raw"]
    ratings, apart = size.texts * EACH, max(one["difference"] for one in raw["levels"].values())
    lines = [
        f"| {DRAWS:,} resamples of {ratings:,} ratings, s | ours | package, with counts | with ratings | times |",
        "| --- | --- | --- | --- | --- |",
    ]
    for level, one in raw["levels"].items():
        seconds = f"{one['ours_s']:.2f} | {one['counts_s']:.2f} | {one['ratings_s']:.1f}"
        lines.append(f"| {level} | {seconds} | {one['times']:.1f} |")
    lines += ["", "| what | measured | target |", "| --- | --- | --- |"]
    scores = size.store.texts * len(report_store.codebook().questions)
    lines += [
        f"| times the `krippendorff` package, least of the levels | {figures['vs_krippendorff']:.1f} | >= 5 |",
        f"| largest difference of two alphas | {apart:.0e} | <= 1e-9 |",
        f"| report of {scores:,} scores and {size.store.answers:,} answers, s | {figures['report_s']:.1f} | < 15 |",
        f"| of it the HTML, s | {raw['html_s']:.1f} | |",
    ]
    if size.with_counts < DRAWS:
        looped = f"{size.with_counts} resamples with counts and {size.with_ratings} with ratings"
        lines += ["", f"The package was looped over {looped}; its time is scaled to {DRAWS:,}."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
