"""A project as a table in a file, with its dictionary beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from backend.corpus.tables.cells import plain
from backend.corpus.tables.writing import check_output, check_table, new_table
from backend.findings.export import dictionary
from backend.findings.export.long import Long
from backend.findings.export.source import Source
from backend.findings.export.wide import Wide
from db.base import now

Report = Callable[[int, int], None]  # rows of the corpus done, and in all


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: `shape`: long or wide; `phase`: one of the project's, or all."""

    output: Path
    shape: str = "long"
    phase: str = "all"
    without_text: bool = False
    only_coded: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `withheld`: question -> labels of the model that were left out, as their texts are blind."""

    rows: int
    columns: int
    dictionary: Path
    withheld: Mapping[str, int]


def check(order: Order) -> None:
    """TableError when one of the two files cannot be written."""
    for path in (order.output, dictionary.path_of(order.output)):
        check_output(path, overwrite=order.overwrite)


def export(s: Session, key: str, order: Order, report: Report) -> Exported:
    """Write the table and its dictionary. ProjectNotFoundError, FindingsError, RuleError, TableError."""
    check(order)
    source = Source(s, key, order.phase)
    made = Wide if order.shape == "wide" else Long
    shape: Long | Wide = made(source, without_text=order.without_text, only_coded=order.only_coded)
    columns = shape.columns
    missing, n, done, total = [0] * len(columns), 0, 0, source.rows
    check_table(order.output, total, [one.column for one in columns])
    with new_table(order.output, [one.column for one in columns], overwrite=order.overwrite) as writer:
        report(0, total)
        for part in source.parts():
            for row in shape.rows(part):
                writer.writerow(row)
                n += 1
                for at, cell in enumerate(row):
                    missing[at] += cell is None or cell == ""
            done += len(part.rows)
            report(done, total)
    beside = dictionary.path_of(order.output)
    about = {
        "made": plain(now().replace(microsecond=0)),
        "table": f"{order.output.name}, {order.shape}, {n} rows, phase {order.phase}",
        "corpus": f"{total} rows, {len(source.facts.texts.ids)} texts",
    }
    dictionary.write(beside, source, columns, missing, about=about, withheld=shape.withheld, overwrite=order.overwrite)
    return Exported(n, len(columns), beside, {key: n for key, n in shape.withheld.items() if n})
