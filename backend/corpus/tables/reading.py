"""Opening a table, whatever its format."""

from __future__ import annotations

from pathlib import Path

from backend.corpus.tables.delimited import open_delimited
from backend.corpus.tables.table import Table, TableError


def open_table(path: Path) -> Table:
    """Reads the whole file once to find out how it is written. TableError says what is wrong and in which row."""
    if not path.is_file():
        raise TableError(f"There is no file {path}. Give the path of a table.")
    try:
        return open_delimited(path)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None
