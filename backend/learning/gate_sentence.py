"""What the gate tells a person: one or two sentences on a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.learning.gate import Decision


def sentence(decision: Decision) -> str:
    """What was found, what follows from it, and what to do next."""
    return decision.outcome
