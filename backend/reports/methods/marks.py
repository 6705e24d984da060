"""Markdown of words that come from elsewhere: nothing in them is taken for a sign."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIGNS = re.compile(r"([\\|*_<`\[~&])")


def words(value: str) -> str:
    """The value on one line, as it is meant."""
    return _SIGNS.sub(r"\\\1", " ".join(value.split()))


def row(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(words(cell) for cell in cells)} |"


def rule(columns: int) -> str:
    """What stands below the head of a table."""
    return "|" + " --- |" * columns
