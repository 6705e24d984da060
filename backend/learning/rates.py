"""How often the gate promotes a challenger that is worse, no better, or better, for the number of labels at hand.

The numbers come from `scripts/check_gate.py`, which writes the file beside this one: one question of single choice with
2 or 4 labels, a champion with macro F1 .70, and at every look a challenger of its own against the same champion.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

DIFFERENCES = ("-5", "-2", "0", "+5")  # points of macro F1


@dataclass(frozen=True, slots=True)
class Chance:
    """Probability of promotion at one look, and at any of the looks so far."""

    once: float
    ever: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What a gate as it stands lets through.

    `chances`: by the challenger's true difference in points of macro F1; a challenger that is no better ("-5", "-2",
    "0") is promoted at most that often in what was simulated, one that is better ("+5") at least that often. `sizes`
    and `disagreements` are the simulated cells this is the worst of.
    """

    sizes: tuple[int, ...]
    disagreements: tuple[float, ...]
    chances: Mapping[str, Chance]


def rates(n: int, disagreement: float, look: int) -> Rates:
    """The rates at the `look`-th look at n gate labels, when the two models disagree on that share of the texts.

    The worst of the simulated neighbours on both sides. Below and above what was simulated it is the nearest cell: a
    challenger that is no better passes more often than that where n is larger.
    """
    table = packaged()["by_look"]
    first = table[DIFFERENCES[0]]
    sizes = _around([int(one) for one in first], n)
    shares = _around([float(one) for one in next(iter(first.values()))], disagreement)
    chances = {}
    for difference in DIFFERENCES:
        cells = [table[difference][str(size)][str(share)] for size in sizes for share in shares]
        chances[difference] = _worst([cell for cell in cells if cell], look, better=difference.startswith("+"))
    return Rates(tuple(sizes), tuple(shares), chances)


def _around(simulated: Sequence[float], value: float) -> list[Any]:
    """The simulated values on both sides of `value`; the one that it is, or the nearest where there is one side."""
    ordered = sorted(simulated)
    above = bisect_right(ordered, value)
    if above == 0 or above == len(ordered) or ordered[above - 1] == value:
        return [ordered[max(0, above - 1)]]
    return ordered[above - 1 : above + 1]


def _worst(cells: Sequence[Sequence[float]], look: int, *, better: bool) -> Chance:
    """Of promoted shares by look, the lowest for a better challenger, the highest for any other.

    Beyond the looks that were simulated, a better one counts no more of them; any other is taken to pass at each look
    whatever became of it before, which is the most that can be.
    """
    if better:
        return Chance(min(cell[0] for cell in cells), min(cell[min(look, len(cell)) - 1] for cell in cells))
    once = max(cell[0] for cell in cells)
    ever = [cell[look - 1] if look <= len(cell) else max(cell[-1], 1 - (1 - once) ** look) for cell in cells]
    return Chance(once, max(ever))


@cache
def packaged() -> dict[str, Any]:
    """The file that `scripts/check_gate.py --out` wrote: `rule`, `repetitions`, `by_look[diff][n][disagreement]`."""
    text = files("backend.learning").joinpath("gate_rates.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read
