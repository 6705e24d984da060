"""What the gate tells a person: what was found, what to do next, and how far that can be trusted."""

from __future__ import annotations

from backend.learning.decision import Decision
from backend.learning.rates import Chance, Rates

SAID = {"promote": "Promoted", "keep": "Kept", "undecided": "Undecided, the champion stays"}


def sentence(decision: Decision) -> str:
    """The decision in two or three sentences; points are hundredths of the measure."""
    return " ".join(part for part in (_found(decision), _next(decision), _trust(decision)) if part)


def _found(decision: Decision) -> str:
    said = f"{SAID[decision.outcome]}: on {decision.n} gate texts"
    if decision.identical:
        return f"{said} the challenger answers exactly as the champion does."
    if decision.delta != decision.delta:
        return f"{said} the two cannot be compared, since no score can be computed."
    higher = "higher" if decision.delta >= 0 else "lower"
    return (
        f"{said} the challenger's {_measure(decision)} is {abs(100 * decision.delta):.1f} points {higher} than the "
        f"champion's (90 % interval {100 * decision.lower:+.1f} to {100 * decision.upper:+.1f}){_because(decision)}."
    )


def _measure(decision: Decision) -> str:
    measures = sorted({one.measure for one in decision.questions})
    several = len(decision.questions) > 1
    return " and ".join(measures) + (f" (mean of {len(decision.questions)} questions)" if several else "")


def _because(decision: Decision) -> str:
    """What is clearly worse, where something is."""
    if decision.outcome != "keep":
        return ""
    fallen = [f"'{label}' of '{one.question}'" for one in decision.questions for label in one.fallen]
    worse = [f"'{one.question}'" for one in decision.questions if one.delta.upper < 0]
    said = [f"label {label} falls clearly" for label in fallen]
    said += [f"the question {one} is clearly worse" for one in worse if len(decision.questions) > 1]
    return f"; {', '.join(said)}" if said else ""


def _next(decision: Decision) -> str:
    if decision.outcome == "promote":
        return ""
    if decision.outcome == "keep":
        return "Code more work texts and tune again."
    if decision.too_few:
        return f"That is too few to judge by: code about {decision.needed} more gate texts."
    if decision.needed:
        return f"If the difference stays what it is, about {decision.needed} more gate texts would decide."
    return "More gate texts would hardly settle it: code more work texts and tune again, or activate it by hand."


def _trust(decision: Decision) -> str:
    rates = decision.rates
    if rates is None:
        return ""
    return (
        f"This was look {decision.look} at these gate texts: with so many, a challenger 5 points worse is promoted in "
        f"{_chance(decision, rates, '-5')}, one that is no better in {_chance(decision, rates, '0')}, one 5 points "
        f"better in {_chance(decision, rates, '+5')}."
    )


def _chance(decision: Decision, rates: Rates, difference: str) -> str:
    chance: Chance = rates.chances[difference]
    once = f"{_per_cent(chance.once)} of looks"
    return once if decision.look == 1 else f"{once} ({_per_cent(chance.ever)} by look {decision.look})"


def _per_cent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"
