"""A learning curve as a picture that can be printed: lines differ in colour, in marker and in dash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.learning.card import CHALLENGER, TFIDF, ZERO_SHOT
from backend.learning.curve import Curve, Line, Point
from backend.learning.estimate import LEVEL, Estimate
from backend.reports.card import CEILING, NAMES
from backend.reports.estimates import MEASURED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png")
PANEL = (7.0, 4.2)  # inches, of a question
DPI = 200
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "socialite",  # equal curves give equal files
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
# Colours of Okabe & Ito (2008), which people who see fewer colours tell apart too.
LOOK: dict[str, dict[str, Any]] = {
    CHALLENGER: {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    TFIDF: {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    ZERO_SHOT: {"color": "#009E73", "marker": "^", "linestyle": ":"},
    CEILING: {"color": "#555555", "marker": "D", "linestyle": "-."},
}
BESIDE = {CHALLENGER: 0.0, TFIDF: 3.0, ZERO_SHOT: -3.0, CEILING: 6.0}  # points to the right, so that bars do not meet
WIDE = 30  # largest number of labels over the smallest from which on the axis is logarithmic


def plot(curve: Curve, path: Path) -> None:
    """Write the picture, a panel a question; the name's ending says the format, one of `FORMATS`."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kind = path.suffix.lower().removeprefix(".")
    with rc_context(STYLE):
        picture = Figure(figsize=(PANEL[0], PANEL[1] * len(curve.lines)), layout="constrained")
        FigureCanvasAgg(picture)
        panels = picture.subplots(len(curve.lines), 1, squeeze=False)[:, 0]
        for axes, line in zip(panels, curve.lines, strict=True):
            _panel(axes, curve.project, line)
        known = {"Date": None} if kind == "svg" else None
        picture.savefig(path, format=kind, dpi=DPI, metadata=known)


def _panel(axes: Axes, project: str, line: Line) -> None:
    scale = 100.0 if MEASURED[line.measure] == "share" else 1.0
    for who in LOOK:
        _drawn(axes, line, who, scale)
    axes.autoscale_view()
    axes.set_title(f"{project}: {line.question}", loc="left")
    axes.set_xlabel("labels used (texts)")
    sizes = sorted({figure.n for point in line.points for figure in point.scores.values() if figure.value is not None})
    n = "" if not sizes else f", n = {sizes[0]:,}" if len(sizes) == 1 else f", n = {sizes[0]:,} to {sizes[-1]:,}"
    unit = " in points" if MEASURED[line.measure] == "share" else ""
    axes.set_ylabel(f"{line.measure}{unit}\non gate texts{n}")
    labels = [point.labels for point in line.points]
    if min(labels) > 0 and max(labels) > WIDE * min(labels):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), title=f"bars: {100 * LEVEL:.0f} % intervals", alignment="left"
    )


def _drawn(axes: Axes, line: Line, who: str, scale: float) -> None:
    """One line with its intervals. A challenger that was not served is a hollow marker."""
    from matplotlib.transforms import ScaledTranslation

    found = sorted(
        ((point, figure) for point in line.points if (figure := _figure(point, who)).value is not None),
        key=lambda pair: pair[0].labels,
    )
    if not found:
        return
    name, look = NAMES.get(who, who), LOOK[who]
    x = np.array([point.labels for point, _ in found], dtype=np.float64)
    y, lower, upper = (
        scale * np.array([getattr(figure, part) for _, figure in found], dtype=np.float64)
        for part in ("value", "lower", "upper")
    )
    inches = axes.figure.dpi_scale_trans
    where = axes.transData + ScaledTranslation(BESIDE[who] / 72, 0, inches)
    axes.update_datalim(np.column_stack([np.tile(x, 2), np.concatenate([lower, upper])]))
    axes.vlines(x, lower, upper, colors=look["color"], linewidth=0.8, transform=where)
    served = np.array([point.served for point, _ in found])
    if who != CHALLENGER:
        axes.plot(x, y, label=name, gid=_gid(line, who), transform=where, **look)
        return
    axes.plot(x, y, transform=where, **look | {"marker": None})
    for part, said, inside in ((served, "served", look["color"]), (~served, "not served", "white")):
        if part.any():
            axes.plot(
                x[part],
                y[part],
                label=f"{name}, {said}",
                gid=_gid(line, said),
                transform=where,
                **look | {"markerfacecolor": inside, "linestyle": "none"},
            )


def _gid(line: Line, what: str) -> str:
    """The id of a group of points in an SVG file."""
    return f"{line.question} {what}".replace(" ", "-")


def _figure(point: Point, who: str) -> Estimate:
    return point.ceiling if who == CEILING else point.scores[who]
