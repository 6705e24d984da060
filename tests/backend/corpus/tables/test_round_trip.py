"""What is written is read, in every format: any cell, typed cells, and the same file when it is written twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.corpus.tables.cells import Cell, as_it_was, harmless, is_number, plain
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from backend.corpus.tables.writing import Column, Kind, Writer, check_table, new_table

EXACT = ("csv", "tsv", "xlsx", "jsonl", "ndjson", "parquet")
FORMATS = (*EXACT, "dta")
HARD = [
    "", " ", "=1+1", "+49", "+x", "-", "-1", "@user hello", "'=", "''=1", "'-1", "''-1", "'", "\t=1", "\r", "\n",
    "\r\n", '"', '""', 'a "b" c', ",", ";", "|", "a\tb", "\x00", "a\x00b", "\x01\x1f\x7f\x85", "\u2028", "\ufeffx",
    "\ufffe\uffff", "_x0041_", "_x005F_x0041_", "_x005f_", "x005F_", "_x0000_", "😀", "שלום עולם", "\u202eabc",
    "e\u0301", "007", "1234567890123456789", "1e5", "TRUE", "NaN", "NA", "null", "2024-01-02", "<b>&amp;</b>", "]]>",
    "x" * 100_000, "😀=" * 40_000, "\x00" * 5000 + "_x0041_" * 5000, " lead", "trail ", "#N/A", "1,5", "{}", "sep=;",
]  # fmt: skip
CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(HARD),
    st.text("'=+-@\t\r\n\"1,_x0", max_size=6),
)


def written(path: Path, columns: Sequence[str | Column], rows: Sequence[Sequence[Cell]]) -> Writer:
    with new_table(path, columns, overwrite=True) as writer:
        for row in rows:
            writer.writerow(row)
    return writer


@pytest.mark.parametrize("ending", FORMATS)
def test_hard_cells_come_back(tmp_path: Path, ending: str) -> None:
    rows = [[cell, str(n), HARD[-n]] for n, cell in enumerate(HARD)]
    path = tmp_path / f"t.{ending}"
    writer = written(path, ["text", "n", "again"], rows)
    table = open_table(path)
    expected = rows
    if ending == "dta":
        expected = [[cell.replace("\x00", "") for cell in row] for row in rows]
        assert "lost their NUL characters" in writer.remarks[0]
    assert table.columns == ("text", "n", "again")
    assert list(table.rows()) == expected
    assert (table.n, table.bad, len(list(table.numbered()))) == (len(rows), (), len(rows))
    again = tmp_path / f"again.{ending}"
    written(again, table.columns, list(table.rows()))
    assert list(open_table(again).rows()) == expected


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
@example(rows=[("", "")])
@example(rows=[("", ""), ("a", ""), ("", "")])
def test_any_cells_come_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / f"t.{ending}"
    written(path, ["first", "second"], rows)
    lost = "\x00" if ending == "dta" else ""
    assert [tuple(row) for row in open_table(path).rows()] == [
        tuple(c.replace(lost, "") if lost else c for c in row) for row in rows
    ]


@pytest.mark.parametrize("ending", EXACT)
@settings(max_examples=20, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_a_column_of_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, ending: str, name: str) -> None:
    path = tmp_path_factory.mktemp("name") / f"t.{ending}"
    written(path, ["first" + name, name + "x"], [["a,b;c", ""], ["", "2\t3"]])
    table = open_table(path)
    assert (table.columns, list(table.rows())) == (("first" + name, name + "x"), [["a,b;c", ""], ["", "2\t3"]])


TYPED = (
    Column("t", Kind.TEXT, "a text"), Column("i", Kind.INTEGER), Column("x", Kind.NUMBER), Column("b", Kind.TRUTH),
    Column("w", Kind.TIME, "when" * 40),
)  # fmt: skip
INTEGERS = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-8e307, max_value=8e307)
TIMES = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- gets one


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(*(st.none() | one for one in (st.sampled_from(["", "a"]), INTEGERS, NUMBERS, st.booleans(), TIMES))),
        min_size=1,
        max_size=5,
    )
)
@example(rows=[(None,) * 5])
@example(rows=[(None, 2**31 - 1, 1e15, 1, None), ("", -(2**31), -0.0, 0, None), ("", 2**31 - 101, 5e-324, None, None)])
def test_typed_cells_come_back_as_the_same_texts(
    tmp_path_factory: pytest.TempPathFactory, ending: str, rows: list[tuple[Cell, ...]]
) -> None:
    path = tmp_path_factory.mktemp("typed") / f"t.{ending}"
    written(path, TYPED, rows)
    assert list(open_table(path).rows()) == [[plain(cell) for cell in row] for row in rows]


@given(cell=st.text("'=+-@\t\r1.e x", max_size=8))
def test_the_apostrophe_is_taken_away_again(cell: str) -> None:
    assert as_it_was(harmless(cell)) == cell
    if harmless(cell) == cell and as_it_was(cell) == cell:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or is_number(cell)
    if harmless(as_it_was(cell)) != cell:  # only what a spreadsheet would run is changed by reading and writing
        assert harmless(cell) == f"'{cell}" and not cell.startswith("'")


def test_numbers_as_text() -> None:
    numbers = [1.0, -0.0, 0.1, 1e15, 1e16, 123456789.5, float("nan"), float("inf"), True, 7, None]
    told = ["1", "0", "0.1", "1000000000000000", "1e+16", "123456789.5", "", "inf", "1", "7", ""]
    assert [plain(x) for x in numbers] == told


@pytest.mark.parametrize("ending", FORMATS)
def test_what_no_file_holds_does_not_stop_the_others(tmp_path: Path, ending: str) -> None:
    """Half of a character becomes U+FFFD; NaN is missing; so are all kinds of nothing."""
    path = tmp_path / f"t.{ending}"
    written(path, ["t", Column("x", Kind.NUMBER)], [["a\ud800b", float("nan")], ["\udcff", 1.5], [None, None]])
    assert list(open_table(path).rows()) == [["a\ufffdb", ""], ["\ufffd", "1.5"], ["", ""]]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_infinity_and_large_numbers_keep_all_they_say(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    written(path, [Column("x", Kind.NUMBER), Column("i", Kind.INTEGER)], [[float("inf"), 2**62], [-1.5, -(10**15)]])
    assert list(open_table(path).rows()) == [["inf", str(2**62)], ["-1.5", str(-(10**15))]]


def test_what_a_format_cannot_hold_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"does not say which kind.*\.csv.*\.xlsx.*\.dta"):
        check_table(tmp_path / "out.docx", 1, ["a"])
    with pytest.raises(TableError, match=r"holds 1,048,575 rows .* would have 1,048,576 and 1. Write \.csv"):
        check_table(tmp_path / "out.xlsx", 1_048_576, ["a"])
    check_table(tmp_path / "out.xlsx", 1_048_575, ["a"])
    for name in ("2nd", "a b", "x" * 33, "int", "str12", "é", ""):
        with pytest.raises(TableError, match="Stata takes no variable"):
            check_table(tmp_path / "out.dta", 1, [name])
    for ending in ("jsonl", "dta"):
        with pytest.raises(TableError, match="two columns 'a'"):
            written(tmp_path / f"out.{ending}", ["a", "a"], [["1", "2"]])
    with pytest.raises(TableError, match="Stata cannot hold the number inf"):
        written(tmp_path / "out.dta", [Column("a", Kind.NUMBER)], [[float("inf")]])
    with pytest.raises(TableError, match="cannot hold"):
        written(tmp_path / "out.parquet", [Column("a", Kind.INTEGER)], [[2**64]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_two_columns_of_one_name_are_written_and_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    written(path, ["a", "a", "b"], [["1", "2", "3"]])
    table = open_table(path)
    assert (table.columns, list(table.rows())) == (("a", "a", "b"), [["1", "2", "3"]])
    with pytest.raises(TableError, match="has 'a' twice"):
        table.column("a")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_table_that_is_not_finished_leaves_no_file(tmp_path: Path, ending: str) -> None:
    with pytest.raises(RuntimeError), new_table(tmp_path / f"t.{ending}", ["a"], overwrite=False) as writer:
        writer.writerow(["1"])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", FORMATS)
def test_written_twice_it_has_the_same_rows(tmp_path: Path, ending: str) -> None:
    rows = [[cell, str(n)] for n, cell in enumerate(HARD)]
    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending}"
    for path in (one, other):
        written(path, ["a", "b"], rows)
    assert list(open_table(one).numbered()) == list(open_table(other).numbered())
    if ending in ("csv", "tsv", "jsonl", "ndjson", "parquet"):
        assert one.read_bytes() == other.read_bytes()
