"""Measures how often the gate promotes challengers whose true difference is known. PROOFS.md has the numbers.

    python3 scripts/check_gate.py [--quick] [--json] [--out FILE] [--processes 2]

A world has true labels (2 or 4 of them, balanced or skewed), a champion with macro F1 .70, a challenger with exactly
the difference asked for, and exactly the share of texts on which the two disagree. In every repetition n gate texts are
drawn, and 15 challengers one after the other go through the rule of `backend/learning/gate_rule.py`. Exit code 1 when
at one look a challenger 5 points worse is promoted in more than 5 % of the repetitions of any cell.

The last line with --json is one object: `promoted[diff][n][disagreement]` at one look and `promoted_15[...]` over 15,
each the worst of the class settings (most promoted where the challenger is no better, least where it is better; null
where the difference cannot be had), `by_look[diff][n][disagreement]` over 1 to 15 looks, `hard[n][disagreement]` at one
look, 5 points worse through the rarest label alone, `cells`, `worst`, `error_of_truth`, `ok`. --out writes the table
that the product reads.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tqdm import tqdm

from backend.learning import gate_rule as rule
from scripts.gate.trials import AT_ONCE, FEWER, error_of_truth, trials
from scripts.gate.worlds import SHARES, World, world

DIFFERENCES = ("-5", "-2", "-1", "0", "+2", "+5")  # points of macro F1
SIZES = (50, 100, 200, 400, 800)
DISAGREEMENTS = (0.05, 0.1, 0.2, 0.3)
LOOKS = 15
REPETITIONS, QUICK_REPETITIONS = 500, 50
QUICK_DIFFERENCES, QUICK_SIZES, QUICK_DISAGREEMENTS = ("-5", "0", "+5"), (100, 400), (0.1, 0.3)
HARD = ("2 skewed", "4 skewed")
HARD_DISAGREEMENTS = (0.03, 0.05, 0.1)
ALLOWED = 0.05
Table = dict[str, dict[str, dict[str, Any]]]  # difference -> n -> disagreement


@dataclass(frozen=True, slots=True)
class Cell:
    """What is simulated: a world, and the number of gate labels."""

    setting: str
    difference: str
    n: int
    disagreement: float
    rarest: bool
    repetitions: int
    seed: int

    def world(self) -> World | None:
        return world(SHARES[self.setting], int(self.difference) / 100, self.disagreement, self.rarest)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    start = time.perf_counter()
    cells = list(grid(asked.quick))
    spawned = multiprocessing.get_context("spawn")  # as on Windows and macOS
    with ProcessPoolExecutor(asked.processes, mp_context=spawned) as pool:
        found = list(tqdm(pool.map(simulated, cells), total=len(cells), desc="Simulating", unit="cell", disable=None))
    report = summary(found) | {"quick": asked.quick, "seconds": round(time.perf_counter() - start, 1)}
    print(said(report))
    if asked.out:
        asked.out.write_text(json.dumps(packaged(report)) + "\n", encoding="utf-8")
    if asked.json:
        print(json.dumps(report))
    return 0 if report["ok"] else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer cells and repetitions")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table that the product reads")
    parser.add_argument("--processes", type=int, default=2, help="processes at a time (2)")
    asked = parser.parse_args(arguments)
    if asked.quick and asked.out:
        parser.error("--out needs all cells: leave --quick away.")
    return asked


def grid(quick: bool) -> Iterator[Cell]:
    """Every cell, with a seed of its own that is the same in a quick run."""
    seed = 0
    for difference in DIFFERENCES:
        for n in SIZES:
            for setting in SHARES:
                for rarest, disagreement in [(False, d) for d in DISAGREEMENTS] + [
                    (True, d) for d in HARD_DISAGREEMENTS
                ]:
                    seed += 1
                    if rarest and (difference != "-5" or setting not in HARD or quick):
                        continue
                    if quick and not (
                        difference in QUICK_DIFFERENCES and n in QUICK_SIZES and disagreement in QUICK_DISAGREEMENTS
                    ):
                        continue
                    repetitions = QUICK_REPETITIONS if quick else REPETITIONS
                    yield Cell(setting, difference, n, disagreement, rarest, repetitions, seed)


def simulated(cell: Cell) -> dict[str, Any]:
    """The cell, with the share of repetitions in which a challenger was promoted by each look; None if impossible."""
    made = cell.world()
    if made is None:
        return asdict(cell) | {"by_look": None, "error_of_truth": 0.0}
    promoted = trials(made, cell.n, cell.repetitions, LOOKS, cell.seed)
    by_look = np.logical_or.accumulate(promoted, axis=1).mean(axis=0)
    return asdict(cell) | {
        "by_look": [round(float(share), 4) for share in by_look],
        "error_of_truth": round(error_of_truth(made, cell.seed), 5),
    }


def summary(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    easy = [one for one in found if not one["rarest"]]
    by_look = collected(easy, lambda one: one["by_look"])
    hard = collected([one for one in found if one["rarest"]], lambda one: one["by_look"])
    worst = max(one["by_look"][0] for one in easy if one["difference"] == "-5" and one["by_look"])
    return {
        "promoted": at_look(by_look, 0),
        "promoted_15": at_look(by_look, LOOKS - 1),
        "by_look": by_look,
        "hard": at_look(hard, 0).get("-5", {}),
        "worst": worst,
        "ok": worst <= ALLOWED,
        "error_of_truth": max(one["error_of_truth"] for one in found),
        "impossible": sum(one["by_look"] is None for one in found),
        "repetitions": found[0]["repetitions"],
        "looks": LOOKS,
        "draws": {"first look": rule.DRAWS, "later looks": FEWER, "repetitions with the same resamples": AT_ONCE},
        "cells": [
            one
            | {"promoted": one["by_look"] and one["by_look"][0], "promoted_15": one["by_look"] and one["by_look"][-1]}
            for one in found
        ],
    }


def collected(found: Sequence[dict[str, Any]], of: Callable[[dict[str, Any]], list[float] | None]) -> Table:
    """The worst of the class settings, look by look."""
    table: Table = {}
    for one in found:
        row = table.setdefault(one["difference"], {}).setdefault(str(one["n"]), {})
        before, now = row.get(str(one["disagreement"])), of(one)
        worse = min if one["difference"].startswith("+") else max
        both = [each for each in (before, now) if each is not None]
        row[str(one["disagreement"])] = [worse(shares) for shares in zip(*both, strict=True)] if both else None
    return table


def at_look(table: Table, look: int) -> Table:
    return {
        difference: {n: {d: shares and shares[look] for d, shares in row.items()} for n, row in rows.items()}
        for difference, rows in table.items()
    }


def packaged(report: dict[str, Any]) -> dict[str, Any]:
    """What the product reads: the rates, and the rule that they are of."""
    return {"rule": rule.constants(), "repetitions": report["repetitions"], "by_look": report["by_look"]}


def said(report: dict[str, Any]) -> str:
    """Markdown: per cent promoted at one look / over 15, and the sentence."""
    ways = sorted({d for rows in report["promoted"].values() for row in rows.values() for d in row}, key=float)
    lines = ["| difference | n | " + " | ".join(f"disagree {d}" for d in ways) + " |", "| --- " * (2 + len(ways)) + "|"]
    for difference, rows in report["promoted"].items():
        for n, row in rows.items():
            later = report["promoted_15"][difference][n]
            shown = ["-" if row[d] is None else f"{100 * row[d]:.1f} / {100 * later[d]:.1f}" for d in ways]
            lines.append(f"| {difference} | {n} | " + " | ".join(shown) + " |")
    for n, row in report["hard"].items():
        lines.append(f"| -5, rarest label | {n} | " + ", ".join(f"{d}: {100 * row[d]:.1f}" for d in row) + " |")
    verdict = "as it should be" if report["ok"] else "TOO OFTEN"
    lines.append(
        f"A challenger 5 points worse is promoted at one look in at most {100 * report['worst']:.1f} % of "
        f"{report['repetitions']} repetitions of any cell: {verdict}. {report['seconds']:.0f} s."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
