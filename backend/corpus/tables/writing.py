"""Writing a table, whatever its format, to a file that gets its name only when all is written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from backend.corpus.tables.cells import MARKED
from backend.corpus.tables.columns import Column, Kind, Writer, is_variable, named
from backend.corpus.tables.sheet_text import COLUMNS, ROWS
from backend.corpus.tables.table import TableError

__all__ = ["Column", "Kind", "Writer", "check_output", "new_file", "new_table"]
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
FORMATS = (*SEPARATORS, ".xlsx", ".jsonl", ".ndjson", ".parquet", ".dta")


@contextmanager
def new_table(path: Path, columns: Sequence[str | Column], *, overwrite: bool) -> Iterator[Writer]:
    """A writer of rows to a file of the format that its name's ending says; see `check_output`.

    Rows go to the file as they come; those of Stata's format are kept in memory until all are there. Whatever the
    format, half of a character (a lone surrogate) becomes U+FFFD, and None is missing. In CSV and TSV a text that a
    spreadsheet would run as a formula stands behind an apostrophe, which `open_table` takes away again.
    """
    check_table(path, 0, columns)
    of = format_of(path)
    if of in SEPARATORS:
        from backend.corpus.tables.delimited_writer import delimited

        with new_file(path, overwrite=overwrite) as file:
            yield delimited(file, named(columns), SEPARATORS[of], path.name)
        return
    with new_path(path, overwrite=overwrite) as part, _binary(of, part, named(columns), path.name) as writer:
        yield writer


@contextmanager
def _binary(of: str, part: Path, columns: list[Column], name: str) -> Iterator[Writer]:
    """The writer of a format that makes its file itself; only its packages are loaded."""
    if of == ".xlsx":
        from backend.corpus.tables.workbook_writer import workbook as opened
    elif of == ".parquet":
        from backend.corpus.tables.parquet import parquet as opened
    elif of == ".dta":
        from backend.corpus.tables.stata import stata as opened
    else:
        from backend.corpus.tables.jsonlines import jsonlines as opened
    with opened(part, columns, name) as writer:
        yield writer


def format_of(path: Path) -> str:
    """The ending of a file's name; TableError when no table is written so."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise TableError(f"{path.name} does not say which kind of table it is. Let it end in {', '.join(FORMATS)}.")
    return ending


def check_output(path: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """TableError when the file is there already, is the table that is read, or its folder is not there."""
    if source is not None and path.exists() and path.samefile(source):
        raise TableError(f"{path} is the input itself. Take another name for the output.")
    if path.exists() and not overwrite:
        raise TableError(f"{path} exists already. Take another name, or replace it with --overwrite.")
    if not path.parent.is_dir():
        raise TableError(f"There is no folder {path.parent}. Make it first, or take another name for the output.")


def check_table(path: Path, rows: int, columns: Sequence[str | Column]) -> None:
    """TableError when no such table can be written: the name's ending says no format, a sheet has not the room, or
    columns have names that the format does not take.
    """
    of, names = format_of(path), [one.name for one in named(columns)]
    if of == ".xlsx" and (rows >= ROWS or len(names) > COLUMNS):
        raise TableError(
            f"A sheet of Excel holds {ROWS - 1:,} rows and {COLUMNS:,} columns, and {path.name} would have "
            f"{rows:,} and {len(names):,}. Write .csv or .parquet."
        )
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None and of in (".jsonl", ".ndjson", ".dta"):
        raise TableError(f"{path.name} cannot have two columns '{twice}'. Rename one, or write .csv.")
    if of == ".dta" and (bad := [name for name in names if not is_variable(name)]):
        raise TableError(
            f"Stata takes no variable with the name '{bad[0]}'. What to do: rename the column (letters, digits and _, "
            "at most 32, not a digit first), or write .csv or .parquet."
        )


@contextmanager
def new_path(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """The path of a file to write, which gets its name only when all is written; see `check_output`."""
    check_output(path, overwrite=overwrite)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise TableError(f"{path} cannot be written ({error.strerror}). Check the folder's permissions.") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """A file (UTF-8, line ends as they are given) that gets its name only when all is written; see `check_output`."""
    with (
        new_path(path, overwrite=overwrite) as part,
        part.open("w", encoding="utf-8", errors=MARKED, newline="") as file,
    ):
        yield file
