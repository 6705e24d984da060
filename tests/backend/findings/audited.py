"""An audit that two coders have coded, and a release that differs from them in known places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from tests.backend.findings.world import score
from tests.backend.learning.coding import Coding, coded

SAYS = {"no": (0.75, 0.25), "yes": (0.25, 0.75)}  # humor
# 12 texts are 'no', of which the model takes 2 for 'yes'; 8 are 'yes', of which it takes 2 for 'no'.
TWENTY = [("no", "no")] * 10 + [("no", "yes")] * 2 + [("yes", "yes")] * 6 + [("yes", "no")] * 2
Pair = tuple[str, str]  # what two coders say alike, what the model says

_rank = count()


def audit(coding: Coding, pairs: Sequence[Pair], role: str = "gate") -> dict[int, str]:
    """Texts of a role, coded alike by two coders: text id -> what the model is to say of it."""
    found = {}
    for people, model in pairs:
        rank = next(_rank)
        text = coding.text(f"SECRET {role} {rank}", "audit", rank=rank, role=role)
        coded(coding, text, people, people)
        found[text] = model
    return found


def work(coding: Coding, pairs: Sequence[Pair], stream: str = "work") -> dict[int, str]:
    """Texts that one coder coded with the suggestion in sight."""
    found = {}
    for people, model in pairs:
        text = coding.text(f"shown {stream} {next(_rank)}", stream)
        coding.answer(text, 1, humor=people, origin="kept" if people == model else "changed")
        found[text] = model
    return found


def says(coding: Coding, *said: dict[int, str]) -> int:
    """A release that says this of the texts; its id."""
    return score(coding, {text: {"humor": SAYS[label]} for each in said for text, label in each.items()})
