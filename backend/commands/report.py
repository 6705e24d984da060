"""`socialite report`: what was found, as text, or as a file that can be read, printed or calculated with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backend import settings
from backend.commands.console import say
from backend.corpus.tables.writing import check_output, new_file


class ReportError(Exception):
    """The report cannot be written."""


def run(key: str, phase: str, by: Sequence[str], output: Path | None, as_json: bool, overwrite: bool) -> None:
    """Text on standard output, or JSON; where a file is named, that file, and JSON only if it is asked for."""
    from backend.findings.build import build
    from backend.reports import formats, written
    from db.store import open_store

    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    if output is not None:
        if ending not in formats.FORMATS:
            endings = ", ".join(f".{name}" for name in formats.FORMATS)
            raise ReportError(f"{output} has an ending that is not known. Take one of: {endings}.")
        check_output(output, overwrite=overwrite)
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            found = build(s, key, phase, by)
    finally:
        store.close()
    if output is not None:
        with new_file(output, overwrite=overwrite) as file:
            file.write(formats.FORMATS[ending].written(found))
        say(f"{output} is written.")
    if as_json:
        print(formats.as_json(found))  # noqa: T201
    elif output is None:
        print(written.text(found), end="")  # noqa: T201
