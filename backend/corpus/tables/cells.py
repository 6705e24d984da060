"""What stands in a cell: values as text, and texts that a spreadsheet would run."""

from __future__ import annotations

import codecs
import math
import re
from datetime import UTC, datetime

Cell = str | int | float | bool | datetime | None
BROKEN = "\udcff"  # stands where bytes do not decode; no text holds it
_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that a spreadsheet would run, apostrophes before it
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HALVES = re.compile("[\ud800-\udfff]")  # half of a character: no encoding has it
_WHOLE = 2**53  # up to it a float without a fraction is written as a whole number


def is_number(cell: str) -> bool:
    """Whether statistics programs read the cell as a number."""
    return _NUMBER.fullmatch(cell) is not None


def harmless(cell: str) -> str:
    """The cell behind an apostrophe where a spreadsheet would run it as a formula; a number stays one.

    A cell that would be mistaken for one of these gets an apostrophe too, so that `as_it_was` gives back any cell.
    """
    return f"'{cell}" if _runs(cell) else cell


def as_it_was(cell: str) -> str:
    """The cell without the apostrophe that `harmless` gave it."""
    return cell[1:] if cell.startswith("'") and _runs(cell[1:]) else cell


def _runs(cell: str) -> bool:
    return _FORMULA.match(cell) is not None and not is_number(cell.lstrip("'"))


def plain(cell: Cell) -> str:
    """The value as text: nothing (and NaN) is '', truth is 1 or 0, a time is ISO 8601 (in UTC if it says where), a
    number keeps all its digits and has no '.0'.
    """
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, datetime):
        return moment(cell)
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) <= _WHOLE else repr(cell)
    return str(cell)


def moment(time: datetime) -> str:
    """ISO 8601: in UTC with a Z behind it, or without when the time does not say where it is."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time.tzinfo else time.isoformat()


def whole(text: str) -> str:
    """The text with U+FFFD where it has half of a character (a lone surrogate), which no file can hold."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    """What takes the place of bytes that do not decode, and of halves of characters in a file of UTF-8."""
    if isinstance(error, UnicodeDecodeError):
        return BROKEN, error.end
    assert isinstance(error, UnicodeEncodeError)
    return "\ufffd".encode() * (error.end - error.start), error.end


MARKED = "socialite-marked"  # `errors=` of a file: BROKEN where bytes do not decode, U+FFFD for half of a character
codecs.register_error(MARKED, _mark)
