"""Measures how often the intervals that the product shows cover the truth. PROOFS.md has the numbers.

    python3 scripts/check_coverage.py [--quick] [--json] [--reps 1000] [--only NAME] [--jobs 1]

Worlds whose truth is known: a first label with a share of .5, .1 or .02; 2 labels, or 6 ordered ones; 2 or 5 coders
with 20 % of the ratings missing; texts alone or in groups of 5 that are alike; 200 or 800 texts. Coders guess, and the
model errs, more on some groups than on others; the model errs more on one label. In every repetition texts are drawn
anew, and the product's own functions say what a person would be shown: bounds, or that they are withheld.

Exit code 1 when the intervals of a figure that are shown in a world cover the truth less often than in 93 %, by more
than three Monte-Carlo standard errors. Where fewer than 5 % of a world's samples show it, it counts as withheld there:
such samples are unusual ones, and it misleads in fewer of them than a 95 % interval may.

The last line with --json is one object: `coverage[name][cell]` with `coverage` (of the intervals shown; null where none
is), `shown` (share of the repetitions), `width` (mean), `repetitions`, `truth`, `ok`; `failing`, the names that the
product does not promise and shows to be wrong; `ok`, `quick`, `seconds`.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tqdm import tqdm

from scripts.coverage import agreeing, estimating, fitting, others, probable
from scripts.coverage.cells import Cell, Check, grid
from scripts.coverage.trials import Tally, Trials, trials

CHECKS: tuple[Check, ...] = (agreeing.CHECK, fitting.CHECK, others.CHECK, estimating.CHECK, probable.CHECK)
REPETITIONS, QUICK_REPETITIONS = 1000, 40
QUICK_SIZE = 200  # a quick run has the cells of so many texts
LEAST = 0.93
SELDOM = 0.05  # share of the repetitions: what is shown in fewer counts as withheld
ERRORS = 3.0  # Monte-Carlo standard errors


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    start = time.perf_counter()
    cells = list(grid())
    chosen = [(n, cell) for n, cell in enumerate(cells) if not asked.quick or cell.n == QUICK_SIZE]
    run = partial(tried, repetitions=asked.reps, only=asked.only)
    found = list(tqdm(mapped(run, chosen, asked.jobs), total=len(chosen), unit="cell", disable=None))
    report = summary(found) | {"quick": asked.quick, "seconds": round(time.perf_counter() - start, 1)}
    print(said(report, asked.quick))
    if asked.json:
        print(json.dumps(report))
    return 0 if report["ok"] else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: the cells of 200 texts, few repetitions")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--reps", type=int, metavar="N", help="repetitions of a cell (1000; 40 with --quick)")
    parser.add_argument("--only", default="", metavar="NAME", help="only what has this in its name, such as 'alpha'")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (1)")
    asked = parser.parse_args(arguments)
    asked.reps = asked.reps or (QUICK_REPETITIONS if asked.quick else REPETITIONS)
    if not checks(asked.only):
        parser.error(
            f"nothing has '{asked.only}' in its name; there are: {', '.join(n for c in CHECKS for n in c.names)}"
        )
    return asked


def checks(only: str) -> list[Check]:
    return [check for check in CHECKS if any(only.lower() in name.lower() for name in check.names)]


def mapped(run: Any, chosen: list[tuple[int, Cell]], jobs: int) -> Any:
    if jobs == 1:
        yield from map(run, chosen)
        return
    spawned = multiprocessing.get_context("spawn")  # as on Windows and macOS
    with ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
        yield from pool.map(run, chosen)


def tried(numbered: tuple[int, Cell], repetitions: int, only: str) -> Trials:
    number, cell = numbered
    done = trials(cell, checks(only), repetitions, number)
    done.tallies = {name: tally for name, tally in done.tallies.items() if only.lower() in name.lower()}
    return done


def summary(found: Sequence[Trials]) -> dict[str, Any]:
    failing = frozenset(name for check in CHECKS for name in check.failing)
    coverage: dict[str, dict[str, Any]] = {}
    for one in found:
        for name, tally in one.tallies.items():
            told = figures(tally) | {"truth": one.truths.get(name)}
            told["ok"] = name in failing or holds(tally)
            coverage.setdefault(name, {})[one.cell.name] = told
    ok = all(cell["ok"] for cells in coverage.values() for cell in cells.values())
    return {"coverage": coverage, "failing": sorted(failing & coverage.keys()), "ok": ok}


def figures(tally: Tally) -> dict[str, Any]:
    return {
        "coverage": round(tally.covered / tally.shown, 4) if tally.shown else None,
        "shown": round(tally.shown / tally.tried, 4),
        "width": round(tally.width / tally.shown, 4) if tally.shown else None,
        "repetitions": tally.tried,
    }


def holds(tally: Tally) -> bool:
    """Whether the intervals that are shown cover as often as they should, beyond Monte-Carlo error."""
    if tally.shown < SELDOM * tally.tried:
        return True
    error = math.sqrt(LEAST * (1 - LEAST) / max(tally.shown, 1))
    return tally.covered >= (LEAST - ERRORS * error) * tally.shown


def said(report: dict[str, Any], quick: bool) -> str:
    """Every cell of every figure, then a line a figure."""
    lines = []
    for name, cells in report["coverage"].items():
        lines += ["", f"{name}" + (" (not promised)" if name in report["failing"] else "")]
        lines += [f"  {cell:<56} {told(found)}" for cell, found in cells.items()]
    lines += ["", "| figure | cells | least | median | shown | cells withheld |", "| --- " * 6 + "|"]
    for name, cells in report["coverage"].items():
        seen = [cell["coverage"] for cell in cells.values() if cell["shown"] >= SELDOM]
        share = sum(cell["shown"] for cell in cells.values()) / len(cells)
        hidden = sum(cell["shown"] < SELDOM for cell in cells.values())
        least, middle = (f"{100 * of(seen):.1f}" if seen else "-" for of in (min, median))
        lines.append(f"| {name} | {len(cells)} | {least} | {middle} | {100 * share:.0f} % | {hidden} |")
    bad = sum(not cell["ok"] for cells in report["coverage"].values() for cell in cells.values())
    verdict = f"{bad} TOO LOW" if bad else "none too low"
    less = " A quick run: few repetitions of half the cells tell gross errors only." if quick else ""
    lines.append(
        f"Cells that cover less than {100 * LEAST:.0f} % by more than {ERRORS:.0f} Monte-Carlo standard errors: "
        f"{verdict}. {report['seconds']:.0f} s.{less}"
    )
    return "\n".join(lines)


def told(found: dict[str, Any]) -> str:
    if found["coverage"] is None:
        return "withheld"
    if found["shown"] < SELDOM:
        return f"withheld, but in {100 * found['shown']:.1f} % of the repetitions"
    low = "" if found["ok"] else "  TOO LOW"
    part = "" if found["shown"] == 1 else f", shown in {100 * found['shown']:.1f} %"
    return f"{100 * found['coverage']:5.1f} %, width {found['width']:.3f}{part}{low}"


if __name__ == "__main__":
    sys.exit(main())
