"""Ids of questions and labels: short, readable, and a function of what they name."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container

LEGAL_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_LONGEST = 48


def slug(text: str) -> str:
    """A legal id made from the text alone; a digest is added when letters were lost or the text is long.

    >>> slug("Not offensive"), slug("größer")
    ('not-offensive', 'grosser')
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(c for c in apart if not unicodedata.combining(c))
    lost = len(folded) > _LONGEST or any(c.isalnum() and not c.isascii() for c in folded)
    plain = re.sub(r"[^a-z0-9_]+", "-", folded)[:_LONGEST].strip("-_")
    if plain and not lost:
        return plain
    return f"{plain or 'id'}-{_digest(text)}"


def fresh_id(text: str, taken: Container[str]) -> str:
    """`slug(text)`, or a variant of it that is not taken yet."""
    plain = slug(text)
    if plain not in taken:
        return plain
    candidate = stem = f"{plain}-{_digest(text)}"
    number = 2
    while candidate in taken:
        candidate = f"{stem}-{number}"
        number += 1
    return candidate


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
