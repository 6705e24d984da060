"""A learning curve as a picture that can be printed: lines differ in colour, in marker and in dash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.learning.card import CHALLENGER, TFIDF, ZERO_SHOT
from backend.learning.curve import Curve, Line, Point
from backend.learning.estimate import LEVEL, Estimate
from backend.reports.card import CEILING, NAMES
from backend.reports.estimates import POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png")
PANEL = (7.0, 4.2)  # inches, of a question
DPI = 200
CHARACTERS = {
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
WIDE = 30  # largest number of labels over the smallest from which on the axis is logarithmic


def plot(curve: Curve, path: Path) -> None:
    """Write the picture, a panel a question; the name's ending says the format, one of `FORMATS`."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kind = path.suffix.lower().removeprefix(".")
    with rc_context(CHARACTERS):
        picture = Figure(figsize=(PANEL[0], PANEL[1] * len(curve.lines)), layout="constrained")
        FigureCanvasAgg(picture)
        panels = picture.subplots(len(curve.lines), 1, squeeze=False)[:, 0]
        for axes, line in zip(panels, curve.lines, strict=True):
            _panel(axes, curve.project, line)
        known = {"Date": None} if kind == "svg" else None
        picture.savefig(path, format=kind, dpi=DPI, metadata=known)


def _panel(axes: Axes, project: str, line: Line) -> None:
    scale = 100.0 if line.measure in POINTS else 1.0
    for who, look in LOOK.items():
        _drawn(axes, line, who, scale, look)
    axes.set_title(f"{project}: {line.question}", loc="left")
    axes.set_xlabel("labels used (texts)")
    sizes = sorted({figure.n for point in line.points for figure in point.scores.values() if figure.value is not None})
    n = "" if not sizes else f", n = {sizes[0]:,}" if len(sizes) == 1 else f", n = {sizes[0]:,} to {sizes[-1]:,}"
    unit = " in points" if line.measure in POINTS else ""
    axes.set_ylabel(f"{line.measure}{unit}\non gate texts{n}")
    labels = [point.labels for point in line.points]
    if min(labels) > 0 and max(labels) > WIDE * min(labels):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title=f"bars: {100 * LEVEL:.0f} % intervals", alignment="left")


def _drawn(axes: Axes, line: Line, who: str, scale: float, look: dict[str, Any]) -> None:
    """One line with its intervals. A challenger that was not served is a hollow marker."""
    found = sorted(
        ((point, figure) for point in line.points if (figure := _figure(point, who)).value is not None),
        key=lambda pair: pair[0].labels,
    )
    if not found:
        return
    name = NAMES.get(who, who)
    colour, marker = look["color"], look["marker"]
    spots = [(point.labels, scale * (figure.value or 0.0)) for point, figure in found]
    bounds = [(scale * (figure.lower or 0.0), scale * (figure.upper or 0.0)) for _, figure in found]
    axes.vlines(
        [x for x, _ in spots], [low for low, _ in bounds], [high for _, high in bounds], colors=colour, linewidth=0.8
    )
    axes.plot(*zip(*spots, strict=True), color=colour, linestyle=look["linestyle"], linewidth=1.2)
    served = [who != CHALLENGER or point.served for point, _ in found]
    for filled in (True, False):
        shown = [spot for spot, full in zip(spots, served, strict=True) if full is filled]
        if shown:
            said = name if filled and who != CHALLENGER else f"{name}, {'served' if filled else 'not served'}"
            (marks,) = axes.plot(
                *zip(*shown, strict=True),
                color=colour,
                marker=marker,
                markerfacecolor=colour if filled else "white",
                linestyle="none",
                label=said,
            )
            marks.set_gid(f"{line.question} {said}".replace(" ", "-"))


def _figure(point: Point, who: str) -> Estimate:
    return point.ceiling if who == CEILING else point.scores[who]
