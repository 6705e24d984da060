"""What a check found, and its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing
    WARN = "warn"  # works, but not as well as it could
    FAIL = "fail"  # something does not work, or the design is not kept


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, `about` the project or server; `cure` is empty where there is nothing to do."""

    check: str
    level: Level
    finding: str
    cure: str = ""
    about: str = ""


Findings = Iterator[Finding]
Check = Callable[[], Findings]


def either(check: str, good: bool, said: str, wrong: str, cure: str, about: str, level: Level = Level.FAIL) -> Finding:
    """A finding that is in order, or is not."""
    return Finding(check, Level.OK, said, "", about) if good else Finding(check, level, wrong, cure, about)
