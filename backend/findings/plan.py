"""From a corpus, coders and hours to the sizes of the audit and the control, before anybody has coded.

Three goods are bought with the same hours: the audit (blind, by several coders: agreement, F1, prevalence, the gate),
the control (with suggestions: anchoring), and work (with suggestions: what a model is tuned on). The rules here are
plain ones, so that a person can see where a size comes from and choose another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from backend.stats.power import needed

SECONDS = 20.0  # a coder takes for a text
EVEN = 200  # double-coded texts for labels of about even shares
OF_RAREST = 40  # texts of the rarest label among the double-coded ones: 400 of a label of 10 %
ENOUGH = 800  # beyond that many audit texts, hours do more as work: gate and test then have 400 each
MEASURED = 0.6  # of the hours, at most, for audit and control
POINTS = 0.1  # of anchoring that the control is to show
AGREEING = 0.7  # of people's labels that are the model's, without suggestion


class PlanError(Exception):
    """What was given for the plan does not go together."""


@dataclass(frozen=True, slots=True)
class Means:
    """What there is: texts of the corpus, coders, and hours of all of them together.

    `labels` of the question, the `rarest` of them with this share (None: all alike), `seconds` a coder takes for a text
    on average, `per_text` coders of each audit text (None: chosen). PlanError.
    """

    texts: int
    coders: int
    hours: float
    labels: int = 2
    rarest: float | None = None
    seconds: float = SECONDS
    per_text: int | None = None

    def __post_init__(self) -> None:
        if self.labels < 2:
            raise PlanError("A question has at least two labels. Give --labels.")
        if not 0 < self.share <= 1 / self.labels:
            raise PlanError(
                f"The rarest of {self.labels} labels has a share above 0 and of at most {1 / self.labels:.2g}, not "
                f"{self.share:g}. Correct --rare or --labels."
            )
        if self.per_text is not None and self.per_text > self.coders:
            raise PlanError(
                f"{self.per_text} people cannot code each audit text where there are {self.coders}. Correct "
                "--per-text or --coders."
            )
        if self.texts < 2 or self.codings <= (self.per_text or min(self.coders, 2)):
            raise PlanError(
                f"{self.texts} texts and {self.hours:g} hours of {self.seconds:g} seconds a text leave nothing to "
                "plan. Give more of both, with --texts and --hours."
            )

    @property
    def share(self) -> float:
        """Of the rarest label."""
        return 1 / self.labels if self.rarest is None else self.rarest

    @property
    def codings(self) -> int:
        """Texts that one coder at a time gets through in these hours."""
        return int(self.hours * 3600 / self.seconds)

    @property
    def minimum(self) -> int:
        """Double-coded texts below which an interval of agreement is too wide to say much."""
        return max(EVEN, ceil(round(OF_RAREST / self.share, 6)))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Texts of each stream, and how many people code each text of the audit."""

    audit: int
    control: int
    work: int
    per_text: int

    @property
    def gate(self) -> int:
        return (self.audit + 1) // 2

    @property
    def test(self) -> int:
        return self.audit // 2

    @property
    def codings(self) -> int:
        return self.per_text * self.audit + self.control + self.work


def recommended(means: Means) -> Sizes:
    """What these means are best spent on, by the rules of this file."""
    if means.per_text is not None:
        return sizes(means, _audit(means, means.per_text), means.per_text)
    two, three = min(means.coders, 2), min(means.coders, 3)
    audit = _audit(means, three)
    if audit >= min(_wanted(means), means.texts // 2):
        return sizes(means, audit, three)
    return sizes(means, _audit(means, two), two)


def sizes(means: Means, audit: int, per_text: int) -> Sizes:
    """The streams of an audit of about this size: no more than half of the corpus, or than the hours are for."""
    audit = max(0, min(audit, means.texts // 2, means.codings // (per_text + 1)))
    control = min(controls(audit), (means.texts - audit) // 2)
    left = means.codings - per_text * audit - control
    return Sizes(audit, control, max(0, min(means.texts - audit - control, left)), per_text)


def controls(audit: int) -> int:
    """As many controls as show `POINTS` of anchoring beside such an audit; as many as it has where no number does."""
    if not _shown(audit, audit):
        return audit
    low, high = 0, audit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _shown(audit, middle) else (middle, high)
    return high


def _shown(audit: int, control: int) -> bool:
    enough = needed(POINTS, AGREEING, control / audit) if audit else None
    return enough is not None and enough <= audit


def hours(means: Means, audit: int, per_text: int) -> float:
    """Hours of which an audit of this size and its control take no more than `MEASURED`."""
    return (per_text * audit + controls(audit)) * means.seconds / 3600 / MEASURED


def alternatives(means: Means, chosen: Sizes) -> dict[str, Sizes]:
    """The recommended sizes between those with half and double the audit; one that cannot be had is left out."""
    found = {
        "half": sizes(means, chosen.audit // 2, chosen.per_text),
        "recommended": chosen,
        "double": sizes(means, 2 * chosen.audit, chosen.per_text),
    }
    return {name: one for name, one in found.items() if name == "recommended" or one.audit not in (0, chosen.audit)}


def _wanted(means: Means) -> int:
    return max(ENOUGH, 2 * means.minimum)


def _audit(means: Means, per_text: int) -> int:
    """As many as are wanted, as the corpus has, and as the hours for measuring allow with the control."""
    low, high = 0, min(_wanted(means), means.texts // 2)
    while low < high:
        middle = (low + high + 1) // 2
        fits = per_text * middle + controls(middle) <= MEASURED * means.codings
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
