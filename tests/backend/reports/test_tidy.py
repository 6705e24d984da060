from __future__ import annotations

import csv
import io

import pandas as pd

from backend.findings.report import Column, Report, Section
from backend.learning.estimate import Estimate
from backend.reports.tidy import COLUMNS, rows, text
from tests.backend.reports import made


def read(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(report), newline="")))


def test_every_number_is_a_row() -> None:
    report = made.rich()
    cells = [cell for s in report.sections for table in s.tables for row in table.cells for cell in row]
    found = read(report)
    assert len(found) == sum(cell is not None and not isinstance(cell, str) for cell in cells)
    assert tuple(found[0]) == COLUMNS
    assert all(row["value"] or row["missing"] for row in found)


def test_numbers_keep_their_precision_and_their_n() -> None:
    columns = (Column("a", "share"), Column("b", "count"))
    table = made.table("t", columns, ("r",), ((Estimate(240, -1 / 3, -0.5, 0.1 + 0.2), 12),))
    first, second = read(Report("R", {}, (Section("s", "S", tables=(table,)),)))
    assert [float(first[name]) for name in ("value", "lower", "upper", "n")] == [-1 / 3, -0.5, 0.1 + 0.2, 240]
    assert (first["section"], first["table"], first["question"], first["unit"]) == ("s", "t", "emotion", "share")
    assert (second["value"], second["lower"], second["n"], second["unit"]) == ("12", "", "", "count")


def test_what_is_missing_has_its_reason() -> None:
    found = [row for row in read(made.rich()) if row["table"] == "by-label" and row["row"] == "sadness"]
    assert [(row["value"], row["missing"], row["n"]) for row in found] == [("", made.FEW, "6")] * 3


def test_pandas_reads_numbers_as_numbers() -> None:
    found = pd.read_csv(io.StringIO(text(made.rich())))
    assert found[["value", "lower", "upper", "n"]].dtypes.map(pd.api.types.is_numeric_dtype).all()
    assert len(found) == len(list(rows(made.rich())))
    assert made.HEBREW in set(found["row"]) and made.MARKUP in set(found["row"])


def test_names_origins_and_reasons_are_no_formulas() -> None:
    figure = Estimate(3, missing=made.FORMULA)
    table = made.table("t", (Column(made.FORMULA, "share"),), (made.FORMULA,), ((figure,),), question=made.FORMULA)
    (row,) = read(Report("R", {}, (Section("s", "S", tables=(table,)),)))
    assert {row[name] for name in ("question", "row", "column", "missing")} == {f"'{made.FORMULA}"}
