"""What courses come to: labels needed, shares and their errors, and the tables that are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

from scripts.order.course import Course, Curve

KINDS = ("corrected", "held_out", "redrawn")


def by_task(courses: Sequence[Course]) -> dict[str, list[Course]]:
    found: dict[str, list[Course]] = {}
    for one in sorted(courses, key=lambda one: (one.task, one.seed)):
        found.setdefault(one.task, []).append(one)
    return found


def needed(curve: Curve, target: float) -> float | None:
    """The labels at which a curve, straight between its points, first is at the target; None where it never is."""
    before = curve[0]
    if before[1] >= target:
        return 0.0
    for point in curve[1:]:
        if point[1] >= target:
            return before[0] + (point[0] - before[0]) * (target - before[1]) / (point[1] - before[1])
        before = point
    return None


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Curves of one task; their points are at the same labels but for the last, where corpora differ by a few texts."""
    return [(round(fmean(n for n, _ in points)), fmean(f1 for _, f1 in points)) for points in zip(*curves, strict=True)]


def summary(courses: Sequence[Course]) -> dict[str, Any]:
    """The keys that `scripts/proof_order.py` names."""
    tasks = by_task(courses)
    labels = {task: [rounded(needed(one.uncertain, one.random[-1][1])) for one in some] for task, some in tasks.items()}
    chance = {task: [rounded(needed(one.again, one.random[-1][1])) for one in some] for task, some in tasks.items()}
    ratios = {task: ratio(some, lambda one: one.uncertain) for task, some in tasks.items()}
    others = {task: ratio(some, lambda one: one.again) for task, some in tasks.items()}
    reference = {task: some[0].random[-1][0] for task, some in tasks.items()}
    gain = {
        task: round(fmean(one.uncertain[-1][1] - one.random[-1][1] for one in some), 4) for task, some in tasks.items()
    }
    middle = {
        task: round(fmean(fmean(u[1] - r[1] for u, r in inner(one)) for one in some), 4) for task, some in tasks.items()
    }
    return {
        "labels_to_random_1000": labels,
        "labels_of_another_random_order": chance,
        "reference_labels": reference,
        "ratio": {task: rounded(one, 3) for task, one in ratios.items()},
        "ratio_of_another_random_order": {task: rounded(one, 3) for task, one in others.items()},
        "median_ratio": rounded(middle_of(list(ratios.values())), 3),
        "median_ratio_of_another_random_order": rounded(middle_of(list(others.values())), 3),
        "tasks": len(tasks),
        "tasks_fewer": sum(one is not None and one < 1 for one in ratios.values()),
        "f1_minus_random_at_the_end": gain,
        "f1_minus_random_between": middle,
        "served": sum(one.served for one in courses),
        "unsorted": sum(one.unsorted for one in courses),
        **prevalence(courses),
        "curves": {
            task: {
                name: [[[n, round(f1, 4)] for n, f1 in getattr(one, name)] for one in some]
                for name in ("uncertain", "random", "again")
            }
            for task, some in tasks.items()
        },
    }


def inner(one: Course) -> list[tuple[tuple[int, float], tuple[int, float]]]:
    """The points of both curves after zero-shot and before the last round."""
    return list(zip(one.uncertain, one.random, strict=True))[1:-1]


def ratio(some: Sequence[Course], of: Callable[[Course], Curve]) -> float | None:
    """Labels that the mean of a task's curves needs to be where its random ones end on average, over the latter's."""
    goal = mean_curve([one.random for one in some])
    found = needed(mean_curve([of(one) for one in some]), goal[-1][1])
    return None if found is None else found / goal[-1][0]


def middle_of(ratios: Sequence[float | None]) -> float | None:
    """The median, where those that are never reached are above all; None where it is one of these."""
    found = median([np.inf if one is None else one for one in ratios])
    return None if np.isinf(found) else float(found)


def rounded(value: float | None, digits: int = 0) -> Any:
    return None if value is None else round(value, digits) if digits else round(value)


