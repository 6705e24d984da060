"""Two texts that a data set keeps in one, taken apart again where that can be done in one way only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.engines.protocol import Item
from labelstudio_config.codebook import Field

BETWEEN = "[SEP]"


def split(text: str, fields: Sequence[Field]) -> Item | None:
    """The text of each field: one, or two that are joined by `[SEP]` or stand behind their titles (`Premise: ...`).

    None where there is no seam, or where a text holds the words of the seam itself so that there are several.
    """
    if len(fields) == 1:
        return (text.strip(),)
    if all(field.title for field in fields):
        found = _titled(text, fields)
        if found is not None or BETWEEN not in text:
            return found
    parts = text.split(BETWEEN)
    return tuple(part.strip() for part in parts) if len(parts) == len(fields) else None


def of_columns(row: Mapping[str, object], fields: Sequence[Field]) -> Item | None:
    """The texts, where each stands in a column that is called as its field's title; None where one is missing."""
    columns = {_same(name): value for name, value in row.items() if isinstance(name, str)}
    texts = [columns.get(_same(field.title)) if field.title else None for field in fields]
    found = tuple(text.strip() for text in texts if isinstance(text, str) and text.strip())
    return found if len(found) == len(fields) else None


def _titled(text: str, fields: Sequence[Field]) -> Item | None:
    """What stands behind each title. The first begins the text; the second begins a line, or stands there only once."""
    first, second = (_pattern(field.title) for field in fields)
    start = re.match(rf"\s*{first}", text, re.IGNORECASE)
    if start is None:
        return None
    rest = text[start.end() :]
    for seam in (rf"\n\s*{second}", rf"(?<!\w){second}"):
        places = list(re.finditer(seam, rest, re.IGNORECASE))
        if places:
            place = places[0]
            return (rest[: place.start()].strip(), rest[place.end() :].strip()) if len(places) == 1 else None
    return None


def _pattern(title: str) -> str:
    """The title as it may be written before its text: with either apostrophe, in any case."""
    return re.escape(title).replace("'", "['’]").replace(r"\ ", r"\s+") + r"\s*:"


def _same(name: str) -> str:
    return " ".join(name.replace("’", "'").casefold().split())
