"""A comparison as a picture that can be printed: macro F1 with intervals, tasks by family, a sign for each system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backend.paper.comparison import Comparison, Figure
from backend.paper.run import Row, Scored
from backend.paper.saw import Saw
from backend.reports.comparison_tables import NO_FAMILY, heading
from backend.reports.plot import DPI, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours of Okabe & Ito (2008), which people who see fewer colours tell apart too; the next round has other markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
LINE, TASK, TITLE = 0.14, 0.16, 0.34  # inches of height: a system, what is between two tasks, a family's name
WIDTH, ROOM = 7.5, 1.6  # inches
LEARNED = (Saw.TRAINED, Saw.SEEN)


def plot(found: Comparison, paths: Sequence[Path]) -> None:
    """Write the picture in the formats that the names' endings say, .svg or .png."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Picture

    families = _families(found)
    task = LINE * len(found.rows) + TASK
    heights = [TITLE + task * len(tasks) for tasks in families.values()]
    with rc_context(STYLE):
        legend = 0.2 * (len(found.rows) // 2 + 3)
        picture = Picture(figsize=(WIDTH, sum(heights) + ROOM + legend), layout="constrained")
        FigureCanvasAgg(picture)
        panels = picture.subplots(len(families), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (family, tasks) in zip(panels, families.items(), strict=True):
            _panel(axes, family, tasks, found)
        panels[-1].set_xlabel(f"macro F1 in points, with {100 * found.level:g} % intervals ({found.plan.split} split)")
        _legend(picture, found)
        for path in paths:
            kind = path.suffix.lower().removeprefix(".")
            picture.savefig(path, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)


def _families(found: Comparison) -> dict[str, list[Scored]]:
    families: dict[str, list[Scored]] = {}
    for one in found.tasks:
        families.setdefault(one.task.family or NO_FAMILY, []).append(one)
    return families


def _panel(axes: Axes, family: str, tasks: Sequence[Scored], found: Comparison) -> None:
    """A family: from the top down its tasks, in each of them the systems in the order of the legend."""
    step = LINE * len(found.rows) + TASK
    places = [step * (n + 0.5) for n in range(len(tasks))]
    for place, one in zip(places, tasks, strict=True):
        for n, row in enumerate(found.rows):
            at = place + LINE * (n - (len(found.rows) - 1) / 2)
            _point(axes, at, n, found.figures[row, one.task.name])
    axes.set_ylim(step * len(tasks), 0)
    axes.set_xlim(0, 100)
    axes.set_yticks(places, [f"{one.task.name}\nn = {len(one.items):,}" for one in tasks])
    axes.tick_params(axis="y", length=0)
    axes.hlines([step * n for n in range(1, len(tasks))], 0, 100, colors="#DDDDDD", linewidth=0.6)
    axes.grid(axis="x", color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(family, loc="left", fontsize=10, fontweight="bold")


def _point(axes: Axes, at: float, n: int, figure: Figure) -> None:
    """Filled where the system learned from the task's training texts, hollow where it did not or nobody says."""
    if figure.macro is None:
        return
    colour, marker = look(n)
    low, value, high = (100 * x for x in (figure.macro.lower, figure.macro.value, figure.macro.upper))
    inside = colour if figure.saw in LEARNED else "white"
    axes.hlines(at, low, high, colors=colour, linewidth=1.0)
    axes.plot(
        [value],
        [at],
        marker=marker,
        color=colour,
        markerfacecolor=inside,
        markersize=5,
        linestyle="none",
        gid=f"{figure.task} {heading(figure.row)}".replace(" ", "-"),
    )


def look(n: int) -> tuple[str, str]:
    """Colour and marker of the n-th row."""
    return COLOURS[n % len(COLOURS)], MARKERS[(n + n // len(COLOURS)) % len(MARKERS)]


def _legend(picture: object, found: Comparison) -> None:
    from matplotlib.figure import Figure as Picture
    from matplotlib.lines import Line2D

    assert isinstance(picture, Picture)
    signs = [_sign(Line2D, n, row) for n, row in enumerate(found.rows)]
    signs += [
        Line2D([], [], color="#555555", marker="o", linestyle="none", label="filled: learned from the task's train"),
        Line2D(
            [],
            [],
            color="#555555",
            marker="o",
            markerfacecolor="white",
            linestyle="none",
            label="hollow: did not, or unknown",
        ),
    ]
    picture.legend(handles=signs, loc="outside lower center", ncols=2)


def _sign(line: type, n: int, row: Row) -> object:
    colour, marker = look(n)
    return line([], [], color=colour, marker=marker, linestyle="-", linewidth=1.0, label=heading(row))
