"""pandas and R read what is written, without options, and with the right values."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pandas
import pytest

from backend.corpus.tables.cells import Cell, harmless
from backend.corpus.tables.writing import Column, Kind, new_table

RSCRIPT = shutil.which("Rscript")
COLUMNS = (
    Column("text", meaning="what was said"), Column("code"), Column("n", Kind.INTEGER), Column("x", Kind.NUMBER),
    Column("yes", Kind.TRUTH), Column("at", Kind.TIME),
)  # fmt: skip
TEXTS = ['Zoë said "hi",\nand 😀 left; tab\there', "=1+1", "שלום", "plain", "it's"]
WHEN = datetime(2024, 1, 2, 3, 4, 5, 600_000, UTC)
ROWS: list[tuple[Cell, ...]] = [(text, f"c{n}", n, n / 8, n % 2 == 0, WHEN) for n, text in enumerate(TEXTS)]


def written(folder: Path, ending: str) -> Path:
    path = folder / f"out.{ending}"
    with new_table(path, COLUMNS, overwrite=False) as writer:
        for row in ROWS:
            writer.writerow(row)
    return path


@pytest.mark.parametrize(
    ("ending", "read"),
    [
        ("csv", pandas.read_csv),
        ("tsv", pandas.read_table),
        ("xlsx", pandas.read_excel),
        ("jsonl", lambda path: pandas.read_json(path, lines=True)),
        ("parquet", pandas.read_parquet),
        ("dta", pandas.read_stata),
    ],
)
def test_pandas(tmp_path: Path, ending: str, read: object) -> None:
    frame = read(written(tmp_path, ending))  # type: ignore[operator]
    assert list(frame.columns) == [one.name for one in COLUMNS]
    told = [harmless(text) for text in TEXTS] if ending in ("csv", "tsv") else TEXTS
    assert frame["text"].tolist() == told
    assert frame["code"].tolist() == ["c0", "c1", "c2", "c3", "c4"]
    assert frame["n"].tolist() == [0, 1, 2, 3, 4]
    assert frame["x"].tolist() == [0, 0.125, 0.25, 0.375, 0.5]
    assert frame["yes"].tolist() == [1, 0, 1, 0, 1]
    assert (pandas.to_datetime(frame["at"], utc=True) == WHEN).all()
    assert pandas.api.types.is_numeric_dtype(frame["n"]) and pandas.api.types.is_numeric_dtype(frame["x"])


def test_what_a_column_means_is_in_the_files_that_can_hold_it(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    schema = pq.read_schema(written(tmp_path, "parquet"))
    assert schema.field("text").metadata == {b"meaning": b"what was said"}
    assert str(schema.field("at").type) == "timestamp[us, tz=UTC]"
    with pandas.read_stata(written(tmp_path, "dta"), iterator=True) as reader:
        assert reader.variable_labels()["text"] == "what was said"


R = r"""
for (name in c("out.csv", "out.tsv")) {
  d <- if (name == "out.csv") read.csv(name) else read.delim(name)
  stopifnot(identical(names(d), c("text", "code", "n", "x", "yes", "at")), nrow(d) == 5)
  stopifnot(identical(d$text, c("Zo\u00eb said \"hi\",\nand \U0001f600 left; tab\there", "'=1+1",
                                "\u05e9\u05dc\u05d5\u05dd", "plain", "it's")))
  stopifnot(is.integer(d$n), identical(d$n, 0:4), identical(d$x, (0:4) / 8), identical(d$yes, c(1L, 0L, 1L, 0L, 1L)))
  stopifnot(identical(d$code, paste0("c", 0:4)), d$at == "2024-01-02T03:04:05.600000Z")
}
cat("read\n")
"""


@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed (Debian: r-base-core)")
def test_r(tmp_path: Path) -> None:
    assert RSCRIPT is not None
    for ending in ("csv", "tsv"):
        written(tmp_path, ending)
    (tmp_path / "read.R").write_text(R, encoding="utf-8")
    command = [RSCRIPT, "--vanilla", "--encoding=UTF-8", "read.R"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr
