"""Shows that what a causal model is taught through the engine's own prompts is what the engine then scores.

    python3 scripts/proof_learns.py --data DIR [--quick] [--json] [--seeds 3]

A small Llama with random weights is trained on three tasks of DIR (one folder a task with train.csv and test.csv), all
in one model, and scored by the causal engine on their test files. It has learned a task when its macro F1, the mean
over seeds, is at least .15 above always naming the most frequent label and .15 above the same model untrained. Exit
code 1 when it has not. The last line with --json is one object: `macro_f1[task][trained|untrained|majority]`, `margin`,
`learned`, `weights`, `seeds`, `seconds`, `test_texts`.
"""

from __future__ import annotations

import argparse
import json
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

from backend.engines.causal import CausalEngine
from backend.engines.models import find_causal
from backend.engines.prompts import Ours
from backend.engines.tokens import load
from backend.tuners.answers import Plan, train
from backend.tuners.labelled import Course, courses, goals
from backend.tuners.rows import attention
from backend.tuners.training import Step
from scripts.bench import tiny_llama
from scripts.bench.baselines import majority
from scripts.bench.coding_tasks import Task, smaller, tasks
from scripts.bench_accuracy import scored

TASKS = ("humor", "flute", "complaints")
MARGIN = 0.15
KINDS = ("trained", "untrained", "majority")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is learned: labelled texts of each task, times over, and test texts."""

    texts: int
    epochs: int
    tests: int


WHOLE, QUICK = Size(3000, 4, 10_000), Size(1000, 3, 200)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    size = QUICK if asked.quick else WHOLE
    seeds = 1 if asked.quick else asked.seeds
    found = [smaller(task, size.tests) for task in tasks(asked.data) if task.name in TASKS]
    if len(found) != len(TASKS):
        print(
            f"{asked.data} must hold the folders {', '.join(TASKS)}, each with train.csv and test.csv.", file=sys.stderr
        )
        return 2
    start = time.perf_counter()
    runs = [run(found, size, seed) for seed in range(seeds)]
    report = summary(found, runs) | {"seeds": seeds, "seconds": round(time.perf_counter() - start, 1)}
    print(table(report))
    if asked.json:
        print(json.dumps(report))
    return 0 if report["learned"] else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a task")
    parser.add_argument("--quick", action="store_true", help="under a minute: one seed, fewer texts")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seeds", type=int, default=3, help="random weights and orders to begin with (3)")
    return parser.parse_args(arguments)


def run(found: Sequence[Task], size: Size, seed: int) -> dict[str, Any]:
    """Macro F1 of each task before and after training, and the number of weights."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "llama"
        rows = {task.name: drawn(task, size.texts, seed) for task in found}
        texts = [text for some in rows.values() for fields, _ in some for text in fields]
        weights = tiny_llama.make(folder, texts, seed=seed)
        untrained = measured(folder, found)
        teach(folder, [(task, rows[task.name]) for task in found], size.epochs, seed)
        return {"untrained": untrained, "trained": measured(folder, found), "weights": weights}


def drawn(task: Task, n: int, seed: int) -> list[tuple[tuple[str, ...], str]]:
    order = np.random.default_rng([6, seed]).permutation(len(task.train))
    return [task.train[i] for i in order[:n]]


def teach(folder: Path, taught: Sequence[tuple[Task, Sequence[Any]]], epochs: int, seed: int) -> None:
    """Train the model in the folder, and write it back."""
    from transformers import AutoModelForCausalLM

    tokens = load(folder, find_causal(str(folder)).window)
    made: list[Course] = []
    for task, rows in taught:
        ids = task.question.label_ids
        items, labels = [fields for fields, _ in rows], np.eye(len(ids))[[ids.index(label) for _, label in rows]]
        made += courses(tokens, task.question, Ours(), items, goals(task.question, labels))
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, attn_implementation=attention())
    with tqdm(desc=f"Training, seed {seed}", unit="step", disable=None) as bar:

        def told(step: Step) -> None:
            bar.total = step.steps
            bar.set_postfix(loss=f"{step.loss:.3f}", refresh=False)
            bar.update(step.done - bar.n)

        train(model, made, Plan(epochs=epochs, batch=32, rate=1e-3, decay=0.05, seed=seed), report=told)
    model.save_pretrained(folder)


def measured(folder: Path, found: Sequence[Task]) -> dict[str, float]:
    """Macro F1 of the engine's most probable labels on the test texts."""
    engine = CausalEngine(find_causal(str(folder)), device="cpu")
    figures = {}
    for task in found:
        scores = engine.score(task.question, [fields for fields, _ in task.test])
        guess = [task.question.label_ids[k] for k in scores.log_probabilities.argmax(axis=1)]
        figures[task.name] = scored(task, guess)
    return figures


def summary(found: Sequence[Task], runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    figures = {}
    for task in found:
        means = {kind: round(float(np.mean([one[kind][task.name] for one in runs])), 4) for kind in KINDS[:2]}
        figures[task.name] = means | {"majority": round(scored(task, majority(task.train, len(task.test))), 4)}
    margin = min(one["trained"] - max(one["untrained"], one["majority"]) for one in figures.values())
    return {
        "macro_f1": figures,
        "margin": round(margin, 4),
        "learned": margin >= MARGIN,
        "weights": runs[0]["weights"],
        "test_texts": {task.name: len(task.test) for task in found},
    }


def table(report: dict[str, Any]) -> str:
    lines = [" | ".join(("task", "test texts", *KINDS)), " | ".join(["---"] * 5)]
    for name, figures in report["macro_f1"].items():
        cells = [f"{100 * figures[kind]:.1f}" for kind in KINDS]
        lines.append(" | ".join([name, str(report["test_texts"][name]), *cells]))
    said = "all three were learned" if report["learned"] else "NOT all were learned"
    last = f"{report['weights']:,} weights, {report['seeds']} seeds, {report['seconds']:.0f} s; {said}."
    return "\n".join([*(f"| {line} |" for line in lines), last])


if __name__ == "__main__":
    sys.exit(main())
