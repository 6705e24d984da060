"""A table as an Excel workbook (.xlsx) with one sheet, written row by row.

Texts are cells of type text with the format Text, so that neither opening nor editing one runs it as a formula, and
long numbers that are texts keep their digits.
"""

from __future__ import annotations

import io
import math
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from backend.corpus.tables.cells import MARKED, Cell, plain
from backend.corpus.tables.columns import Column, Kind, Writer
from backend.corpus.tables.sheet_text import COLUMNS, ROWS, further, parts, written
from backend.corpus.tables.table import TableError

_DIGITS = 10**15  # Excel keeps no more than 15 of a number
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FILES = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="table" sheetId="1" '
    'r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_OFFICE}/styles" '
    'Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font>'
    '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/>'
    '</fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


class _Sheet:
    """Takes rows, and keeps their XML in a file, since the header above them is not known before the last."""

    def __init__(self, body: IO[str], columns: Sequence[Column], name: str) -> None:
        self.remarks: list[str] = []
        self._body = body
        self._kinds = [one.kind for one in columns]
        self._names = [one.name for one in columns]
        self._further: dict[tuple[int, int], int] = {}  # column, number of the piece -> column
        self._row = 1
        self._name = name

    def writerow(self, row: Sequence[Cell], /) -> object:
        self._row += 1
        if self._row > ROWS:
            raise TableError(
                f"A sheet of Excel holds {ROWS - 1:,} rows, and {self._name} has more. Write .csv or .parquet."
            )
        return self._body.write(self._xml(self._row, row))

    def head(self) -> str:
        """The XML of the sheet's size and of its header."""
        size = f'<dimension ref="A1:{_letters(len(self._names) - 1)}{self._row}"/><sheetData>'
        return "".join((size, '<row r="1">', *(_text(name, at, 1) for at, name in enumerate(self._names)), "</row>"))

    def _xml(self, number: int, row: Sequence[Cell]) -> str:
        more: dict[int, str] = {}
        cells = []
        for at, (kind, cell) in enumerate(zip(self._kinds, row, strict=True)):
            if cell is None:
                continue
            if kind is Kind.TRUTH:
                cells.append(f'<c r="{_letters(at)}{number}" t="b"><v>{int(bool(cell))}</v></c>')
            elif kind in (Kind.INTEGER, Kind.NUMBER) and isinstance(cell, int | float) and _fits(cell):
                cells.append(f'<c r="{_letters(at)}{number}"><v>{plain(cell)}</v></c>')
            else:
                first, *others = parts(plain(cell))
                cells.append(_text(first, at, number))
                more |= {self._place(at, n): piece for n, piece in enumerate(others, 2)}
        cells += [_text(piece, at, number) for at, piece in sorted(more.items())]
        return "".join((f'<row r="{number}">', *(cells or [_text("", 0, number)]), "</row>"))

    def _place(self, column: int, piece: int) -> int:
        """The column for a piece of a long text; TableError when its name is taken."""
        if (column, piece) not in self._further:
            name = further(self._names[column], piece)
            if name in self._names or len(self._names) >= COLUMNS:
                raise TableError(
                    f"A text of '{self._names[column]}' is too long for a cell of Excel, and there is no room for a "
                    f"column '{name}' in {self._name}. Write .csv or .parquet."
                )
            self._further[column, piece] = len(self._names)
            self._names.append(name)
        return self._further[column, piece]


def _fits(number: int | float) -> bool:
    return abs(number) < _DIGITS if isinstance(number, int) else math.isfinite(number)


def _text(text: str, column: int, row: int) -> str:
    shown = escape(written(text), {"\r": "&#13;"})
    return f'<c r="{_letters(column)}{row}" s="1" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


_SEEN: list[str] = []


def _letters(column: int) -> str:
    """A, B, ... Z, AA, ..."""
    while len(_SEEN) <= column:
        name, left = "", len(_SEEN) + 1
        while left:
            left, letter = divmod(left - 1, 26)
            name = chr(ord("A") + letter) + name
        _SEEN.append(name)
    return _SEEN[column]


@contextmanager
def workbook(part: Path, columns: Sequence[Column], name: str) -> Iterator[Writer]:
    """A writer of typed cells. A text of over 32,767 characters goes on in further columns, `NAME (2)` and so on, which
    `open_table` joins again; a time is text; a number of over 15 digits too.
    """
    with (
        tempfile.TemporaryFile(dir=part.parent) as spool,
        io.TextIOWrapper(spool, encoding="utf-8", errors=MARKED, newline="") as body,
    ):
        sheet = _Sheet(body, columns, name)
        yield sheet
        body.flush()
        with ZipFile(part, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for path, xml in _FILES.items():
                archive.writestr(path, _HEAD + xml)
            with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
                entry.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{sheet.head()}'.encode(errors=MARKED))
                spool.seek(0)
                shutil.copyfileobj(spool, entry, 1 << 20)
                entry.write(b"</sheetData></worksheet>")
