from __future__ import annotations

from backend.findings.report import Column
from backend.learning.estimate import Estimate
from backend.reports.sheet import Written, lettered, sheet
from tests.backend.reports import made


def test_words_and_nothing_are_shown_as_they_are() -> None:
    table = made.table("t", (Column("a"), Column("b"), Column("c", "share")), ("r",), (("words", "", None),))
    assert sheet(table).cells == ((Written("words"), Written("–"), Written("–")),)


def test_n_is_a_column_where_every_row_has_one() -> None:
    figures = (Estimate(40, 0.5, 0.4, 0.6), Estimate(40, 0.5, 0.4, 0.6))
    table = made.table("t", (Column("a", "share"), Column("b", "share")), ("r", "s"), (figures, (None, None)))
    found = sheet(table)
    assert found.columns == (("a", "%"), ("b", "%"), ("n", ""))
    assert [row[-1].value for row in found.cells] == ["40", "–"]


def test_a_column_of_counts_that_says_n_is_enough() -> None:
    cells = ((Estimate(40, 0.5, 0.4, 0.6), 40), (Estimate(30, 0.5, 0.4, 0.6), 30))
    found = sheet(made.table("t", (Column("a", "share"), Column("texts", "count")), ("r", "s"), cells))
    assert len(found.columns) == 2 and found.cells[0][0].n == ""


def test_n_stands_beside_where_a_row_has_several() -> None:
    cells = ((Estimate(40, 0.5, 0.4, 0.6), Estimate(1200, missing=made.FEW)),)
    found = sheet(made.table("t", (Column("a", "share"), Column("b", "share")), ("r",), cells))
    assert [cell.n for cell in found.cells[0]] == ["n = 40", "n = 1,200"]


def test_marks_are_letters_in_order_and_each_reason_has_one() -> None:
    assert lettered(["x", "", "y", "x"]) == {"x": "a", "y": "b"}
    many = lettered(map(str, range(30)))
    assert (many["25"], many["26"], many["27"]) == ("z", "aa", "ab")
