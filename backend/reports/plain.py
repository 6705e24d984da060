"""A report for programs: mappings and lists whose keys stay, numbers at full precision."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any

from backend.findings.report import Cell, Example, Examples, Report, Section, Table
from backend.learning.estimate import LEVEL, Estimate

FORMAT = 1  # goes up when a key changes its meaning or goes


def plain(report: Report) -> dict[str, Any]:
    """What JSON can hold. An estimate is a mapping with `n`, `value`, `lower`, `upper` and `missing`; NaN and infinity
    are null. `level` is that of all intervals.
    """
    return {
        "format": FORMAT,
        "title": report.title,
        "level": LEVEL,
        "facts": dict(report.facts),
        "sections": [_section(one) for one in report.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "text": list(section.text),
        "missing": section.missing,
        "tables": [_table(one) for one in section.tables],
        "examples": [_examples(one) for one in section.examples],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "key": table.key,
        "title": table.title,
        "question": table.question,
        "head": table.head,
        "columns": [{"name": column.name, "unit": column.unit} for column in table.columns],
        "rows": [
            {"name": name, "cells": [_cell(cell) for cell in row]}
            for name, row in zip(table.rows, table.cells, strict=True)
        ],
        "origin": table.origin,
        "notes": list(table.notes),
        "drawn": table.drawn,
    }


def _cell(cell: Cell) -> Any:
    if isinstance(cell, Estimate):
        return {name: finite(value) for name, value in asdict(cell).items()}
    return finite(cell)


def finite(value: Any) -> Any:
    """The value; None where it is a float that JSON has no word for."""
    if not isinstance(value, float):
        return value
    return float(value) if isfinite(value) else None


def _examples(examples: Examples) -> dict[str, Any]:
    return {
        "title": examples.title,
        "question": examples.question,
        "notes": list(examples.notes),
        "texts": [_example(one) for one in examples.texts],
    }


def _example(example: Example) -> dict[str, Any]:
    return {"external_id": example.external_id, "fields": list(example.fields), "said": dict(example.said)}
