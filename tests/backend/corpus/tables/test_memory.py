"""Reading and writing take as much memory for a long table as for a short one."""

from __future__ import annotations

import tracemalloc
from collections import deque
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import new_table

SHORT, LONG = 2_000, 20_000
SLACK = 500_000  # bytes; all cells of the long table take ten times that
TEXT = "a text of a usual length, with some words in it, which ends with a number: "


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write(path: Path, n: int) -> None:
    with new_table(path, ["id", "text"], overwrite=True) as writer:
        for row in range(n):
            writer.writerow([str(row), f"{TEXT}{row}"])


def read(path: Path) -> None:
    deque(open_table(path).rows(), maxlen=0)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_table(tmp_path: Path, ending: str) -> None:
    """Ten times the rows; what is traced is Python's own, Arrow's buffers are bounded by its groups of rows."""
    for n in (10, SHORT, LONG):
        write(tmp_path / f"{n}.{ending}", n)
        read(tmp_path / f"{n}.{ending}")  # imports are no part of it
    writing = [peak(lambda n=n: write(tmp_path / f"w.{ending}", n)) for n in (SHORT, LONG)]
    reading = [peak(lambda n=n: read(tmp_path / f"{n}.{ending}")) for n in (SHORT, LONG)]
    assert reading[1] < 1.3 * reading[0] + SLACK
    if ending != "parquet":  # it keeps up to 20,000 rows, a group
        assert writing[1] < 1.3 * writing[0] + SLACK


def test_shared_texts_of_a_workbook_are_not_kept(tmp_path: Path) -> None:
    """Excel keeps each text once, in a list of its own; its places, 8 bytes a text, are all that is in memory."""
    for n in (10, SHORT, LONG):
        book = openpyxl.Workbook(write_only=False)
        for row in range(n):
            book.active.append([f"{TEXT}{row}"])
        book.save(tmp_path / f"{n}.xlsx")
    read(tmp_path / "10.xlsx")
    few, many = (peak(lambda n=n: read(tmp_path / f"{n}.xlsx")) for n in (SHORT, LONG))
    assert many < 1.3 * few + SLACK


def test_bad_rows_are_counted_but_not_kept(tmp_path: Path) -> None:
    for n in (SHORT, LONG):
        (tmp_path / f"{n}.csv").write_text("a,b\n1,2\n" + f"1,2,{TEXT}\n" * n, encoding="utf-8")
    few, many = (peak(lambda n=n: read(tmp_path / f"{n}.csv")) for n in (SHORT, LONG))
    assert many < 1.3 * few + SLACK
