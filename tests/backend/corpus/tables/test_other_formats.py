"""Tables of others: workbooks, JSON lines, Parquet and Stata files as people have them, and what is refused."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.corpus.tables.reading import open_table
from backend.corpus.tables.table import TableError
from backend.corpus.tables.writing import new_table


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for n, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"S{n}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_cells_of_a_workbook_are_texts(tmp_path: Path) -> None:
    cells = [7, 7.0, 0.1, True, date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5), time(8, 30), "  x ", "007", "#N/A"]  # noqa: DTZ001
    path = workbook(tmp_path / "in.xlsx", [[f"c{n}" for n in range(len(cells))], cells])
    told = ["7", "7", "0.1", "1", "2024-01-02", "2024-01-02T03:04:05", "08:30:00", "  x ", "007", "#N/A"]
    assert list(open_table(path).numbered()) == [(2, told)]


def test_a_formula_is_what_was_last_worked_out(tmp_path: Path) -> None:
    path = workbook(tmp_path / "in.xlsx", [["a", "b"], ["=1+1", "x"]])
    assert list(open_table(path).rows()) == [["", "x"]]


def test_blank_rows_and_merged_cells_of_a_workbook(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "in.xlsx", [[], ["a", "b", None], [], ["x", 1], [None, None], ["y", None, "extra"], ["z"], []]
    )
    book = openpyxl.load_workbook(path)
    book["S1"].merge_cells("A7:B7")
    book.save(path)
    table = open_table(path)
    assert (table.columns, list(table.numbered())) == (("a", "b"), [(4, ["x", "1"]), (7, ["z", ""])])
    assert [(row.line, row.reason[:33]) for row in table.bad] == [(6, "It has 3 cells, the header 2. Giv")]


def test_sheets_by_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "in.xlsx", [["a"], [1]], [["b"], [2]], [])
    table = open_table(path)
    assert table.columns == ("a",)
    assert "3 sheets; 'S1' is read" in table.remarks[0]
    assert list(open_table(path, sheet="S2").rows()) == [["2"]]
    with pytest.raises(TableError, match=r"no sheet 'x'. Its sheets are: S1, S2, S3"):
        open_table(path, sheet="x")
    with pytest.raises(TableError, match=r"'S3' of in.xlsx is empty"):
        open_table(path, sheet="S3")


def test_shared_texts_with_characters_by_number(tmp_path: Path) -> None:
    """As Excel writes them: `_x000D_` is a character, `_x005F_x000D_` is how it writes these very letters."""
    path = workbook(
        tmp_path / "in.xlsx", [["a", "b"], ["one_x000D_two", "_x005F_x000D_"], ["x005F_", "same"], ["same", "same"]]
    )
    rows = [["one\rtwo", "_x000D_"], ["x005F_", "same"], ["same", "same"]]
    assert list(open_table(path).rows()) == rows


def test_columns_of_a_workbook_that_look_like_ours_stay_apart(tmp_path: Path) -> None:
    path = workbook(tmp_path / "in.xlsx", [["a", "a (2)", "a (3)"], ["x" * 32767, "y", ""], ["short", "z", "w"]])
    assert open_table(path).columns == ("a", "a (2)", "a (3)")


def test_a_long_text_is_in_further_columns_that_others_see(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    with new_table(path, ["a", "b"], overwrite=False) as writer:
        writer.writerow(["short", "=1"])
        writer.writerow(["0123456789" * 7000, "0"])
    frame = pandas.read_excel(path)
    assert list(frame.columns) == ["a", "b", "a (2)", "a (3)"]
    assert "".join(frame.iloc[1][["a", "a (2)", "a (3)"]]) == "0123456789" * 7000
    assert [cell.data_type for cell in openpyxl.load_workbook(path).active[2][:2]] == ["s", "s"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("in.xls", b"anything", "old kind"),
        ("in.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "has a password"),
        ("in.xlsx", b"PK\x03\x04 broken", "no workbook that can be read"),
        ("in.xlsx", b"", "no workbook that can be read"),
        ("in.parquet", b"PAR1 broken", "no Parquet file"),
        ("in.dta", b"broken", "no file of Stata"),
        ("in.jsonl", b"\n\n", "is empty"),
        ("in.json", b"[\n1]", "No row of in.json can be read. Line 1: It is no JSON"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=sentence):
        open_table(tmp_path / name)


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "in.ods", "w") as archive:
        archive.writestr("content.xml", "<a/>")
    with pytest.raises(TableError, match=r"save it as .xlsx"):
        open_table(tmp_path / "in.ods")


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "text": "a\\u2028b", "x": 1.50, "t": true, "n": null}',
        "",
        '["no", "object"]',
        '{"text": "b", "more": "later", "id": 12345678901234567890}',
        '{"text": "SECRET", "tags": ["x"]}',
        '{"text": "SECRET"',
        '{"text": "half \\ud800", "x": 1e400, "n": NaN}',
    ]
    path = tmp_path / "in.jsonl"
    path.write_bytes("\r\n".join(lines).encode() + b'\n{"text": "\xff"}\n')
    table = open_table(path)
    assert table.columns == ("id", "text", "x", "t", "n", "more")
    assert list(table.numbered()) == [
        (1, ["1", "a\u2028b", "1.5", "1", "", ""]),
        (4, ["12345678901234567890", "b", "", "", "", "later"]),
        (7, ["", "half \ufffd", "inf", "", "", ""]),
    ]
    assert [row.line for row in table.bad] == [3, 5, 6, 8]
    reasons = " ".join(row.reason for row in table.bad)
    assert "no JSON object" in reasons and "'tags' holds a list" in reasons and "no utf-8" in reasons
    assert "SECRET" not in reasons


def test_json_lines_are_typed(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with new_table(path, ["a"], overwrite=False) as writer:
        writer.writerow(["שלום"])
        writer.writerow([None])
    assert path.read_text(encoding="utf-8") == '{"a": "שלום"}\n{"a": null}\n'
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [{"a": "שלום"}, {"a": None}]


def test_parquet_of_others(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    when = datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001 -- as files have them
    columns = {
        "text": pa.array(["a", None]),
        "code": pa.array(["x", "y"]).dictionary_encode(),
        "small": pa.array([0.1, None], pa.float32()),
        "double": pa.array([3.0, 0.25]),
        "i": pa.array([2**62, None]),
        "t": pa.array([True, False]),
        "day": pa.array([date(2024, 1, 2), None]),
        "ns": pa.array([when, None], pa.timestamp("ns")),
        "zone": pa.array([when, None], pa.timestamp("ms", tz="UTC")),
        "bytes": pa.array([b"abc", None]),
        "none": pa.nulls(2),
    }
    pq.write_table(pa.table(columns), path)
    table = open_table(path)
    assert table.columns == tuple(columns)
    first, second = table.rows()
    assert first == [
        "a",
        "x",
        "0.1",
        "3",
        str(2**62),
        "1",
        "2024-01-02",
        "2024-01-02T03:04:05",
        "2024-01-02T03:04:05Z",
        "abc",
        "",
    ]
    assert second == ["", "y", "", "0.25", "", "0", "", "", "", "", ""]
    pq.write_table(pa.table({"a": [1], "tags": [["x"]]}), path)
    with pytest.raises(TableError, match=r"lists or records \(tags\)"):
        open_table(path)


def test_stata_of_others(tmp_path: Path) -> None:
    frame = pandas.DataFrame(
        {"t": ["a", "bb"], "x": [0.1, float("nan")], "f": [0.1, 2], "c": pandas.Categorical(["p", "q"])}
    )
    frame["f"] = frame["f"].astype("float32")
    frame["w"] = pandas.Timedelta(seconds=1) + pandas.to_datetime(["2024-01-02", "2024-01-03"])
    frame.to_stata(tmp_path / "in.dta", write_index=False, version=114, convert_dates={"w": "tc"})
    rows = [["a", "0.1", "0.1", "0", "2024-01-02T00:00:01"], ["bb", "", "2", "1", "2024-01-03T00:00:01"]]
    assert list(open_table(tmp_path / "in.dta").rows()) == rows


def test_the_format_is_what_the_file_is(tmp_path: Path) -> None:
    """A workbook that somebody called .csv."""
    workbook(tmp_path / "in.xlsx", [["a"], ["x"]]).rename(tmp_path / "in.csv")
    assert list(open_table(tmp_path / "in.csv").rows()) == [["x"]]
