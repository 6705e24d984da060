"""What Label Studio shows of a label when a coder points at it: its definition and its rules, in one text.

Attacks a group for what it is.
Include: slurs, also in quotes
Exclude: criticism of what a group does
"""

from __future__ import annotations

import re

INCLUDE, EXCLUDE = "Include", "Exclude"
_RULE = re.compile(rf"(?:\A|\n)({INCLUDE}|{EXCLUDE}): ")


def written(definition: str, include: str, exclude: str) -> str:
    """The three as one text, without what is empty."""
    rules = (f"{name}: {text}" for name, text in ((INCLUDE, include), (EXCLUDE, exclude)) if text)
    return "\n".join(part for part in (definition, *rules) if part)


def read(hint: str) -> tuple[str, str, str]:
    """Definition, what to include and what to exclude, of such a text; rules of the same name are taken together."""
    definition, *rest = _RULE.split(hint)
    found: dict[str, list[str]] = {INCLUDE: [], EXCLUDE: []}
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        found[name].append(text)
    return definition, "\n".join(found[INCLUDE]), "\n".join(found[EXCLUDE])
