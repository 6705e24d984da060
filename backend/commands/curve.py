"""`socialite curve`: how well each run did, by the number of labels that it learned from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import say
from backend.corpus.tables.writing import check_output, new_table

if TYPE_CHECKING:
    from backend.learning.curve import Curve


class CurveError(Exception):
    """The curve cannot be drawn."""


def run(key: str, output: Path | None, as_json: bool, overwrite: bool) -> None:
    """A table on standard output, and a picture or a CSV file where one is named."""
    from backend.learning.cards import kept
    from backend.learning.curve import curve
    from backend.reports.curve import rows, text
    from backend.reports.plot import FORMATS
    from db import projects
    from db.store import open_store

    endings = (*FORMATS, ".csv")
    if output is not None:
        if output.suffix.lower() not in endings:
            raise CurveError(f"{output} has an ending that is not known. Take one of: {', '.join(endings)}.")
        check_output(output, overwrite=overwrite)
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            found = curve(key, kept(s, projects.by_key(s, key)))
    finally:
        store.close()
    if not found.lines and not (as_json and output is None):
        raise CurveError(f"No run of '{key}' has finished yet. `socialite retrain --project {key}` starts one.")
    if output is not None:
        _write(found, output, overwrite)
        say(f"{output} is written.")
    print(json.dumps({"curve": rows(found)}, ensure_ascii=False) if as_json else text(found).rstrip())  # noqa: T201


def _write(found: Curve, output: Path, overwrite: bool) -> None:
    from backend.reports.curve import COLUMNS, rows
    from backend.reports.plot import plot

    if output.suffix.lower() != ".csv":
        plot(found, output)
        return
    with new_table(output, COLUMNS, overwrite=overwrite) as writer:
        for row in rows(found):
            writer.writerow(["" if value is None else str(value) for value in row.values()])
