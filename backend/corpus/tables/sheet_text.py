"""Texts in the cells of a workbook: characters that XML has not, and texts that are longer than a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet, the header one of the rows
LONGEST = 32_767  # of a cell, in units of UTF-16, as Excel counts
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WRITTEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_FURTHER = re.compile(r"(.*) \((\d+)\)", re.S)


def read(cell: str) -> str:
    """The text that a cell means: `_x0041_` stands for a character by its number (ECMA-376, 22.9.2.19)."""
    return _ESCAPED.sub(lambda found: _character(found[1]), cell) if "_x" in cell else cell


def _character(digits: str) -> str:
    character = chr(int(digits, 16))
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


def written(text: str) -> str:
    """The text as it stands in a cell; what looks like a character by its number is put so that it does not."""
    return _WRITTEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def parts(text: str) -> Iterator[str]:
    """The text in pieces that fit in a cell as they are written."""
    if len(text) * 7 <= LONGEST or _length(written(text)) <= LONGEST:
        yield text
        return
    start = length = 0
    for at, character in enumerate(text):
        wide = 7 if _WRITTEN.match(text, at) else 1 + (character > "\uffff")
        if length + wide > LONGEST:
            yield text[start:at]
            start, length = at, 0
        length += wide
    yield text[start:]


def is_full(cell: str) -> bool:
    """Whether a piece is so long that another may follow it."""
    return _length(written(cell)) > LONGEST - 7


def continued(header: Sequence[str]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Columns in which the texts of another may go on, 'NAME (2)' and so on behind all others: index of each, of the
    first column and of the one before.
    """
    place = {name: at for at, name in reversed(list(enumerate(header)))}
    for at, name in enumerate(header):
        found = _FURTHER.fullmatch(name)
        if found and int(found[2]) > 1 and found[1] in place:
            before = further(found[1], int(found[2]) - 1)
            if place.get(before, at) < at and place[found[1]] < at:
                yield at, (place[found[1]], place[before])


def further(name: str, number: int) -> str:
    """The name of the column in which a column's texts go on."""
    return f"{name} ({number})" if number > 1 else name


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", errors="replace")) // 2
