"""Opening a table, whatever its format."""

from __future__ import annotations

import codecs
from pathlib import Path

from backend.corpus.tables.delimited import open_delimited
from backend.corpus.tables.table import Table, TableError

_OLD = b"\xd0\xcf\x11\xe0"  # how an .xls begins, and an .xlsx with a password
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"


def open_table(path: Path, *, encoding: str = "", separator: str = "", sheet: str = "") -> Table:
    """Reads the whole file once to find out how it is written, and what is wrong with its rows.

    CSV and TSV (any ending that is no other format's), .xlsx, .jsonl, .parquet, .dta. `encoding` and `separator` of a
    text file are found out when they are not given; of a workbook the first sheet is read when none is named.
    TableError says why no row can be read.
    """
    if not path.is_file():
        raise TableError(f"There is no file {path}. Give the path of a table.")
    if encoding:
        _check(encoding)
    if len(separator) > 1 or separator in ("\r", "\n", '"'):
        raise TableError("A separator is one character, such as a comma or a tab.")
    try:
        return _opened(path, encoding, separator, sheet)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None


def _opened(path: Path, encoding: str, separator: str, sheet: str) -> Table:
    """The table, by how the file begins and by what its name ends in."""
    with path.open("rb") as file:
        head = file.read(4)
    ending = path.suffix.lower()
    if head == _OLD or ending == ".xls":
        raise TableError(
            f"{path.name} is a workbook of an old kind (.xls), or has a password. What to do: open it in Excel or "
            "LibreOffice, and save it as .xlsx without a password."
        )
    if head == _ZIP or ending in (".xlsx", ".xlsm"):
        from backend.corpus.tables.workbook import open_workbook

        return open_workbook(path, sheet)
    if head == _PARQUET or ending in (".parquet", ".pq"):
        from backend.corpus.tables.parquet import open_parquet

        return open_parquet(path)
    if ending == ".dta":
        from backend.corpus.tables.stata import open_stata

        return open_stata(path)
    if ending in (".jsonl", ".ndjson", ".json"):
        from backend.corpus.tables.jsonlines import open_jsonlines

        return open_jsonlines(path, encoding)
    return open_delimited(path, encoding, separator)


def _check(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise TableError(f"There is no encoding '{encoding}'. Examples: utf-8, cp1252, utf-16.") from None
