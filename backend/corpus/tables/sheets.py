"""The sheets of a workbook with openpyxl's parsers, without what grows with the file: neither rows that were read nor
the texts that cells share stay in memory.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from xml.etree.ElementTree import iterparse

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

_ROW, _DATA, _ITEM, _ITEMS = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("row", "sheetData", "si", "sst"))


class Book:
    """A workbook that is open."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            texts = stack.enter_context(closing(_Texts()))
            self._reader = _Reader(file, texts)
            stack.callback(self._reader.archive.close)
            self._reader.read()
            self._open = stack.pop_all()

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *of: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._open.close()

    @property
    def sheets(self) -> list[str]:
        return list(self._reader.parts)

    def rows(self, name: str) -> Iterator[tuple[int, list[Any]]]:
        """Number and cells of each row that is there; a cell without a value is None."""
        book = self._reader.wb
        with self._reader.archive.open(self._reader.parts[name]) as source:
            parser = WorkSheetParser(
                source,
                self._reader.texts,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for element in _elements(source, _DATA, _ROW):
                number, cells = parser.parse_row(element)
                row: list[Any] = [None] * max((cell["column"] for cell in cells), default=0)
                for cell in cells:
                    row[cell["column"] - 1] = cell["value"]
                yield number, row


class _Reader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader of what a sheet's cells need, shared texts on the disk. `parts`: the file of each sheet."""

    def __init__(self, file: IO[bytes], texts: _Texts) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.texts = texts
        self.parts: dict[str, str] = {}

    def read(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        for sheet, found in self.parser.find_sheets():
            if found.target in self.valid_files and "chartsheet" not in found.Type:
                self.parts[sheet.name] = found.target

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                for element in _elements(source, _ITEMS, _ITEM):
                    self.texts.add(Text.from_tree(element).content or "")


class _Texts:
    """Texts by their number, in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._ends = array("q", [0])

    def add(self, text: str) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- `close` closes it
        written = self._file.write(text.encode("utf-8", errors="replace"))
        self._ends.append(self._ends[-1] + written)

    def __getitem__(self, number: int) -> str:
        if self._file is None or not 0 <= number < len(self._ends) - 1:
            raise IndexError(number)
        self._file.seek(self._ends[number])
        return self._file.read(self._ends[number + 1] - self._ends[number]).decode()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _elements(source: IO[bytes], parent: str, name: str) -> Iterator[Any]:
    """The elements of that name, each forgotten once the next is asked for."""
    around = None
    for event, element in iterparse(source, ("start", "end")):  # noqa: S314 -- expat limits entities since 2.4
        if event == "start":
            around = element if element.tag == parent else around
        elif element.tag == name:
            yield element
            element.clear()
            if around is not None:
                around.clear()
