"""What an export writes, read back as a person's program would."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.findings.export.table import Exported, Order, export
from tests.backend.learning.coding import Coding

Row = dict[str, str]


def nobody(done: int, total: int) -> None:
    """A bar that nobody sees."""


def write(coding: Coding, path: Path, **wanted: Any) -> Exported:
    """The table at this path, in place of what was there."""
    with coding.store.reading() as s:
        return export(s, coding.world.key, Order(path, overwrite=True, **wanted), nobody)


def cells(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def table(coding: Coding, folder: Path, **wanted: Any) -> list[Row]:
    """The rows of an exported table."""
    write(coding, folder / "out.csv", **wanted)
    return list(cells(folder / "out.csv"))


def dictionary(folder: Path) -> list[Row]:
    return list(cells(folder / "out.dictionary.csv"))
