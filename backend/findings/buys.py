"""What an audit and a control of given sizes will be able to say: widths of 95 % intervals, and powers."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from backend.findings.plan import AGREEING, Means, Sizes
from backend.learning.estimate import FEW, too_few
from backend.learning.rates import packaged, rates
from backend.stats import widths
from backend.stats.power import smallest_difference

ALPHA = 0.73  # of coders, as assumed
F1 = 0.7  # macro F1 of the model, as assumed
DISAGREEMENT = 0.2  # share of texts on which a challenger and the champion differ, as assumed
SEED = 1


@dataclass(frozen=True, slots=True)
class Width:
    """The expected width of a 95 % interval on `n` texts; or None, and `missing` says why."""

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
    macro, rarest = widths.scores(test, share, F1, SEED) if 1 / means.labels < F1 else (float("nan"), float("nan"))
    correlation = widths.copying(F1, means.labels)
    alone, corrected = widths.prevalence(test, means.texts, means.share, correlation)
    support = means.share * test
    alpha = _alpha(means.labels, means.share, sizes)
    return Buys(
        alpha=alpha,
        alpha_rarest=alpha if means.labels == 2 else _alpha(2, means.share, sizes),
        macro_f1=_width(test, macro),
        rarest_f1=_width(test, rarest) if support >= FEW else Width(test, None, too_few(int(support))),
        support=support,
        human_only=_width(test, alone),
        corrected=_width(test, corrected),
        anchoring=smallest_difference(sizes.audit, sizes.control, AGREEING),
        gate=_gate(sizes.gate),
    )


def _alpha(labels: int, share: float, sizes: Sizes) -> Width:
    """Agreement on one label of several is that of two: the label, and all others."""
    if sizes.per_text < 2:
        return Width(sizes.audit, None, "one coder a text: nobody to agree with")
    return _width(sizes.audit, widths.alpha(sizes.audit, sizes.per_text, widths.shares(labels, share), ALPHA, SEED))


def _width(n: int, width: float) -> Width:
    if n < FEW or isnan(width):
        return Width(n, None, too_few(n))
    return Width(n, width)


def _gate(n: int) -> Gate:
    smallest = min(int(size) for size in packaged()["by_look"]["+5"])
    if n < smallest:
        return Gate(n, None, None, f"too few: {n} gate texts of at least {smallest}")
    chances = rates(n, DISAGREEMENT, 1).chances
    return Gate(n, chances["+5"].once, chances["-5"].once)
