"""`socialite predict`: a table in, a table with labels out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend import settings
from backend.commands.console import bars, say
from backend.corpus.codebooks import several
from backend.corpus.predict import Summary, codings, new_columns, predict, sample
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import check_output, check_table


def run(
    source: Path,
    codebook: str,
    output: Path,
    text_column: str | None,
    pair_column: str | None,
    limit: int | None,
    overwrite: bool,
    scored: Mapping[str, Any],
) -> None:
    """Everything that can be wrong with the order is said before the engine is loaded.

    `scored` are settings that were given of how texts are scored.
    """
    from backend.engines.choice import choose, remarks
    from backend.engines.cost import forecast

    in_force = settings.load(**scored)
    table = open_table(source)
    check_output(output, overwrite=overwrite, source=source)
    for remark in table.said():
        say(remark)
    books = several(codebook)
    scorer = choose(in_force, ready=False)
    made, left_out = codings(scorer, books, table, text_column, pair_column)
    rows = min(table.n, limit or table.n)
    check_table(output, rows, [*table.columns, *new_columns(table, made)])
    asked = sample(table, made)
    for sentence in (*left_out, *remarks(in_force, [question for question, _ in asked])):
        say(sentence)
    if expected := forecast(scorer, asked, rows):
        say(expected)
    scorer.load()
    with bars() as bar:
        report = bar("Labelling", "rows")
        summary = predict(table, made, scorer, output, limit=limit, overwrite=overwrite, report=report)
    for sentence in _said(summary, output):
        say(sentence)


def _said(summary: Summary, output: Path) -> list[str]:
    """What a person should know of the output: a sentence each, with a count."""
    said = [f"{summary.rows:,} rows are in {output}; the new columns are {', '.join(summary.columns)}."]
    if summary.empty:
        said.append(f"{summary.empty:,} rows have no text, and so no label.")
    said += [f"{n:,} rows have no label: {sentence}" for sentence, n in summary.problems.most_common()]
    if summary.cut:
        said.append(f"{summary.cut:,} rows were too long and were read in part: tokens_cut says how much is missing.")
    said += [f"{n:,} rows: {sentence}" for sentence, n in summary.warnings.most_common()]
    return said + summary.remarks
