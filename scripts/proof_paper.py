"""Repeats the paper's comparison from nothing, on a processor, with the commands that a lab would type.

    python3 scripts/proof_paper.py --data DIR [--quick] [--json] [--seeds 3] [--keep FOLDER]

DIR holds one folder a task with train.csv and test.csv. For each seed a small Llama of random weights gets its
vocabulary from the training texts, `socialite instruct-tune` teaches it nine tasks, `socialite train-encoder` teaches
an encoder the same, and `socialite evaluate` puts both beside the most frequent label, word counts and the model as it
was before, with no examples and with some, on those nine and on four tasks that were kept out. Exit code 1 when the
tuned model is not at least .15 above the most frequent label on average over the nine; with --quick, where there is
too little to learn from, the way is walked and nothing is judged. The last line with --json is one
object: `macro_f1[task][system]` (means over seeds; `tuned/3` is shown three examples), `spread` (standard deviations),
`margin`, `learned`, `reaches_tfidf`, `unseen`, `seeds`, `seconds`. With --keep what a seed made stays in FOLDER, and is
not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.paper.course import QUICK, WHOLE, walked
from scripts.paper.summary import summary, table


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else WHOLE
    seeds = range(1 if asked.quick else asked.seeds)
    started = time.perf_counter()
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
        rows = [row for seed in seeds for row in walked(asked.data, asked.keep / f"seed-{seed}", size, seed)]
    else:
        with tempfile.TemporaryDirectory() as place:
            rows = [row for seed in seeds for row in walked(asked.data, Path(place) / f"seed-{seed}", size, seed)]
    report = summary(rows) | {"seeds": len(seeds), "seconds": round(time.perf_counter() - started, 1)}
    print(table(report))
    if asked.quick:
        print("That was the way with --quick; so little is not enough to learn from, and nothing is judged.")
    if asked.json:
        print(json.dumps(report))
    return 0 if report["learned"] or asked.quick else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a task")
    parser.add_argument("--quick", action="store_true", help="under a minute: one seed, few texts; nothing is judged")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seeds", type=int, default=3, help="random weights, draws and orders to begin with (3)")
    parser.add_argument("--keep", type=Path, help="folder that keeps models and tables of every seed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
