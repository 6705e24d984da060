from __future__ import annotations

import re

from backend.learning.cards import Kept
from backend.learning.curve import Curve, curve
from backend.reports.curve import COLUMNS, rows, text
from backend.reports.page import WIDTH
from tests.backend.learning.cards import learned


def made() -> Curve:
    return curve("posts", [Kept(learned(1, 40), False), Kept(learned(2, 1090, "promote"), True)])


def test_the_table_has_a_row_a_run() -> None:
    lines = text(made()).splitlines()
    assert lines[0] == "posts: humor" and max(map(len, lines)) <= WIDTH
    assert re.fullmatch(r"  a coder, by the others  [\d.]+ \[[\d.]+, [\d.]+\], n = 40", lines[2])
    first, second = (re.split(r"  +", line.strip()) for line in lines if re.match(r"  \d ", line))
    assert first[:6] == ["1", "2026-03-01", "40", "no", "40", "100.0"]
    assert second[:5] == ["2", "2026-03-02", "1,090", "yes", "40"]
    assert len(first) == len(second) == 8
    assert any(line.startswith("  challenger of run 1, challenger of run 2: 40 texts") for line in lines)


def test_rows_hold_everyone_with_bounds_and_n() -> None:
    found = rows(made())
    assert all(tuple(row) == COLUMNS for row in found)
    assert [row["who"] for row in found[:5]] == ["zero-shot", "tfidf", "champion", "challenger", "ceiling"]
    top = found[3]
    assert top["date"] == "2026-03-01T12:00:00+00:00"
    assert (top["run"], top["labels"], top["value"], top["n"], top["served"]) == (1, 40, 1.0, 40, False)
    assert {row["served"] for row in found if row["run"] == 2} == {True}
