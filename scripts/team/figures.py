"""What a simulated project came to: macro F1 at each look, the gate's decisions, and what assisted labels would say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """One re-tuning, after so many labels of work texts.

    `n` gate texts; `delta` is what they say of the difference, with its bounds. `truth`: macro F1 of what is served
    from now on, against the true labels of texts that the project never saw.
    """

    labels: int
    outcome: str  # promote | keep | undecided
    n: int
    delta: float
    lower: float
    upper: float
    truth: float


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """The same model measured by different labels.

    What is served last, on the gate's texts: by the blind labels (`gate_f1`), by the true ones (`true_f1`). What was
    suggested, on the texts coded with suggestions: by the coders' answers (`assisted_f1`), by the true labels
    (`assisted_true_f1`).
    """

    gate_f1: float
    true_f1: float
    assisted_f1: float
    assisted_true_f1: float

    def plain(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Course:
    """One project from its first text to its last."""

    task: str
    seed: int
    zero_shot: float
    looks: tuple[Look, ...]
    yardsticks: Yardsticks
    origins: Counter[str] = field(default_factory=Counter)  # of the assisted answers: human, kept, changed

    @property
    def gain(self) -> float:
        """What is served at the end, minus zero-shot, on texts that the project never saw."""
        return (self.looks[-1].truth if self.looks else self.zero_shot) - self.zero_shot

    def line(self) -> str:
        """The whole course in one line."""
        said = [
            f"{look.labels} labels {100 * look.truth:.1f} ({look.outcome}: {100 * look.delta:+.1f}, "
            f"{100 * look.lower:+.1f} to {100 * look.upper:+.1f}, n {look.n})"
            for look in self.looks
        ]
        return f"{self.task}, seed {self.seed}: zero-shot {100 * self.zero_shot:.1f}; {'; '.join(said)}"


def summary(courses: Sequence[Course], *, anchor: float, seeds: int) -> dict[str, Any]:
    """The report's keys, as `scripts/simulate_project.py` names them."""
    by_task: dict[str, list[Course]] = {}
    for one in courses:
        by_task.setdefault(one.task, []).append(one)
    gain = {task: round(fmean(one.gain for one in some), 4) for task, some in by_task.items()}
    outcomes = Counter(look.outcome for one in courses for look in one.looks)
    yardsticks = [one.yardsticks.plain() for one in courses]
    return {
        "curve": {task: [_curve(one) for one in some] for task, some in by_task.items()},
        "gain": gain,
        "gain_mean": round(fmean(gain.values()), 4),
        "share_improved": round(fmean(value > 0 for value in gain.values()), 4),
        "outcomes": {name: outcomes[name] for name in ("promote", "keep", "undecided")},
        "anchored": {
            "anchor": anchor,
            **{name: round(fmean(one[name] for one in yardsticks), 4) for name in yardsticks[0]},
        },
        "seeds": seeds,
    }


def _curve(course: Course) -> list[list[float]]:
    """[labels, macro F1] from zero-shot on."""
    return [[0, round(course.zero_shot, 4)], *([look.labels, round(look.truth, 4)] for look in course.looks)]


def table(courses: Sequence[Course], report: dict[str, Any]) -> str:
    """Markdown, a row a task, in points of macro F1: means over seeds."""
    by_task: dict[str, list[Course]] = {}
    for one in courses:
        by_task.setdefault(one.task, []).append(one)
    head = [
        "task",
        "zero-shot",
        "end",
        "gain",
        "promote / keep / undecided",
        "gate: blind / true",
        "assisted: answers / true",
    ]
    lines = [head, ["---"] * len(head)]
    for task, some in by_task.items():
        count = Counter(look.outcome for one in some for look in one.looks)
        zero = fmean(one.zero_shot for one in some)
        lines.append(
            [
                task,
                f"{100 * zero:.1f}",
                f"{100 * (zero + report['gain'][task]):.1f}",
                f"{100 * report['gain'][task]:+.1f}",
                f"{count['promote']} / {count['keep']} / {count['undecided']}",
                _pair(some, "gate_f1", "true_f1"),
                _pair(some, "assisted_f1", "assisted_true_f1"),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _pair(courses: Sequence[Course], *names: str) -> str:
    return " / ".join(f"{100 * fmean(getattr(one.yardsticks, name) for one in courses):.1f}" for name in names)


def sentences(report: dict[str, Any]) -> str:
    count, said = report["outcomes"], report["anchored"]
    gate, true, answers, assisted = (100 * said[k] for k in ("gate_f1", "true_f1", "assisted_f1", "assisted_true_f1"))
    return "\n".join(
        [
            f"End minus zero-shot: {100 * report['gain_mean']:+.1f} points on average, above 0 on "
            f"{100 * report['share_improved']:.0f} % of tasks ({report['seeds']} seeds).",
            f"The gate's decisions: {count['promote']} promote, {count['keep']} keep, {count['undecided']} undecided.",
            f"What is served at the end, measured by the gate's blind labels: {gate:.1f}; by the truth: {true:.1f} "
            f"({gate - true:+.1f}).",
            f"What was suggested, measured by the answers given over it: {answers:.1f}; by the truth: {assisted:.1f} "
            f"({answers - assisted:+.1f}), where a wrong suggestion was kept {100 * said['anchor']:.0f} % of the time.",
        ]
    )
