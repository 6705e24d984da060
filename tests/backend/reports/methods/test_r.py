"""The R script: run in R, where R is installed, and its numbers those of the report."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.findings.prevalence import section
from backend.learning.estimate import Estimate
from backend.reports.methods.r import analysis_r
from tests.backend.findings.analysed import analysed
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding
from tests.backend.reports.methods.conftest import known

RSCRIPT = shutil.which("Rscript")
Write = Callable[[Coding], Path]
needs_r = pytest.mark.skipif(RSCRIPT is None, reason="R is not installed (Debian: r-base-core)")


def run(folder: Path, script: str = "analysis.R", **environment: str) -> str:
    assert RSCRIPT is not None
    done = subprocess.run(
        [RSCRIPT, "--vanilla", script],
        cwd=folder, capture_output=True, encoding="utf-8", env=os.environ | environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(row: dict[str, str], name: str, figure: object) -> None:
    """A figure and, where the report gives one, its interval; the report keeps a share within 0 and 1."""
    assert isinstance(figure, Estimate) and figure.value is not None
    assert float(row[name]) == pytest.approx(figure.value, abs=1e-9)
    if figure.lower is not None:
        assert float(row[f"{name}_lower"]) == pytest.approx(figure.lower, abs=1e-9)
        assert float(row[f"{name}_upper"]) == pytest.approx(figure.upper, abs=1e-9)


@needs_r
def test_the_shares_are_those_of_the_report(opened: Coding, written: Write) -> None:
    folder = written(opened)
    run(folder)
    found = {row["outcome"]: row for row in rows(folder / "estimates.csv")}
    compared = 0
    for table in section(read(opened)).tables:
        for label, (naive, people, corrected, weight) in zip(table.rows, table.cells, strict=True):
            stem = f"{table.question}_{'step' if table.key == 'prevalence-mean' else label}"
            if stem in found:
                assert isinstance(naive, Estimate) and isinstance(weight, float)
                assert float(found[stem]["naive"]) == pytest.approx(naive.value, abs=1e-9)
                same(found[stem], "human", people)
                same(found[stem], "corrected", corrected)
                assert float(found[stem]["lambda"]) == pytest.approx(weight, abs=1e-9)
                compared += 1
    assert compared == len(found) == 10


@needs_r
def test_the_linear_regression_is_the_one_of_the_pseudo_outcome(opened: Coding, written: Write) -> None:
    folder = written(opened)
    run(folder)
    told = {(row["model"], row["term"]): row for row in rows(folder / "regression.csv")}
    table = [row for row in rows(folder / "table.csv") if float(row["topics_pi"]) > 0]
    pred = np.array([float(row["topics_health_pred"]) for row in table])
    gold = np.array([float(row["topics_health_gold"] or 0) for row in table])
    weight = np.array([float(row["topics_r"]) / float(row["topics_pi"]) for row in table])
    outcome = pred + weight * len(table) / weight.sum() * (gold - pred)
    party = [row["x_party_2024"] for row in table]
    design = np.array([[1.0, name == "left", name == "right"] for name in party])
    beta = np.linalg.lstsq(design, outcome, rcond=None)[0]
    scores = design * (outcome - design @ beta)[:, None]
    units = np.unique([row["cluster"] for row in table], return_inverse=True)[1]
    sums = np.stack([np.bincount(units, column) for column in scores.T], axis=1)
    bread = np.linalg.inv(design.T @ design)
    errors = np.sqrt(np.diag(bread @ (sums.T @ sums) @ bread))
    for n, term in enumerate(("(Intercept)", "x_party_2024left", "x_party_2024right")):
        assert float(told["lm", term]["estimate"]) == pytest.approx(beta[n], abs=1e-9)
        assert float(told["lm", term]["se"]) == pytest.approx(errors[n], abs=1e-9)
        assert ("logit", term) in told


@needs_r
def test_the_package_dsl_is_called_as_it_is_documented(opened: Coding, written: Write, tmp_path: Path) -> None:
    """By a stand-in of ours, since the package cannot be had everywhere: it takes the package's arguments and refuses
    what the package refuses.
    """
    package, library = tmp_path / "dsl", tmp_path / "library"
    (package / "R").mkdir(parents=True)
    library.mkdir()
    about = "Package: dsl\nVersion: 0.0.1\nTitle: Stand-In\nDescription: Checks arguments.\nLicense: Apache-2.0\n"
    (package / "DESCRIPTION").write_text(f"{about}Author: us\nMaintainer: us <us@example.org>\n", encoding="utf-8")
    (package / "NAMESPACE").write_text("export(dsl)\n", encoding="utf-8")
    (package / "R" / "dsl.R").write_text(_STAND_IN, encoding="utf-8")
    r = shutil.which("R")
    assert r is not None
    made = subprocess.run(
        [r, "CMD", "INSTALL", "--no-docs", "--no-test-load", f"--library={library}", str(package)],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    told = run(written(opened), R_LIBS=str(library))
    table = known(opened)[1]
    n = sum(float(cell) > 0 for cell in table.columns[table.names.index("topics_pi")])
    labeled = table.columns[table.names.index("topics_r")].count("1")
    for model in ("lm", "logit"):
        said = f"{model} topics_health_gold ~ x_party_2024 rows {n} labeled {labeled}"
        assert said in told


_STAND_IN = """
dsl <- function(model = "lm", formula, predicted_var, prediction = NULL, data, cluster = NULL, labeled = NULL,
                sample_prob = NULL, index = NULL, fixed_effect = "oneway", sl_method = "grf", feature = NULL,
                family = "gaussian", cross_fit = 5, sample_split = 10, seed = 1234) {
  stopifnot(model %in% c("lm", "logit"), class(data) == "data.frame", is.numeric(seed))
  stopifnot(c(all.vars(formula), predicted_var, prediction, cluster, labeled, sample_prob) %in% names(data))
  known <- data[, labeled] == 1
  stopifnot(data[, labeled] %in% c(0, 1), !anyNA(data[known, predicted_var]), is.na(data[!known, predicted_var]))
  stopifnot(data[, sample_prob] > 0, data[, sample_prob] <= 1, !anyNA(data[, prediction]), !anyNA(data[, cluster]))
  stopifnot(is.numeric(data[, prediction]), is.numeric(data[known, predicted_var]))
  cat(model, deparse(formula), "rows", nrow(data), "labeled", sum(known), "\\n")
  invisible(list())
}
"""


@needs_r
def test_before_the_test_is_open_it_runs_and_corrects_nothing(coding: Coding, written: Write) -> None:
    analysed(coding, opened=False)
    folder = written(coding)
    assert "The test is not open" in run(folder)
    found = rows(folder / "estimates.csv")
    assert {row["corrected"] for row in found} == {row["naive"] for row in found} == {"NA"}
    (shares,) = [t for t in section(read(coding)).tables if (t.key, t.question) == ("prevalence", "humor")]
    yes = next(row for row in found if row["outcome"] == "humor_yes")
    same(yes, "human", shares.cells[shares.rows.index("yes")][1])
    assert not (folder / "regression.csv").exists()


@needs_r
def test_a_project_without_anything_has_a_script_that_runs(coding: Coding, written: Write) -> None:
    assert "The test is not open" in run(written(coding))


@needs_r
def test_a_project_whose_columns_say_nothing_has_a_mean_alone(opened: Coding, written: Write) -> None:
    from sqlalchemy import update

    from db.models import Unit

    with opened.store.writing() as s:
        s.execute(update(Unit).values(other=None))
    folder = written(opened)
    run(folder)
    assert [row["term"] for row in rows(folder / "regression.csv")] == ["(Intercept)", "(Intercept)"]


def test_the_script_names_columns_of_the_table_only(opened: Coding) -> None:
    table = known(opened)[1]
    script = analysis_r(table, 7)
    assert 'covariates <- c("x_party_2024")' in script
    assert "seed <- 7\n" in script and "@" not in script.replace("\\@", "")
    for one in table.outcomes:
        assert {one.predicted, one.gold, one.pi, one.sampled} <= set(table.names)
