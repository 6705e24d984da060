"""What an audit and a control of given sizes will be able to say: widths of 95 % intervals, and powers."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from backend.findings.plan import AGREEING, Means, Sizes
from backend.learning.estimate import FEW, too_few
from backend.learning.rates import packaged, rates
from backend.stats import promise, widths
from backend.stats.interval import Interval
from backend.stats.power import smallest_difference
from backend.stats.promise import Ground

ALPHA = 0.73  # of coders, as assumed
F1 = 0.7  # macro F1 of the model, as assumed
DISAGREEMENT = 0.2  # share of texts on which a challenger and the champion differ, as assumed
SEED = 1
ALONE = "one coder a text: nobody to agree with"
OTHER = "will have got another answer than the commonest"
RAREST = "will have the rarest label"


@dataclass(frozen=True, slots=True)
class Width:
    """The expected width of a 95 % interval on `n` texts; None where it would be withheld, and `missing` says why."""

    n: int
    width: float | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """The chance that one look at `n` gate texts promotes a challenger 5 points better, and one 5 points worse."""

    n: int
    better: float | None
    worse: float | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Buys:
    """What sizes buy. Agreement is on the whole audit; F1 and prevalence on its test half; the gate has the other.

    `support` is the number of test texts that are expected to have the rarest label. `anchoring` is the smallest rise
    of the agreement with the model that is seen with 80 % power; None where none is.
    """

    alpha: Width
    alpha_rarest: Width
    macro_f1: Width
    rarest_f1: Width
    support: float
    human_only: Width
    corrected: Width
    anchoring: float | None
    gate: Gate


def buys(means: Means, sizes: Sizes) -> Buys:
    """Equal arguments give equal figures."""
    share, test = widths.shares(means.labels, means.share), sizes.test
    support = means.share * test
    macro, rarest = widths.scores(test, share, F1, SEED)
    alone, corrected = widths.prevalence(test, means.texts, means.share, widths.copying(F1, means.labels))
    alpha = _alpha(means.labels, means.share, sizes)
    return Buys(
        alpha=alpha,
        alpha_rarest=alpha if means.labels == 2 else _alpha(2, means.share, sizes),
        macro_f1=_width(macro, test, support, RAREST, "test texts"),
        rarest_f1=(
            _width(rarest, test, support, RAREST, "test texts")
            if support >= FEW
            else Width(test, None, too_few(int(support)))
        ),
        support=support,
        human_only=Width(test, alone) if test >= FEW else Width(test, None, too_few(test)),
        corrected=Width(test, corrected) if test >= FEW else Width(test, None, too_few(test)),
        anchoring=smallest_difference(sizes.audit, sizes.control, AGREEING),
        gate=_gate(sizes.gate),
    )


def _alpha(labels: int, share: float, sizes: Sizes) -> Width:
    """Agreement on one label of several is that of two: the label, and all others."""
    n, k, each = sizes.audit, sizes.per_text, widths.shares(labels, share)
    if k < 2:
        return Width(n, None, ALONE)
    other = n * widths.not_commonest(k, each, ALPHA)
    return _width(widths.alpha(n, k, each, ALPHA, SEED), n, other, OTHER, "double-coded texts")


def _width(width: float, n: int, telling: float, what: str, kind: str) -> Width:
    """The width, unless a report would withhold the interval: `telling` of the n texts are what the figure turns on."""
    if n < FEW or isnan(width):
        return Width(n, None, too_few(n))
    withheld = promise.withheld(Interval(0.0, 0.0, width), Ground(n, n, int(telling), what, kind))
    return Width(n, None, withheld) if withheld else Width(n, width)


def _gate(n: int) -> Gate:
    smallest = min(int(size) for size in packaged()["by_look"]["+5"])
    if n < smallest:
        return Gate(n, None, None, f"too few: {n} gate texts of at least {smallest}")
    chances = rates(n, DISAGREEMENT, 1).chances
    return Gate(n, chances["+5"].once, chances["-5"].once)
