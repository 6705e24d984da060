from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan

import numpy as np

from backend.findings.report import Column, Report, Section
from backend.learning.estimate import Estimate
from backend.reports.plain import plain
from tests.backend.reports import made


def test_json_gives_it_back_as_it_was() -> None:
    found = plain(made.rich())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_its_keys_stay() -> None:
    found = plain(made.rich())
    assert list(found) == ["format", "title", "level", "facts", "sections"]
    section = found["sections"][3]
    assert list(section) == ["key", "title", "text", "missing", "tables", "examples"]
    table = section["tables"][0]
    assert list(table) == ["key", "title", "question", "head", "columns", "rows", "origin", "notes", "drawn"]
    assert list(table["columns"][0]) == ["name", "unit"] and list(table["rows"][0]) == ["name", "cells"]
    assert list(section["examples"][0]) == ["title", "question", "notes", "texts"]
    assert list(section["examples"][0]["texts"][0]) == ["external_id", "fields", "said"]


def test_an_estimate_has_everything_at_full_precision() -> None:
    figure = Estimate(240, 1 / 3, 0.1 + 0.2, 2 / 3)
    cells = ((figure, Estimate(6, missing=made.FEW), None, 3, "words"),)
    table = made.table("t", tuple(Column(name, "share") for name in "abcde"), ("r",), cells)
    (row,) = plain(Report("R", {}, (Section("s", "S", tables=(table,)),)))["sections"][0]["tables"][0]["rows"]
    assert row["cells"] == [
        {"n": 240, "value": 1 / 3, "lower": 0.1 + 0.2, "upper": 2 / 3, "missing": ""},
        {"n": 6, "value": None, "lower": None, "upper": None, "missing": made.FEW},
        None,
        3,
        "words",
    ]


def test_what_json_has_no_word_for_is_null() -> None:
    cells = ((nan, Estimate(9, nan, -inf, inf), np.float64(0.5)),)
    table = replace(made.work(), rows=("r",), cells=cells, columns=tuple(Column(name, "share") for name in "abc"))
    found = plain(Report("R", {}, (Section("s", "S", tables=(table,)),)))
    (row,) = found["sections"][0]["tables"][0]["rows"]
    assert row["cells"] == [None, {"n": 9, "value": None, "lower": None, "upper": None, "missing": ""}, 0.5]
    assert type(row["cells"][2]) is float
