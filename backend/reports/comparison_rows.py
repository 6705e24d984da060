"""A comparison as rows for programs: one a cell or a mean, and one for each label of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import nan
from typing import Any

from backend.paper.comparison import Comparison, Figure, Mean, Test
from backend.paper.figures import DRAWS, SWAPS
from backend.paper.systems import ABOUT
from backend.reports.plain import finite
from backend.stats.interval import Interval

WHAT = ("of", "task", "group", "family", "tuning", "system", "shots", "examples", "seeds", "decode", "saw")
FIGURES = (
    *("split", "n", "groups", "tasks", "macro_f1", "macro_f1_lower", "macro_f1_upper"),
    *("accuracy", "accuracy_lower", "accuracy_upper", "level", "seeds_sd", "seeds_lowest", "seeds_highest"),
    *("unparsed", "cut", "wordings", "wordings_lowest", "wordings_highest", "wordings_sd", "wordings_changed"),
    *("reference", "reference_shots", "difference", "difference_lower", "difference_upper", "p", "p_holm"),
    *("missing", "caution"),
)
ORIGIN = (*ABOUT, "source", "licence", "limit", "seed", "resamples", "exchanges", "date", "version")
COLUMNS = (*WHAT, *FIGURES, *ORIGIN)
LABELS = (
    *("task", "system", "shots", "examples", "seed", "decode", "saw", "n", "label", "code", "support", "predicted"),
    *("both", "precision", "recall", "f1", "f1_lower", "f1_upper"),
)


def rows(found: Comparison, when: datetime, version: str) -> list[dict[str, Any]]:
    """`COLUMNS` of each cell and each mean; shares as parts of 1, None where there is no number or no word."""
    said = {
        "split": found.plan.split,
        "level": found.level,
        "limit": found.plan.limit,
        "seed": found.plan.seed,
        "resamples": DRAWS,
        "exchanges": SWAPS,
        "date": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "version": version,
    }
    made = [_cell(found, figure) for figure in found.figures.values()]
    made += [_mean(mean) for mean in found.means.values()]
    return [{name: finite((said | row).get(name)) for name in COLUMNS} for row in made]


def _cell(found: Comparison, figure: Figure) -> dict[str, Any]:
    task = next(one.task for one in found.tasks if one.task.name == figure.task)
    of_seeds = [seed.macro.value for seed in figure.seeds]
    return {
        "of": "task",
        "task": task.name,
        "family": task.family,
        "tuning": task.tuning,
        **_row(figure),
        "seeds": " ".join(str(seed.seed) for seed in figure.seeds) if figure.row.examples == "random" else None,
        "saw": str(figure.saw),
        "n": figure.n or None,
        "groups": figure.groups or None,
        **_interval("macro_f1", figure.macro),
        **_interval("accuracy", figure.accuracy),
        **(
            {"seeds_sd": _deviation(of_seeds), "seeds_lowest": min(of_seeds), "seeds_highest": max(of_seeds)}
            if len(of_seeds) > 1
            else {}
        ),
        "unparsed": figure.unparsed if figure.macro is not None else None,
        "cut": figure.cut if figure.macro is not None else None,
        **_wordings(figure),
        **_test(figure.test),
        "missing": figure.missing or None,
        "caution": figure.thin or None,
        **figure.about,
        "source": task.source,
        "licence": task.licence,
    }


def _mean(mean: Mean) -> dict[str, Any]:
    return {
        "of": "mean",
        "group": mean.group,
        **_row(mean),
        "tasks": mean.tasks,
        **_interval("macro_f1", mean.macro),
        "seeds_sd": mean.spread,
        **_test(mean.test),
        "missing": mean.missing or None,
    }


def _row(one: Figure | Mean) -> dict[str, Any]:
    row = one.row
    return {"system": row.system, "shots": row.shots, "examples": row.examples or None, "decode": row.decode}


def _interval(name: str, found: Interval | None) -> dict[str, float]:
    if found is None:
        return {}
    return {name: found.value, f"{name}_lower": found.lower, f"{name}_upper": found.upper}


def _wordings(figure: Figure) -> dict[str, Any]:
    one = figure.sensitivity
    if one is None:
        return {}
    return {
        "wordings": one.wordings,
        "wordings_lowest": one.lowest,
        "wordings_highest": one.highest,
        "wordings_sd": one.deviation,
        "wordings_changed": one.changed,
    }


def _test(test: Test | None) -> dict[str, Any]:
    if test is None:
        return {}
    return {
        "reference": test.reference.system,
        "reference_shots": test.reference.shots,
        **_interval("difference", test.difference),
        "p": test.p,
        "p_holm": test.adjusted,
    }


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return float((sum((x - mean) ** 2 for x in values) / (len(values) - 1)) ** 0.5) if len(values) > 1 else nan


def label_rows(found: Comparison) -> Iterator[dict[str, Any]]:
    """`LABELS` of each label of each cell: the errors behind a macro F1, for each draw of examples."""
    tasks = {one.task.name: one.task for one in found.tasks}
    for figure in found.figures.values():
        labels = tasks[figure.task].question.labels
        for seed in figure.seeds:
            for label, (counted, f1) in zip(labels, seed.labels, strict=True):
                yield _label(figure, seed.seed) | {
                    "label": label.id,
                    "code": label.code,
                    "support": counted.support,
                    "predicted": counted.predicted,
                    "both": counted.both,
                    "precision": finite(counted.precision),
                    "recall": finite(counted.recall),
                    "f1": finite(counted.f1),
                    "f1_lower": finite(f1.lower),
                    "f1_upper": finite(f1.upper),
                }


def _label(figure: Figure, seed: int) -> dict[str, Any]:
    drawn = seed if figure.row.examples == "random" else None
    return {"task": figure.task, **_row(figure), "seed": drawn, "saw": str(figure.saw), "n": figure.n}
