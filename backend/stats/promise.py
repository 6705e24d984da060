"""When an interval is shown: where it has been seen to keep its promise, and says something.

`scripts/check_coverage.py` is the proof: with these limits 95 % intervals cover the truth as often as they should.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from backend.stats.interval import Interval

FEW = 10  # groups that a figure turns on; a text without a group is one of its own
GROUPS = 30  # groups altogether that a bootstrap is drawn from
WIDEST = 0.5  # of a figure between 0 and 1: what is wider says next to nothing
AIM = 0.15  # the width that an interval is advised to have


@dataclass(frozen=True, slots=True)
class Ground:
    """What an interval stands on.

    `texts` of a kind ('double-coded texts'), which are `groups` of texts that belong together. The figure turns on
    `telling` of the groups, those that `what` says ('got another answer than the commonest'): a resample without them
    tells nothing. `bounded`: the figure is at most 1, so that its width can be judged.
    """

    texts: int
    groups: int
    telling: int
    what: str
    kind: str = "texts"
    bounded: bool = True


def withheld(found: Interval, ground: Ground) -> str:
    """Why the bounds of a bootstrap are not shown, and what would help; '' where they are."""
    of = _of(ground.texts, ground.groups, ground.kind)
    tied = ground.groups != ground.texts
    if ground.bounded and found.width > WIDEST:
        return too_wide(found, ground.texts, of)
    if ground.groups < GROUPS:
        return f"{of}: an interval needs at least {GROUPS} {'groups' if tied else ground.kind}"
    if ground.telling < FEW:
        unit = "groups" if tied else "texts"
        return f"of {of} {ground.telling:,} {ground.what}: an interval needs at least {FEW} such {unit}"
    if not found.width > 0:
        return f"{of}: all resamples of them give the same value, which says nothing of other texts; more would"
    return ""


def withheld_proportion(found: Interval, texts: int, groups: int, kind: str = "texts") -> str:
    """The same of a proportion, whose interval is the exact one: it is withheld where it says next to nothing."""
    return too_wide(found, texts, _of(texts, groups, kind)) if found.width > WIDEST else ""


def too_wide(found: Interval, texts: int, of: str) -> str:
    wanted = needed(texts, found.width)
    return f"{of}: the interval is wider than {_short(WIDEST)}; {wanted:,} would give about {_short(AIM)}"


def _short(share: float) -> str:
    return f"{share:g}".removeprefix("0")


def _of(texts: int, groups: int, kind: str) -> str:
    tied = f" in {groups:,} group{'s' * (groups != 1)}"
    return f"{texts:,} {kind}{tied if groups != texts else ''}"


def needed(texts: int, width: float, aim: float = AIM) -> int:
    """How many texts would give an interval of width `aim` where `texts` give one of `width`: two digits of them.

    Widths shrink with the square root of the number of texts.
    """
    exact = texts * (width / aim) ** 2
    step = int(10 ** max(floor(log10(exact)) - 1, 0))
    return ceil(round(exact / step, 6)) * step
