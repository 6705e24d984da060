"""Measures the default's accuracy without labels and with 16, 64, 256 and 1024 of them. BENCHMARKS.md has the numbers.

    python3 scripts/bench_accuracy.py --data DIR [--quick] [--json] [--seeds 3] [--only TASK ...]

DIR holds one folder a task, with train.csv and test.csv (columns text, label and, for pairs, text2). Labelled texts are
drawn at random from train.csv, test.csv is only measured on. Everything that is learned or chosen is learned from the
labels drawn. Embeddings are kept in the user's cache folder, so that a second run takes minutes less. The last line
with --json is one object: `macro_f1[task][method][n]`, `mean[method][n]`, `beats_tfidf[n]` (share of tasks),
`never_below_zero_shot`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import platformdirs
from tqdm import tqdm

from backend.engines.encoder import EncoderEngine
from backend.engines.registry import engine
from backend.tuners.head import train
from backend.tuners.targets import TrainingError
from scripts.bench.baselines import from_codebook, majority, tfidf
from scripts.bench.coding_tasks import Row, Task, smaller, tasks

SIZES = (16, 64, 256, 1024)
METHODS = ("socialite", "tfidf", "tfidf_codebook", "majority")
QUICK_TASKS = ("emotion", "hyperbole", "intimacy", "subjective_bias")
QUICK_TEST = 150
Figures = dict[str, dict[str, dict[str, float]]]  # task -> method -> labels -> macro F1


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    found = [task for task in tasks(asked.data) if not asked.only or task.name in asked.only]
    if not found:
        print(f"{asked.data} holds no folder with train.csv and test.csv.", file=sys.stderr)
        return 2
    if asked.quick:
        known = [task for task in found if task.name in QUICK_TASKS] if not asked.only else found
        found = [smaller(task, QUICK_TEST) for task in (known or found)[: len(QUICK_TASKS)]]
    sizes = SIZES[:3] if asked.quick else SIZES
    seeds = 1 if asked.quick else asked.seeds
    encoder = engine("encoder", cache=asked.cache, capacity=200_000)
    assert isinstance(encoder, EncoderEngine)
    embed(encoder, found, sizes, seeds)
    figures: Figures = {}
    for task in tqdm(found, desc="Measuring", unit="task", disable=None):
        figures[task.name] = measured(encoder, task, sizes, seeds)
    report = summary(figures, sizes) | {"seeds": seeds, "test_texts": {t.name: len(t.test) for t in found}}
    print(table(figures, sizes, {task.name: len(task.test) for task in found}))
    print(sentences(report))
    if asked.json:
        print(json.dumps(report))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a task")
    parser.add_argument("--quick", action="store_true", help="under a minute: four tasks, one seed, up to 256 labels")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seeds", type=int, default=3, help="draws of labelled texts (3)")
    parser.add_argument("--only", nargs="+", metavar="TASK", help="these tasks only")
    cache = platformdirs.user_cache_path("socialite", appauthor=False) / "embeddings"
    parser.add_argument("--cache", type=Path, default=cache, help=f"where embeddings are kept ({cache})")
    return parser.parse_args(arguments)


def drawn(task: Task, seed: int) -> list[Row]:
    """The training rows in the order in which they would be coded."""
    order = np.random.default_rng([20, seed]).permutation(len(task.train))
    return [task.train[i] for i in order]


def embed(encoder: EncoderEngine, found: Sequence[Task], sizes: Sequence[int], seeds: int) -> None:
    """Embed every text that will be needed, with a bar."""
    rows = [row for task in found for row in task.test]
    rows += [row for task in found for seed in range(seeds) for row in drawn(task, seed)[: max(sizes)]]
    texts = list(dict.fromkeys(text for fields, _ in rows for text in fields))
    with tqdm(total=len(texts), desc="Embedding", unit="text", disable=None) as bar:
        encoder.embedder.embed(texts, bar.update)


def measured(encoder: EncoderEngine, task: Task, sizes: Sequence[int], seeds: int) -> dict[str, dict[str, float]]:
    """Macro F1 of each method at each number of labels, mean over seeds."""
    values: dict[str, dict[str, list[float]]] = {method: {} for method in METHODS}
    values["socialite"]["0"] = [scored(task, suggested(encoder, task, None))]
    values["majority"]["0"] = [scored(task, majority(task.train, len(task.test)))]
    for seed in range(seeds):
        rows = drawn(task, seed)
        for n in sizes:
            for method, guess in guesses(encoder, task, rows[:n], seed):
                values[method].setdefault(str(n), []).append(scored(task, guess))
    return {method: {n: round(float(np.mean(each)), 4) for n, each in by_n.items()} for method, by_n in values.items()}


def guesses(encoder: EncoderEngine, task: Task, rows: list[Row], seed: int) -> Iterator[tuple[str, list[str]]]:
    texts = [fields for fields, _ in task.test]
    with tempfile.TemporaryDirectory() as folder:
        adapter: Path | None = Path(folder) / "adapter"
        items, answers = [fields for fields, _ in rows], [frozenset({label}) for _, label in rows]
        try:
            train(encoder, task.question, items, answers, Path(folder) / "adapter", seed=seed)
        except TrainingError:  # a draw with one label only: a person would still have the zero-shot suggestions
            adapter = None
        yield "socialite", suggested(encoder, task, adapter)
    yield "tfidf", tfidf(task.question, rows, texts)
    yield "tfidf_codebook", tfidf(task.question, [*rows, *from_codebook(task.question)], texts)


def suggested(encoder: EncoderEngine, task: Task, adapter: Path | None) -> list[str]:
    scores = encoder.score(task.question, [fields for fields, _ in task.test], adapter).log_probabilities
    return [task.question.label_ids[k] for k in scores.argmax(axis=1)]


def scored(task: Task, guess: Sequence[str]) -> float:
    """Macro F1 over the question's labels; 0 for one that is never right."""
    truth = [label for _, label in task.test]
    each = []
    for label in task.question.label_ids:
        hits = sum(a == b == label for a, b in zip(truth, guess, strict=True))
        both = truth.count(label) + list(guess).count(label)
        each.append(2 * hits / both if both else 0.0)
    return float(np.mean(each))


