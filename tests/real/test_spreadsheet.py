"""LibreOffice opens what is written: the cells are the same, and none is a formula."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from backend.corpus.tables.cells import harmless
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import Column, Kind, new_table

pytestmark = pytest.mark.real
SOFFICE = shutil.which("soffice") or "/usr/lib/libreoffice/program/soffice"
UTF8_CSV = "Text - txt - csv (StarCalc):44,34,76,1,,0,false"  # comma, double quote, UTF-8
CELLS = [
    "plain", "=1+1", "+cmd|'/c calc'!A0", "@SUM(1)", "-x", "\t=1", "'=1", "''=1", "'quoted'", "a\nb", 'q"u,o;t\te',
    "😀é", "شكرا جزيلا", "_x0041_", "_x005F_", " lead", "trail ", "=" + "x" * 32_765, "y" * 32_767, "",
]  # fmt: skip
TYPED = [
    "0007",
    "1234567890123456789",
    "1e5",
    "TRUE",
    "2024-01-02",
    "\x01control",
    "1,5",
    "50%",
]  # only .xlsx keeps them


def opened(source: Path, kind: str, *options: str) -> Path:
    """The file as LibreOffice saves it again."""
    if not Path(SOFFICE).is_file():
        pytest.skip("LibreOffice is not installed (Debian: libreoffice-calc-nogui)")
    folder = source.parent / f"{source.suffix[1:]}-{kind[:4]}"
    profile = f"-env:UserInstallation={(source.parent / 'profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", *options, "--convert-to", kind, "--outdir", str(folder), str(source)]
    environment = os.environ | {"HOME": str(source.parent)}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


def written(folder: Path, ending: str, cells: list[str]) -> Path:
    path = folder / f"out.{ending}"
    columns = ["name", "text", Column("n", Kind.INTEGER), Column("x", Kind.NUMBER)]
    with new_table(path, columns, overwrite=False) as writer:
        for n, cell in enumerate(cells):
            writer.writerow([f"row {n}", cell, n, n / 8])
    return path


def test_a_workbook_has_the_same_cells(tmp_path: Path) -> None:
    cells = CELLS + TYPED
    path = written(tmp_path, "xlsx", cells)
    rows = [[f"row {n}", cell, str(n), f"{n / 8:.10g}"] for n, cell in enumerate(cells)]
    again = open_table(opened(path, "xlsx"))
    assert again.columns == ("name", "text", "n", "x")
    assert list(again.rows()) == rows
    with opened(path, f"csv:{UTF8_CSV}").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1:] == rows


def test_no_text_of_a_workbook_is_a_formula(tmp_path: Path) -> None:
    again = openpyxl.load_workbook(opened(written(tmp_path, "xlsx", CELLS + TYPED), "xlsx"))
    kinds = [row[1].data_type for row in again.active.iter_rows(min_row=2)]
    assert set(kinds) <= {"s", "n"}  # an empty cell has the type of a number
    assert [kind for kind, cell in zip(kinds, CELLS + TYPED, strict=True) if cell] == ["s"] * (len(kinds) - 1)


def test_a_csv_has_the_same_cells_and_runs_none(tmp_path: Path) -> None:
    again = opened(written(tmp_path, "csv", CELLS), "xlsx", f"--infilter={UTF8_CSV}")
    sheet = openpyxl.load_workbook(again).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert [row[1] for row in open_table(again).rows()] == [harmless(cell) for cell in CELLS]
