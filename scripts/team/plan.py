"""How a simulated project is drawn and coded: how many texts go where, by whom, and when the adapter is re-tuned."""

from __future__ import annotations

from dataclasses import dataclass

AUDIT, CONTROL = 0.3, 0.05  # shares of the texts; half of the audit is gate, half test
STEP = 200  # work texts that are coded between two re-tunings, about


@dataclass(frozen=True, slots=True)
class Plan:
    """`noise`: how often a coder gives a wrong label by mistake. `anchor`: how often one keeps a wrong suggestion.

    Audit texts are coded by two coders (one, in a team of one), all others by one.
    """

    texts: int = 1000
    coders: int = 3
    noise: float = 0.1
    anchor: float = 0.0
    audit_share: float = AUDIT
    step: int = STEP

    @property
    def blind(self) -> int:
        """Coders of each audit text."""
        return min(2, self.coders)

    def audit(self, texts: int) -> int:
        """How many of so many texts are audited: an even number, so that gate and test are of one size."""
        return 2 * round(texts * self.audit_share / 2)

    def control(self, texts: int) -> int:
        return round(texts * CONTROL)

    def looks(self, work: int) -> list[int]:
        """How many of so many work texts are coded before each re-tuning: equal parts of about `step`."""
        parts = max(1, round(work / self.step))
        return [work // parts + (n < work % parts) for n in range(parts)]
