"""A comparison as tables, CSV and a picture: every figure is scikit-learn's, every cell has its reason."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from backend.paper.comparison import ALL, RELATED, SEEN, Comparison, compare
from backend.paper.figures import holm
from backend.paper.run import Cells, Plan, Row, run, scored
from backend.paper.systems import Baseline
from backend.reports.comparison import FILES, markdown, plain, write
from backend.reports.comparison_plot import plot
from backend.reports.comparison_rows import COLUMNS, LABELS, label_rows, rows
from backend.reports.latex import escaped
from tests.backend.paper.counted import Counted
from tests.backend.paper.small import task

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(shots=(0, 2), seeds=(0, 1), paraphrases=True)
TASKS = [
    task("mood", 1, test=60, tuning="seen"),
    task("tone", 2, labels=3, test=60, tuning="seen"),
    task("bluff", 3, test=60, tuning="related", family="figures & tricks_100%"),
    task("pun", 4, test=20, tuning="related", family="figures & tricks_100%"),
]
ZERO, FEW, WORDS = Row("my_model #1", 0), Row("my_model #1", 2, "random"), Row("tfidf", None)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Cells]:
    systems = [Baseline("tfidf", "tfidf"), Counted("my_model #1", other_wordings=2, refuses=("bluff",))]
    texts = [scored(one, PLAN) for one in TASKS]
    cells = run(systems, texts, PLAN, tmp_path_factory.mktemp("answers"), bar=lambda name: lambda done, total: None)
    return compare(systems, texts, cells, PLAN, reference="tfidf"), cells


@pytest.fixture(scope="module")
def found(both: tuple[Comparison, Cells]) -> Comparison:
    return both[0]


def macro(cells: Cells, row: Row, name: str, seed: int = 0, wording: int = 0) -> float:
    cell = cells[row, name]
    assert not isinstance(cell, str)
    one = next(one for one in TASKS if one.name == name)
    truth = [one.question.label_ids.index(*labels) for labels in one.test.answers]
    return float(f1_score(truth, cell[seed, wording].marks.argmax(axis=1), average="macro"))


def test_figures_are_scikit_learns(both: tuple[Comparison, Cells]) -> None:
    found, cells = both
    for row, name in ((ZERO, "mood"), (WORDS, "tone"), (WORDS, "pun")):
        figure = found.figures[row, name].macro
        assert figure is not None
        assert figure.value == pytest.approx(macro(cells, row, name), abs=1e-6)
        assert figure.lower < figure.value < figure.upper
    few = found.figures[FEW, "mood"]
    each = [macro(cells, FEW, "mood", seed) for seed in (0, 1)]
    assert [seed.macro.value for seed in few.seeds] == pytest.approx(each, abs=1e-6)
    assert few.macro is not None
    assert few.macro.value == pytest.approx(np.mean(each), abs=1e-6)
    told = few.sensitivity
    assert told is not None
    wordings = [macro(cells, FEW, "mood", 0, wording) for wording in (0, 1, 2)]
    assert (told.lowest, told.highest) == (pytest.approx(min(wordings)), pytest.approx(max(wordings)))


def test_means_are_over_whole_groups_of_tasks(both: tuple[Comparison, Cells]) -> None:
    found, cells = both
    assert found.groups == {
        ALL: ("mood", "tone", "bluff", "pun"),
        SEEN: ("mood", "tone"),
        RELATED: ("bluff", "pun"),
        "feeling": ("mood", "tone"),
        "figures & tricks_100%": ("bluff", "pun"),
    }
    mean = found.means[WORDS, ALL].macro
    assert mean is not None
    assert mean.value == pytest.approx(np.mean([macro(cells, WORDS, one.name) for one in TASKS]), abs=1e-6)
    parts = [found.figures[WORDS, one.name].macro for one in TASKS]
    assert mean.width < min(part.width for part in parts if part is not None)
    assert found.means[ZERO, ALL].missing == "answers 3 of 4 tasks"
    assert found.means[ZERO, SEEN].macro is not None
    assert found.means[FEW, SEEN].spread > 0


def test_rows_are_tested_against_the_reference_with_holms_correction(both: tuple[Comparison, Cells]) -> None:
    found, cells = both
    tests = [test for one in TASKS if (test := found.figures[ZERO, one.name].test)]
    assert [test.reference for test in tests] == [WORDS] * 3
    assert [test.adjusted for test in tests] == pytest.approx(holm([test.p for test in tests]))
    first = tests[0].difference
    assert first.value == pytest.approx(macro(cells, ZERO, "mood") - macro(cells, WORDS, "mood"), abs=1e-6)
    assert first.lower < first.value < first.upper < 0
    assert tests[0].p < 0.01
    assert all(found.figures[WORDS, one.name].test is None for one in TASKS)
    mean = found.means[ZERO, SEEN].test
    assert mean is not None
    assert mean.p < 0.01


def test_a_row_meets_the_reference_with_as_many_examples(tmp_path: Path) -> None:
    systems = [Counted("a"), Counted("b", weights="w2")]
    plan = Plan(shots=(0, 2))
    texts = [scored(TASKS[0], plan)]
    cells = run(systems, texts, plan, tmp_path, bar=lambda name: lambda done, total: None)
    found = compare(systems, texts, cells, plan, reference="a")
    assert found.references == {Row("b", 0): Row("a", 0), Row("b", 2, "random"): Row("a", 2, "random")}
    assert found.groups == {}


def test_the_markdown_says_all_a_reviewer_asks(found: Comparison) -> None:
    text = markdown(found, "Models side by side")
    assert "tfidf (reference)" in text
    assert re.search(r"\| mood \(feeling\) \| 60 \| \d+\.\d \\\[\d+\.\d, \d+\.\d\] t \|", text)
    assert "(a) It does not want to." in text
    assert "only 20 texts" in text
    assert "answers 3 of 4 tasks" in text
    for words in ("bootstrap", "Holm", "approximate randomisation", "near-duplicates", "made for a test; CC0"):
        assert words in text
    assert "Published figures are not repeated here" in text
    assert "under 3 wordings" in text
    assert "seeds 0, 1" in text


def test_the_latex_is_whole_and_escaped(found: Comparison, tmp_path: Path) -> None:
    write(found, tmp_path, "Models side by side", WHEN, "0.1.0")
    text = (tmp_path / "table.tex").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert r"my\_model \#1" in body
    assert r"figures \& tricks\_100\%" in body
    assert not re.search(r"(?<!\\)[#%_$]", body.replace(r"\label{tab:comparison-", ""))
    for name in re.findall(r"\\begin\{(\w+\*?)\}", body):
        assert body.count(rf"\begin{{{name}}}") == body.count(rf"\end{{{name}}}")
    plain_braces = re.sub(r"\\[{}]", "", body)
    assert plain_braces.count("{") == plain_braces.count("}")
    assert body.count(r"\toprule") == body.count(r"\bottomrule") == body.count(r"\begin{tabular}")
    for table in re.findall(r"\\begin\{tabular\}\{(l+)\}(.*?)\\end\{tabular\}", body, re.DOTALL):
        lines = [line for line in table[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(table[0]) - 1}


def test_what_tex_would_obey_is_escaped() -> None:
    assert escaped("a_b & 5% {x} $ # ~ ^ \\ <|>") == (
        r"a\_b \& 5\% \{x\} \$ \# \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{}\textbar{}\textgreater{}"
    )


def test_the_files_are_read_again(found: Comparison, tmp_path: Path) -> None:
    for _ in range(2):
        write(found, tmp_path, "Models side by side", WHEN, "0.1.0")
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    table = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text(encoding="utf-8"), newline="")))
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 3 * 4 + 3 * 5
    first = next(row for row in table if (row["system"], row["task"]) == ("tfidf", "mood"))
    figure = found.figures[WORDS, "mood"].macro
    assert figure is not None
    assert float(first["macro_f1"]) == figure.value
    assert (first["shots"], first["saw"], first["n"], first["licence"]) == ("", "trained", "60", "CC0")
    assert (first["version"], first["date"], first["level"]) == ("0.1.0", "2026-03-01T12:00:00Z", "0.95")
    labels = list(csv.DictReader(io.StringIO((tmp_path / "per_label.csv").read_text(encoding="utf-8"), newline="")))
    assert tuple(labels[0]) == LABELS
    mine = [row for row in labels if (row["system"], row["task"], row["shots"]) == ("my_model #1", "tone", "2")]
    assert [(row["seed"], row["label"]) for row in mine] == [(s, f"l{k}") for s in "01" for k in range(3)]
    assert sum(int(row["support"]) for row in mine) == 2 * 60
    assert sum(int(row["predicted"]) for row in mine) == 2 * 60


def test_a_macro_f1_is_the_mean_of_its_labels(found: Comparison) -> None:
    of_labels = [row["f1"] for row in label_rows(found) if (row["system"], row["task"]) == ("tfidf", "tone")]
    (whole,) = [row for row in rows(found, WHEN, "1") if (row["system"], row["task"]) == ("tfidf", "tone")]
    assert whole["macro_f1"] == pytest.approx(np.mean(of_labels), abs=1e-6)


def test_json_has_no_word_for_nan(found: Comparison, tmp_path: Path) -> None:
    value = json.loads(json.dumps(plain(found, tmp_path, WHEN, "1"), allow_nan=False))
    assert set(value) == {"folder", "rows", "labels", "notes"}
    missing = next(row for row in value["rows"] if (row["system"], row["task"]) == ("my_model #1", "bluff"))
    assert (missing["macro_f1"], missing["missing"]) == (None, "It does not want to.")


def test_the_picture_shows_every_figure(found: Comparison, tmp_path: Path) -> None:
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        plot(found, [path])
    picture = paths[0].read_text(encoding="utf-8")
    assert picture == paths[1].read_text(encoding="utf-8")
    assert len(set(drawn(picture))) == 3 * 4 - 2
    for words in ("figures &amp; tricks_100%", "n = 60", "my_model #1, 2 shots", "hollow"):
        assert words in picture


def drawn(picture: str) -> Iterator[str]:
    for one in TASKS:
        yield from re.findall(rf'id="({one.name}-[^"]+)"', picture)


def test_nothing_to_compare_is_no_fault(tmp_path: Path) -> None:
    systems = [Counted(refuses=("mood",))]
    texts = [scored(replace(TASKS[0]), Plan())]
    cells = run(systems, texts, Plan(), tmp_path / "answers", bar=lambda name: lambda done, total: None)
    found = compare(systems, texts, cells, Plan(), reference="counted")
    write(found, tmp_path, "Nothing", WHEN, "1")
    assert "It does not want to." in (tmp_path / "table.md").read_text(encoding="utf-8")
