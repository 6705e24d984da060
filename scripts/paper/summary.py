"""What the tables of all seeds come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from scripts.paper.course import SEEN, UNSEEN

MARGIN = 0.15
LEARNED, BASELINE, BEATEN, BEFORE = "tuned/0", "majority", "tfidf", "untuned/0"


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Macro F1 by task and system ('tuned/3' is shown three examples), the mean over seeds and its spread, and what is
    claimed of it."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["macro_f1"]:
            name = f"{row['system']}/{row['shots']}" if row["shots"] else row["system"]
            found[row["task"]][name].append(float(row["macro_f1"]))
    means = {task: {one: round(fmean(values), 4) for one, values in of.items()} for task, of in found.items()}
    spread = {
        task: {one: round(stdev(values), 4) for one, values in of.items() if len(values) > 1}
        for task, of in found.items()
    }
    margin = _above(means, SEEN)
    return {
        "macro_f1": means,
        "spread": spread,
        "margin": margin,
        "learned": margin >= MARGIN,
        "reaches_tfidf": [task for task in SEEN if means[task][LEARNED] >= means[task][BEATEN]],
        "unseen": {
            "margin": _above(means, UNSEEN),
            "above_untuned": [task for task in UNSEEN if means[task][LEARNED] > means[task][BEFORE]],
        },
    }


def table(report: Mapping[str, Any]) -> str:
    """The figures in points, seen tasks first, and what they say."""
    columns = list(dict.fromkeys(name for of in report["macro_f1"].values() for name in of))
    lines = [["task", *columns], ["---"] * (len(columns) + 1)]
    for kind, names in (("seen", SEEN), ("unseen", UNSEEN)):
        lines += [[name, *(_points(report, name, column) for column in columns)] for name in names]
        lines.append([f"**mean of {len(names)} {kind}**", *(_mean(report, names, column) for column in columns)])
    said = "learned" if report["learned"] else "NOT learned"
    reached, unseen = report["reaches_tfidf"], report["unseen"]
    return "\n".join(
        [
            *(f"| {' | '.join(line)} |" for line in lines),
            f"Tuned is {100 * report['margin']:.1f} points above the most frequent label on the seen tasks: {said}.",
            f"It reaches word counts on {len(reached)} of {len(SEEN)}: {', '.join(reached) or 'none'}.",
            f"On the unseen ones it is {100 * unseen['margin']:.1f} points above the most frequent label, and above "
            f"the untuned model on {len(unseen['above_untuned'])} of {len(UNSEEN)}.",
            f"{report['seeds']} seeds, {report['seconds']:.0f} s.",
        ]
    )


def _above(means: Mapping[str, Mapping[str, float]], tasks: Sequence[str]) -> float:
    return round(fmean(means[task][LEARNED] - means[task][BASELINE] for task in tasks), 4)


def _points(report: Mapping[str, Any], task: str, column: str) -> str:
    value, spread = report["macro_f1"][task].get(column), report["spread"][task].get(column)
    if value is None:
        return "–"
    return f"{100 * value:.1f}" + (f" ± {100 * spread:.1f}" if spread else "")


def _mean(report: Mapping[str, Any], tasks: Sequence[str], column: str) -> str:
    values = [value for task in tasks if (value := report["macro_f1"][task].get(column)) is not None]
    return f"{100 * fmean(values):.1f}" if len(values) == len(tasks) else "–"
