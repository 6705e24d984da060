"""The wide table: all that people and the model say of each row's text."""

from __future__ import annotations

import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from backend.corpus.tables.reading import open_table
from backend.findings.table import analysis_table
from db.predictions import ExposureRow, expose
from labelstudio_config.codebook import Codebook, Label
from tests.backend.assist.world import BOOK, HUMOR, STARS, TOPICS, YEAR
from tests.backend.findings.analysed import analysed
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.export.written import dictionary, table, write
from tests.backend.findings.world import open_test, read, score
from tests.backend.learning.coding import Coding


def test_a_row_holds_what_everybody_says(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("a")
    coding.answer(text, 1, humor="yes", topics=("money", "sport"), stars="3", year=1990)
    coding.answer(text, 2, humor="yes", topics=("money", "sport", "health"), stars="3", year=1991)
    coding.answer(text, 3, cancelled=True)
    score(coding, {text: {"humor": (0.25, 0.75), "topics": (0.75, 0.25, 0.5), "stars": (0.1, 0.2, 0.3, 0.4)}})
    (row,) = table(coding, tmp_path, shape="wide")
    assert (row["humor_accepted"], row["humor_accepted_by"], row["humor_n"]) == ("yes", "agreement", "2")
    assert [row[f"humor_by_coder_{n}"] for n in (1, 2, 3)] == ["yes", "yes", "(skipped)"]
    assert (row["humor_share_no"], row["humor_share_yes"]) == ("0", "1")
    assert (row["humor_model"], float(row["humor_p_yes"]), float(row["humor_margin"])) == ("yes", 0.75, 0.5)
    assert (row["topics_accepted"], row["topics_accepted_by"]) == ("", "tie")
    assert row["topics_model"] == "money|sport" and float(row["topics_share_health"]) == 0.5
    assert (row["stars_step"], row["stars_model"]) == ("3", "4")
    assert (row["year_accepted"], row["year_accepted_by"], row["year_by_coder_2"]) == ("1990.5", "mean", "1991")
    assert row["answers"] == "3" and row["release"].startswith("keyword-") and row["humor_cut"] == "0"
    assert row["first_answered_at"] < row["last_answered_at"]


def test_several_labels_have_a_column_each(coding: Coding, tmp_path: Path) -> None:
    coding.answer(coding.text("a"), 1, topics=("money", "sport"))
    coding.answer(coding.text("b"), 1, topics=())
    coding.text("c")
    rows = table(coding, tmp_path, shape="wide")
    assert [row["topics_accepted"] for row in rows] == ["money|sport", "(none)", ""]
    assert [[row[f"topics_has_{one}"] for one in ("money", "health", "sport")] for row in rows] == [
        ["1", "0", "1"], ["0", "0", "0"], ["", "", ""]
    ]  # fmt: skip


def test_of_blind_texts_nothing_is_told_until_the_test_is_open(coding: Coding, tmp_path: Path) -> None:
    gate, test = audit(coding, TWENTY), audit(coding, TWENTY, "test")
    shown = coding.text("shown")
    release = says(coding, gate, test, {shown: "yes"})
    done = write(coding, tmp_path / "out.csv", shape="wide")
    assert done.withheld == {"humor": 40}
    rows = table(coding, tmp_path, shape="wide")
    model = ("humor_model", "humor_p_no", "humor_p_yes", "humor_margin", "humor_cut", "release")
    assert {row[name] for row in rows if row["stream"] == "audit" for name in model} == {""}
    assert all(row[name] for row in rows if row["stream"] != "audit" for name in model)
    (told,) = [row for row in dictionary(tmp_path) if row["name"] == "withheld"]
    assert (told["question"], told["values"]) == ("humor", "40")
    open_test(coding, release)
    assert write(coding, tmp_path / "out.csv", shape="wide").withheld == {}
    assert all(row["humor_model"] for row in table(coding, tmp_path, shape="wide"))


def test_chances_clusters_and_draws_are_those_of_the_table_for_estimates(coding: Coding, tmp_path: Path) -> None:
    analysed(coding)
    rows = table(coding, tmp_path, shape="wide")
    with coding.store.reading() as s:
        known = analysis_table(s, read(coding))
    for name in ("cluster", "draw", "humor_pi", "stars_pi", "topics_pi", "year_pi", "stream", "role"):
        column = known.columns[known.names.index(name)]
        there = [row[name] for row in rows]
        assert there == column or [float(cell) for cell in there] == pytest.approx([float(cell) for cell in column])
    told = {row["id"]: row for row in rows}
    gold = dict(
        zip(known.columns[known.names.index("id")], known.columns[known.names.index("humor_gold")], strict=True)
    )
    assert all(told[name]["humor_accepted"] == label for name, label in gold.items() if label)
    model = known.columns[known.names.index("humor_pred")]
    assert [row["humor_model"] for row in rows] == model


def test_what_was_shown_before_the_first_answer(coding: Coding, tmp_path: Path) -> None:
    before, after, only = coding.text("before"), coding.text("after"), coding.text("only")
    release = coding.release()
    with coding.store.writing() as s:
        expose(s, [ExposureRow(text, release, None, "predict") for text in (before, after, only)])
    coding.answer(after, 1, humor="no")  # long before now
    coding.answer(before, 1, humor="no", origin="kept", release_id=release)
    rows = {row["text"]: row["exposure"] for row in table(coding, tmp_path, shape="wide")}
    assert rows == {"before": "assisted", "after": "none", "only": "assisted"}


def test_more_coders_and_labels_add_columns_and_change_none(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("a")
    coding.answer(text, 1, humor="yes")
    table(coding, tmp_path, shape="wide")
    before = {(row["name"], row["meaning"], row["label"]) for row in dictionary(tmp_path) if row["part"] == "column"}
    more = replace(HUMOR, labels=(Label("maybe", "maybe", "maybe"), *HUMOR.labels))
    coding.revise(Codebook(BOOK.key, BOOK.title, (more, TOPICS, STARS, YEAR)))
    coding.answer(text, 2, humor="maybe")
    table(coding, tmp_path, shape="wide")
    after = {(row["name"], row["meaning"], row["label"]) for row in dictionary(tmp_path) if row["part"] == "column"}
    assert before < after
    assert {name for name, _, _ in after - before} >= {"humor_by_coder_2", "humor_share_maybe", "humor_p_maybe"}


def test_every_name_is_one_that_stata_takes(coding: Coding, tmp_path: Path) -> None:
    long = "a-very-long-name-of-a-question-that-somebody-made"
    labels = tuple(Label(f"{long}-{n}", f"code {n}", f"code {n}") for n in range(3))
    asked = [replace(HUMOR, id=f"{long}-{n}", name=f"q{n}", labels=labels) for n in range(2)]
    coding.revise(Codebook(BOOK.key, BOOK.title, tuple(asked)))
    coding.text("a")
    write(coding, tmp_path / "out.csv", shape="wide")
    names = open_table(tmp_path / "out.csv").columns
    assert len(set(names)) == len(names)
    assert all(len(name) <= 32 and name.replace("_", "a").isalnum() and name[0].isalpha() for name in names)


def test_pandas_reads_it_without_options(coding: Coding, tmp_path: Path) -> None:
    text = coding.text('=1+1, "quoted"\nand more \N{GRINNING FACE}')
    coding.answer(text, 1, humor="yes", topics=("money",), year=3)
    coding.text("another")
    write(coding, tmp_path / "out.csv", shape="wide")
    read = pd.read_csv(tmp_path / "out.csv")
    assert len(read) == 2
    assert read["topics_has_money"].tolist()[0] == 1 and math.isnan(read["topics_has_money"].tolist()[1])
    assert read["humor_share_yes"].dtype == float and read["humor_n"].tolist() == [1, 0]
    assert str(read["text"][0]).lstrip("'") == '=1+1, "quoted"\nand more \N{GRINNING FACE}'


def test_r_reads_it_without_options(coding: Coding, tmp_path: Path) -> None:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R absent")
    text = coding.text('=1+1, "quoted"\nand more \N{GRINNING FACE}')
    coding.answer(text, 1, humor="yes", topics=("money",), year=3)
    coding.text("another")
    write(coding, tmp_path / "out.csv", shape="wide")
    code = (
        't <- read.csv("out.csv"); cat(nrow(t), ncol(t), t$humor_accepted[1], is.numeric(t$humor_share_yes), '
        "sum(t$topics_has_money, na.rm = TRUE), sum(t$humor_n))"
    )
    done = subprocess.run(
        [program, "--vanilla", "-e", code], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True
    )
    columns = len(open_table(tmp_path / "out.csv").columns)
    assert done.stdout.split() == ["2", str(columns), "yes", "TRUE", "1", "1"]
