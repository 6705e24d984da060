"""Counts and lists in words, as sentences of a report need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.learning.estimate import Estimate


def counted(n: int, one: str, many: str = "") -> str:
    """'1 text', '1,200 texts'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def times(n: int) -> str:
    """'never', 'once', '3 times'."""
    return {0: "never", 1: "once"}.get(n, f"{n:,} times")


def tallied(counts: Mapping[str, int]) -> str:
    """'tie (3), skipped (2)', the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} ({n:,})" for name, n in ordered)


def listed(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([*([", ".join(items[:-1])] if len(items) > 1 else []), *items[-1:]])


def figure(found: Estimate, *, share: bool = False) -> str:
    """'.72 [.64, .80]', as a share '72 % [64 %, 80 %]'; the reason where there is none."""
    if found.value is None:
        return found.missing
    value, *bounds = (
        f"{100 * one:.0f} %" if share else f"{one:.2f}".replace("0.", ".", 1)
        for one in (found.value, found.lower, found.upper)
        if one is not None
    )
    return f"{value} [{', '.join(bounds)}]" if len(bounds) == 2 else f"{value} ({found.missing})"