def prevalence(courses: Sequence[Course]) -> dict[str, Any]:
    """Of the rarest label of each course (errors over all labels add up to nothing), means with standard errors; over
    all labels, mean absolute errors and coverage."""
    found: dict[str, Any] = {}
    for name in ("coded", "model", *KINDS):
        signed = [getattr(one.shares, name)[rarest(one)] for one in courses]
        every = [abs(error) for one in courses for error in getattr(one.shares, name)]
        found[name] = {
            "bias": round(fmean(signed), 5),
            "bias_se": round(stdev(signed) / len(signed) ** 0.5, 5) if len(signed) > 1 else None,
            "mean_absolute": round(fmean(every), 5),
        }
    error = [one.shares.redrawn_sd[rarest(one)] / one.shares.redraws**0.5 for one in courses]
    found["redrawn"]["bias_se"] = round(float(np.sqrt(np.square(error).sum())) / len(error), 5)
    for name in KINDS:
        shown, held = (sum(getattr(one.shares, of)[name] for one in courses) for of in ("shown", "held"))
        found[name] |= {"intervals": shown, "coverage": round(held / shown, 4) if shown else None}
    return {
        "prevalence": found,
        "prevalence_bias": found["corrected"]["bias"],
        "prevalence_bias_se": found["corrected"]["bias_se"],
        "coverage": found["corrected"]["coverage"],
    }


def rarest(one: Course) -> int:
    return int(np.argmin(one.shares.truth))


def table(courses: Sequence[Course], report: dict[str, Any]) -> str:
    """Markdown, a row a task."""
    head = [
        "task", "work texts", "zero-shot", "random order at the end", "uncertain order there",
        "labels needed, each seed", "of the mean curves", "another random order",
    ]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for task, some in by_task(courses).items():
        end = report["reference_labels"][task]
        lines.append(
            [
                task,
                f"{round(fmean(one.work for one in some)):,}",
                f"{100 * fmean(one.random[0][1] for one in some):.1f}",
                f"{100 * fmean(one.random[-1][1] for one in some):.1f} at {end:,}",
                f"{100 * fmean(one.uncertain[-1][1] for one in some):.1f}",
                ", ".join(_labels(n, end) for n in report["labels_to_random_1000"][task]),
                _share(report["ratio"][task], end),
                _share(report["ratio_of_another_random_order"][task], end),
            ]
        )
    return _markdown(lines)


def share_table(courses: Sequence[Course]) -> str:
    """Markdown, a row a task: what each way of telling the rarest label's share is off by, in points."""
    head = [
        "task", "rarest label's share", "share among coded", "model alone", "corrected, each seed",
        "model held out, each seed", "other audits, mean ± MC error",
    ]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for task, some in by_task(courses).items():
        at = [(one.shares, rarest(one)) for one in some]
        error = float(np.sqrt(sum(s.redrawn_sd[k] ** 2 / s.redraws for s, k in at))) / len(at)
        lines.append(
            [
                task,
                f"{100 * fmean(s.truth[k] for s, k in at):.1f}",
                *(f"{100 * fmean(getattr(s, name)[k] for s, k in at):+.1f}" for name in ("coded", "model")),
                *(", ".join(f"{100 * getattr(s, name)[k]:+.1f}" for s, k in at) for name in ("corrected", "held_out")),
                f"{100 * fmean(s.redrawn[k] for s, k in at):+.2f} ± {100 * error:.2f}",
            ]
        )
    return _markdown(lines)


def sentences(report: dict[str, Any]) -> str:
    found = report["prevalence"]

    def said(name: str) -> str:
        one = found[name]
        error = "" if one["bias_se"] is None else f" (standard error {100 * one['bias_se']:.2f})"
        held = (
            ""
            if "coverage" not in one or one["coverage"] is None
            else (f", {100 * one['coverage']:.1f} % of {one['intervals']:,} intervals held the truth")
        )
        return f"{100 * one['bias']:+.2f} points{error}, mean absolute error {100 * one['mean_absolute']:.2f}{held}"

    return "\n".join(
        [
            f"Fewer labels than random order on {report['tasks_fewer']} of {report['tasks']} tasks; median ratio "
            f"{_plain(report['median_ratio'])} (another random order: "
            f"{_plain(report['median_ratio_of_another_random_order'])}).",
            f"Served by Label Studio's next task: {report['served']:,} texts, {report['unsorted']} of them another "
            "than the lowest score.",
            "Share of the rarest label, mean error over tasks and seeds (absolute errors and intervals: all labels):",
            f"- among the texts coded in uncertain order: {said('coded')}",
            f"- the model alone: {said('model')}",
            f"- corrected by the audit: {said('corrected')}",
            f"- corrected, the model's labels of texts that it was taught from heads that were not: {said('held_out')}",
            f"- other audits from the whole corpus, the model as it is: {said('redrawn')}",
        ]
    )


def _labels(n: int | None, end: int) -> str:
    return f">{end:,}" if n is None else f"{n:,}"


def _share(ratio: float | None, end: int) -> str:
    return f">{end:,}" if ratio is None else f"{round(ratio * end):,} ({ratio:.2f})"


def _plain(ratio: float | None) -> str:
    return "above 1 or never" if ratio is None else f"{ratio:.2f}"


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
