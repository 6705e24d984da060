"""A comparison as the files of a folder: tables for people and for programs, and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.corpus.tables.cells import harmless
from backend.corpus.tables.writing import new_file, new_path
from backend.paper.comparison import Comparison
from backend.reports import page
from backend.reports.comparison_plot import plot
from backend.reports.comparison_rows import COLUMNS, LABELS, label_rows, rows
from backend.reports.comparison_tables import notes, sections
from backend.reports.latex import latex

FILES = ("table.md", "table.tex", "table.csv", "per_label.csv", "plot.svg", "plot.png")


def write(found: Comparison, folder: Path, title: str, when: datetime, version: str) -> None:
    """Write `FILES`, each whole or not at all; those of an earlier run are replaced."""
    pages = sections(found, title)
    made = f"{version}, {when:%Y-%m-%d %H:%M} UTC"
    texts = {
        "table.md": markdown(found, title),
        "table.tex": f"% Made by socialite {made}.\n" + latex(pages, "comparison"),
        "table.csv": _csv(COLUMNS, rows(found, when, version)),
        "per_label.csv": _csv(LABELS, label_rows(found)),
    }
    for name, text in texts.items():
        with new_file(folder / name, overwrite=True) as file:
            file.write(text)
    for name in ("plot.svg", "plot.png"):
        with new_path(folder / name, overwrite=True) as part:
            whole = part.with_name(f"{part.name}{Path(name).suffix}")  # the picture's format is in its name
            plot(found, [whole])
            whole.replace(part)


def markdown(found: Comparison, title: str) -> str:
    return page.markdown(sections(found, title))


def plain(found: Comparison, folder: Path, when: datetime, version: str) -> dict[str, Any]:
    """The comparison as JSON has it: `rows` and `labels` as in the CSV files, `notes`, and where the files are."""
    return {
        "folder": str(folder),
        "rows": rows(found, when, version),
        "labels": list(label_rows(found)),
        "notes": list(notes(found)),
    }


def _csv(columns: Sequence[str], found: Iterable[Mapping[str, Any]]) -> str:
    """CSV (RFC 4180); what is not there is empty."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    for row in found:
        writer.writerow([_cell(row[name]) for name in columns])
    return file.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else harmless(value) if isinstance(value, str) else str(value)
