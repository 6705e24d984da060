"""`socialite export`: all that is known of a project, as a table or as a file that Label Studio imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.findings.export.table import Exported, Order


class ExportError(Exception):
    """What was asked for does not go together."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The command line. `target`: label-studio, or None for a table."""

    key: str
    output: Path
    shape: str
    phase: str
    without_text: bool
    only_coded: bool
    target: str | None
    overwrite: bool


def run(wishes: Wishes) -> None:
    """Write the file, and say what is in it."""
    from backend.findings.export import table
    from db.store import open_store

    if wishes.target is not None:
        _check_label_studio(wishes)
    order = table.Order(
        wishes.output, wishes.shape, wishes.phase, wishes.without_text, wishes.only_coded, wishes.overwrite
    )
    if wishes.target is None:
        table.check(order)
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s, bars() as bar:
            report = bar("Writing", "rows")
            if wishes.target is None:
                sentences = _said(order, table.export(s, wishes.key, order, report))
            else:
                from backend.findings.export import label_studio

                n, m = label_studio.export(
                    s, wishes.key, wishes.phase, wishes.output, overwrite=wishes.overwrite, report=report
                )
                sentences = [f"{wishes.output} is written for Label Studio: {n:,} tasks, {m:,} annotations."]
    finally:
        store.close()
    for sentence in sentences:
        say(sentence)


def _said(order: Order, done: Exported) -> list[str]:
    said = [
        f"{order.output} is written: {done.rows:,} rows, {done.columns:,} columns. {done.dictionary.name} says what "
        "they mean."
    ]
    said += [
        f"{n:,} labels of the model on '{question}' are left out: their texts are coded blind until `socialite "
        "open-test` opens the test for this release and codebook."
        for question, n in done.withheld.items()
    ]
    return said


def _check_label_studio(wishes: Wishes) -> None:
    """The options of a table have no meaning there."""
    from backend.corpus.tables.writing import check_output

    if wishes.output.suffix.lower() != ".json":
        raise ExportError(f"Label Studio imports JSON: give {wishes.output.name} the ending .json.")
    if wishes.without_text or wishes.only_coded or wishes.shape != "long":
        raise ExportError("--shape, --without-text and --only-coded are options of a table: leave them out.")
    check_output(wishes.output, overwrite=wishes.overwrite)