def summary(figures: Figures, sizes: Sequence[int]) -> dict[str, object]:
    def mean(method: str, n: int) -> float:
        return round(float(np.mean([task[method][str(n)] for task in figures.values()])), 4)

    def beats(rival: str, n: int) -> float:
        won = [task["socialite"][str(n)] > task[rival][str(n)] for task in figures.values()]
        return round(float(np.mean(won)), 4)

    ours = {str(n): mean("socialite", n) for n in (0, *sizes)}
    return {
        "macro_f1": figures,
        "mean": {"socialite": ours} | {m: {str(n): mean(m, n) for n in sizes} for m in METHODS[1:3]},
        "beats_tfidf": {str(n): beats("tfidf", n) for n in sizes},
        "beats_tfidf_codebook": {str(n): beats("tfidf_codebook", n) for n in sizes},
        "never_below_zero_shot": min(ours.values()) >= ours["0"],
    }


def table(figures: Figures, sizes: Sequence[int], tests: dict[str, int]) -> str:
    """Markdown: the product / TF-IDF / TF-IDF that also read the codebook, in points of macro F1."""
    head = ["task", "test texts", "majority", "0", *(f"{n} labels" for n in sizes)]
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for name, by_method in figures.items():
        cells = [name, str(tests[name]), f"{100 * by_method['majority']['0']:.1f}"]
        cells.append(f"**{100 * by_method['socialite']['0']:.1f}**")
        for n in map(str, sizes):
            ours, *rivals = (100 * by_method[method][n] for method in METHODS[:3])
            cells.append(f"**{ours:.1f}** / " + " / ".join(f"{x:.1f}" for x in rivals))
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines)


def sentences(report: dict[str, object]) -> str:
    mean, beats, also = report["mean"], report["beats_tfidf"], report["beats_tfidf_codebook"]
    assert isinstance(mean, dict) and isinstance(beats, dict) and isinstance(also, dict)
    lines = [f"Mean over tasks: {', '.join(f'{n} labels {100 * x:.1f}' for n, x in mean['socialite'].items())}."]
    lines += [
        f"{n} labels: better than TF-IDF on {100 * beats[n]:.0f} % of tasks (mean {100 * mean['tfidf'][n]:.1f}), "
        f"than TF-IDF that read the codebook on {100 * also[n]:.0f} % (mean {100 * mean['tfidf_codebook'][n]:.1f})."
        for n in beats
    ]
    lines.append(f"On average never below its own zero-shot: {'yes' if report['never_below_zero_shot'] else 'NO'}.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
