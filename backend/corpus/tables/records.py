"""The records of a text file (CSV, TSV) with the lines they begin at; what is broken is told, and the rest goes on."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from backend.corpus.tables.cells import BROKEN, as_it_was
from backend.corpus.tables.table import BadRow, fitted

LONGEST_CELL = 10_000_000  # characters; a quote that is never closed makes one cell of the rest of a file
SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
Record = list[str] | BadRow


class _Lines:
    """The lines of a file, those that were handed out since `mark` kept, so that they can be read again."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: list[str] = []
        self._kept: list[str] = []
        self._old_mac = False  # lines end in CR alone
        self.number = 1  # of the line that comes next

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._file)
        if self.number == 1 and not self._kept:
            self._old_mac = line.endswith("\r")
        self._kept.append(line)
        self.number += self._ends(line)
        return line

    def mark(self) -> None:
        self._kept.clear()

    def back(self, keep: int) -> list[str]:
        """Take back what was handed out since the mark but for the first `keep` lines, which are returned."""
        ahead = self._kept[keep:]
        self.number -= sum(map(self._ends, ahead))
        self._again += reversed(ahead)
        kept = self._kept[:keep]
        self._kept.clear()
        return kept

    def _ends(self, line: str) -> bool:
        return line.endswith("\n") or (self._old_mac and line.endswith("\r"))


class Records:
    """The records of a file below its header. `loose`: a cell had quotes inside that were not doubled."""

    def __init__(self, file: TextIO, separator: str, encoding: str) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self.loose = False
        self._lines = _Lines(file)
        self._separator = separator
        self._encoding = encoding
        cell = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(separator)}\r\n]*)'
        self._neat = re.compile(rf"{cell}(?:{re.escape(separator)}{cell})*[\r\n]*")

    def leave_out_a_line(self) -> None:
        """The first line is none of the table."""
        next(self._lines)
        self._lines.mark()

    def header(self) -> list[str] | None:
        """The names of the columns; None when there are none, or a quote in them is not closed."""
        try:
            names = next(filter(None, self._reader(self._lines)), None)
        except csv.Error:
            return None
        self._lines.mark()
        return [as_it_was(name) for name in names] if names else None

    def below(self, width: int) -> Iterator[tuple[int, Record]]:
        """Line, and cells as many as `width` or what is wrong with them, of each record that is not blank."""
        reader = self._reader(self._lines)
        while True:
            begins = self._lines.number
            self._lines.mark()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield begins, self._mended(begins, width, str(error))
                reader = self._reader(self._lines)
                continue
            if cells:
                yield begins, self._judged(begins, cells, width)

    def _reader(self, lines: Iterable[str], *, strict: bool = True) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._separator, strict=strict)

    def _judged(self, line: int, cells: list[str], width: int) -> Record:
        if any(BROKEN in cell for cell in cells):
            return BadRow(line, f"It holds bytes that are no {self._encoding}.")
        fit = fitted(cells, width)
        if isinstance(fit, str):
            how = f"{fit} (separator: {SPOKEN.get(self._separator, self._separator)})"
            return BadRow(line, f"{how}. Put quotes around cells that hold the separator.")
        return [as_it_was(cell) for cell in fit]

    def _mended(self, line: int, width: int, error: str) -> Record:
        """What becomes of a record with a quote too many or too few, or a cell too long."""
        loose = "expected after" in error  # a quote inside of a cell is not doubled, or it is a later cell's
        (first,) = self._lines.back(1)
        if loose and self._row_ends(first):
            cells = next(self._reader([first], strict=False), [])
            if len(cells) == width:
                self.loose = True
                return self._judged(line, cells, width)
        elif not loose or width > 1:
            self._skip(width)
        last = self._lines.number - 1
        lost = f"lines {line} to {last}" if last > line else "the line"
        return BadRow(line, f"{_reason(error)}; {lost} cannot be read. Double the quotes that are part of a cell.")

    def _row_ends(self, line: str) -> bool:
        """Whether no cell goes on behind the end of the line: its quotes are even in number."""
        return line.count('"') % 2 == 0

    def _skip(self, width: int) -> None:
        """Go on to the next line that is surely a row: as many cells as the header (two or more), every quote in its
        place.
        """
        for line in self._lines:
            if width > 1 and self._is_row(line, width):
                self._lines.back(0)
                return
            self._lines.mark()

    def _is_row(self, line: str, width: int) -> bool:
        if not self._row_ends(line) or not self._neat.fullmatch(line):
            return False
        return len(next(self._reader([line], strict=False), [])) == width


def _reason(error: str) -> str:
    if "expected after" in error:
        return "It has a quote inside of a cell that is not doubled, or one is opened here and not closed"
    if "field larger" in error:
        return f"It has a cell of over {LONGEST_CELL:,} characters, or a quote is opened here and not closed"
    return "A quote is opened here and not closed"
