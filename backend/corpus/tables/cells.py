"""What stands in a cell: values as text, and texts that a spreadsheet would run."""

from __future__ import annotations

import re
from datetime import UTC, datetime

Cell = str | int | float | bool | datetime | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def is_number(cell: str) -> bool:
    """Whether statistics programs read the cell as a number."""
    return _NUMBER.fullmatch(cell) is not None


def harmless(cell: str) -> str:
    """The cell behind an apostrophe where a spreadsheet would run it as a formula; a number stays one."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not is_number(cell) else cell


def plain(cell: Cell) -> str:
    """The value as text: nothing is '', truth is 1 or 0, a time is ISO 8601 in UTC, a number keeps all its digits."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return cell if isinstance(cell, str) else repr(cell)
