"""Tables as people have them: encodings, separators, quotes, gaps; and what is refused rather than misread."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.corpus.tables.cells import harmless
from backend.corpus.tables.delimited import LONGEST_CELL
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from backend.corpus.tables.writing import check_output, new_table


def written(folder: Path, content: bytes) -> Path:
    path = folder / "in.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding", "separator", "columns", "rows"),
    [
        (b"text,label\nhi,1\n", "utf-8", ",", ("text", "label"), [["hi", "1"]]),
        (b"\xef\xbb\xbftext,b\r\nhi,1\r\n", "utf-8-sig", ",", ("text", "b"), [["hi", "1"]]),
        ("text;b\nZoë;☕\n".encode(), "utf-8", ";", ("text", "b"), [["Zoë", "☕"]]),
        ("text\tb\nZoë, yes\t2\n".encode("cp1252"), "cp1252", "\t", ("text", "b"), [["Zoë, yes", "2"]]),
        ("text\tb\nZoë\t2\n".encode("utf-16"), "utf-16", "\t", ("text", "b"), [["Zoë", "2"]]),
        (b"text,b\n\x81,2\n", "latin-1", ",", ("text", "b"), [["\x81", "2"]]),
        (b'text,b\n"a, ""b""\r\nc",2\n', "utf-8", ",", ("text", "b"), [['a, "b"\r\nc', "2"]]),
        (b"text,b\na\x00b,2\n", "utf-8", ",", ("text", "b"), [["a\x00b", "2"]]),
        (b"text,b\nshort\n\nlong,2,,\n", "utf-8", ",", ("text", "b"), [["short", ""], ["long", "2"]]),
        (b"text\n\"hello, world\"\n''\n", "utf-8", ",", ("text",), [["hello, world"], ["''"]]),
        (b"text,b\r,2\ra,\r", "utf-8", ",", ("text", "b"), [["", "2"], ["a", ""]]),
    ],
)
def test_reads(
    tmp_path: Path, content: bytes, encoding: str, separator: str, columns: tuple[str, ...], rows: list[list[str]]
) -> None:
    table = open_table(written(tmp_path, content))
    assert (table.encoding, table.separator, table.columns, table.n) == (encoding, separator, columns, len(rows))
    assert list(table.rows()) == rows


def test_says_how_it_was_read(tmp_path: Path) -> None:
    assert open_table(written(tmp_path, b"text,b\n1,2\n")).remarks == ()
    (encoding, separator) = open_table(written(tmp_path, "a;b\nZoë;2\n".encode("cp1252"))).remarks
    assert "read as cp1252" in encoding
    assert "semicolon" in separator
    (loose,) = open_table(written(tmp_path, b'text,b\n"he said "hi" to",2\n')).remarks
    assert "not doubled" in loose


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"text,b\n", "has no rows"),
        (b'"text,b\n1,2\n', "A quote in the first row of in.csv"),
        (b"text,b\nhe said yes, no,2\n", "Line 2: It has 3 cells, the header 2 (separator: comma)"),
        (b'text,b\n"never closed,2\nmore\n', "Line 2: A quote is opened here and not closed; lines 2 to 3"),
    ],
)
def test_a_table_without_a_good_row_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(TableError) as error:
        open_table(written(tmp_path, content))
    assert sentence in str(error.value)
    assert "never closed,2" not in str(error.value)


LONG = b"x" * (LONGEST_CELL + 1)
GOOD = b"text,b\nfine,1\n"


@pytest.mark.parametrize(
    ("content", "bad", "rows"),
    [
        (GOOD + b"he said yes, no,2\nz,3\n", {3: "3 cells, the header 2"}, [(2, "fine"), (4, "z")]),
        (GOOD + "Zoë,2\n".encode() + b"\xff\xfe,2\nyy,3\n" + "ßßßß,\n".encode(), {4: "no utf-8"},
         [(2, "fine"), (3, "Zoë"), (5, "yy"), (6, "ßßßß")]),
        (GOOD + b'"never closed,2\nmore,3\nand,4\n', {3: "not closed; the line"},
         [(2, "fine"), (4, "more"), (5, "and")]),
        (GOOD + b'"never closed\nmore\nand,4\n', {3: "lines 3 to 4"}, [(2, "fine"), (5, "and")]),
        (GOOD + b'"never closed,2\n"more",3\n"a\nb",4\n', {3: "not closed; the line"},
         [(2, "fine"), (4, "more"), (5, "a\nb")]),
        (GOOD + b'x,"two\nlines"\r\n"he said "hi", to",2\r\n"a\n\nb",4\r\nz,5', {5: "not doubled"},
         [(2, "fine"), (3, "x"), (6, "a\n\nb"), (9, "z")]),
        (GOOD + b'"' + LONG + b'",2\nz,3\n', {3: "over 10,000,000 characters"}, [(2, "fine"), (4, "z")]),
        (b'text\nfine\n"never closed\nmore\n', {3: "lines 3 to 4"}, [(2, "fine")]),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, content: bytes, bad: dict[int, str], rows: list[tuple[int, str]]
) -> None:
    table = open_table(written(tmp_path, content))
    assert [row.line for row in table.bad] == list(bad)
    assert all(words in row.reason for row, words in zip(table.bad, bad.values(), strict=True))
    assert [(line, cells[0]) for line, cells in table.numbered()] == rows
    assert (table.n, table.n_bad) == (len(rows), len(bad))
    assert not any("never closed" in said or "he said" in said for said in table.said())


def test_of_many_bad_rows_the_first_are_kept(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, GOOD + b"1,2,3\n" * 3000 + b"z,5\n"))
    assert (table.n, table.n_bad, len(table.bad)) == (2, 3000, 1000)
    assert [line for line, _ in table.numbered()] == [2, 3003]
    *first, more = table.said(2)
    assert first == [f"in.csv, line {n}, left out: {table.bad[0].reason}" for n in (3, 4)]
    assert "2,998 more rows" in more


def test_excel_says_its_separator_in_the_first_line(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, b"sep=;\r\na,b;c\r\n1;2\r\n"))
    assert (table.columns, list(table.numbered())) == (("a,b", "c"), [(3, ["1", "2"])])


def test_what_is_given_is_not_found_out(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b,c\nè;2,3\n".encode("cp1250", errors="replace") + b"\xb9;,\n")
    table = open_table(path, encoding="cp1250", separator=";")
    assert (table.columns, list(table.rows())[-1]) == (("a", "b,c"), ["ą", ","])
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        open_table(path, encoding="klingon")
    with pytest.raises(TableError, match="one character"):
        open_table(path, separator=", ")


def test_columns_by_name(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, b"text,a,a\n1,2,3\n"))
    assert table.column("text") == 0
    with pytest.raises(TableError, match=r"has no column 'tweet'. Its columns are: text, a, a.*with --text-column"):
        table.column("tweet", option="--text-column")
    with pytest.raises(TableError, match="has 'a' twice"):
        table.column("a")
    with pytest.raises(TableError, match="There is no file"):
        open_table(tmp_path / "absent.csv")


def test_the_output_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(RuntimeError), new_table(path, ["a"], overwrite=False) as writer:
        writer.writerow(["1"])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_table(path, ["a", "b"], overwrite=False) as writer:
        writer.writerow(['x,"y"\nz', "☕"])
        assert not path.exists()
    assert path.read_bytes() == 'a,b\r\n"x,""y""\nz",☕\r\n'.encode()
    with pytest.raises(TableError, match="--overwrite"):
        check_output(path, overwrite=False)
    with pytest.raises(TableError, match="is the input itself"):
        check_output(path, overwrite=True, source=path)
    with pytest.raises(TableError, match="There is no folder"):
        check_output(tmp_path / "absent" / "out.csv", overwrite=True)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]) -> None:
    """Any cells come back as they were, through a file of ours; a separator in cells does not hide the header's."""
    path = tmp_path_factory.mktemp("any") / "any.csv"
    with new_table(path, ["first", "second", "third"], overwrite=False) as writer:
        for row in rows:
            writer.writerow(row)
    with path.open(encoding="utf-8", newline="") as file:
        assert [tuple(row) for row in list(csv.reader(file))[1:]] == [tuple(map(harmless, row)) for row in rows]
    table = open_table(path)
    assert table.columns == ("first", "second", "third")
    assert [tuple(row) for row in table.rows()] == rows


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", "-1+1"])
def test_a_cell_that_a_spreadsheet_would_run_is_put_behind_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "text", "-1", "+1.5e3", "-.5", "1=1", "٣"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell
