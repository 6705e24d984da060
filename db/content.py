"""When two texts are the same text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import normalize


def normalised(fields: Sequence[str]) -> tuple[str, ...]:
    """The fields in Unicode's composed form (NFC): 'e' with a combining accent and 'é' are one text."""
    return tuple(normalize("NFC", field) for field in fields)


def content_hash(fields: Sequence[str]) -> str:
    """sha256 of the normalised fields and their number, in hexadecimal."""
    return _hash(tuple(fields))


@lru_cache(maxsize=1024)  # one request asks for a text's hash up to three times
def _hash(fields: tuple[str, ...]) -> str:
    content = json.dumps(normalised(fields), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
