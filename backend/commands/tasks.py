"""`socialite tasks`: the published coding tasks, as a table for people or JSON for programs."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from labelstudio_config.codebook import Codebook
from labelstudio_config.tasks import published

COLUMNS = ("codebook", "task", "tuning", "kind", "texts", "labels")


def run(family: str | None, as_json: bool) -> None:
    books = published(family)
    if as_json:
        print(json.dumps([_plain(book) for book in books], ensure_ascii=False))  # noqa: T201
        return
    rows = [_row(book) for book in books]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    print(_line(COLUMNS, widths))  # noqa: T201
    shown = zip(books, rows, strict=True)
    for name, of_family in groupby(shown, key=lambda entry: entry[0].provenance.family):
        print(f"\n{name}")  # noqa: T201
        for _, row in of_family:
            print(_line(row, widths))  # noqa: T201


def _plain(book: Codebook) -> dict[str, Any]:
    """Names as in the codebook's file; `fields` are the names of its texts, `labels` the codes in their order."""
    (question,), origin = book.questions, book.provenance
    return {
        "task": origin.task,
        "codebook": book.key,
        "socket": origin.socket or None,
        "family": origin.family,
        "tuning": origin.tuning,
        "kind": question.kind.value,
        "fields": [f.name for f in question.fields],
        "labels": [label.code for label in question.labels],
        "dataset": origin.dataset,
        "paper": origin.paper,
        "licence": origin.licence,
        "not_measured": origin.not_measured,
    }


def _row(book: Codebook) -> tuple[str, ...]:
    (question,), origin = book.questions, book.provenance
    texts = " + ".join(f.name for f in question.fields)
    between = " < " if question.kind == "ordinal" else " | "
    labels = between.join(label.code for label in question.labels)
    return (book.key, origin.task, origin.tuning, question.kind.value, texts, labels)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
