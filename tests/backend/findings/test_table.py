"""The table that conclusions are drawn from."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import new_table
from backend.findings.prevalence import section
from backend.findings.table import AnalysisTable, analysis_table
from labelstudio_config.codebook import Codebook, Label
from tests.backend.assist.world import HUMOR
from tests.backend.findings.analysed import analysed, describe
from tests.backend.findings.world import read, score
from tests.backend.learning.coding import Coding, coded

Cells = dict[str, list[str]]


def table_of(coding: Coding) -> AnalysisTable:
    with coding.store.reading() as s:
        return analysis_table(s, read(coding))


def cells(table: AnalysisTable) -> Cells:
    return dict(zip(table.names, map(list, zip(*table.rows(), strict=True)), strict=True))


@pytest.fixture
def opened(coding: Coding) -> Iterator[Coding]:
    analysed(coding)
    yield coding


def test_a_row_of_the_table_is_a_row_of_the_corpus_and_holds_no_text(opened: Coding) -> None:
    table = table_of(opened)
    assert table.n == read(opened).texts.rows.sum()
    assert not any("text 1 " in cell for row in table.rows() for cell in row)
    assert table.left_out == ("note",)
    assert "never drawn" not in str(cells(table))


def test_names_are_taken_by_statistics_programs(opened: Coding) -> None:
    names = table_of(opened).names
    assert {"row", "cluster", "x_party_2024", "x_if", "humor_yes_pred", "humor_yes_gold", "humor_pi"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(len(name) <= 32 and name.replace("_", "a").isalnum() and name[0].isalpha() for name in names)


def test_no_label_of_the_model_is_beside_an_audit_text_before_the_test_is_open(coding: Coding) -> None:
    analysed(coding, opened=False)
    table = table_of(coding)
    found = cells(table)
    blind = [n for n, stream in enumerate(found["stream"]) if stream == "audit"]
    assert blind
    for name in (name for name in found if name.endswith("_pred")):
        assert {found[name][n] for n in blind} == {""}
        assert all(found[name][n] != "" for n in range(table.n) if n not in blind)
    roles = {role for role, gold in zip(found["role"], found["humor_gold"], strict=True) if gold}
    assert roles == {"gate"}


def test_people_s_labels_are_those_of_the_test_sample_alone_once_it_is_open(opened: Coding) -> None:
    found = cells(table_of(opened))
    assert {r for r, gold in zip(found["role"], found["humor_gold"], strict=True) if gold} == {"test"}
    assert all((r == "1") == (gold != "") for r, gold in zip(found["humor_r"], found["humor_gold"], strict=True))
    assert "" not in found["humor_pred"]


def test_the_chance_of_a_text_is_that_of_its_draw_and_none_where_it_was_not_drawn(opened: Coding) -> None:
    found = cells(table_of(opened))
    chance = {draw: {pi for d, pi in zip(found["draw"], found["humor_pi"], strict=True) if d == draw} for draw in "012"}
    assert chance == {"0": {"0"}, "1": {f"{22 / 90:.12g}"}, "2": set(chance["2"])}
    assert len(chance["2"]) == 1


def test_texts_of_one_place_in_the_draw_are_one_unit(opened: Coding) -> None:
    found = cells(table_of(opened))
    first = [unit for draw, unit in zip(found["draw"], found["cluster"], strict=True) if draw == "1"]
    assert len(set(first)) == 90 < len(first)


def test_the_report_s_shares_follow_from_the_table(opened: Coding) -> None:
    """Model alone, and people and the model together with the weight that the report gives."""
    found = cells(table_of(opened))
    (shares,) = [t for t in section(read(opened)).tables if (t.key, t.question) == ("prevalence", "humor")]
    naive, people, corrected, weight = shares.cells[shares.rows.index("yes")]
    pi, r = np.array(found["humor_pi"], float), np.array(found["humor_r"], int)
    inside, draw = pi > 0, np.array(found["draw"])
    pred = np.array(found["humor_yes_pred"], float)
    gold = np.array([float(cell or "nan") for cell in found["humor_yes_gold"]])
    share = {d: (draw[inside] == d).mean() for d in ("1", "2")}
    human = sum(share[d] * gold[(draw == d) & (r == 1)].mean() for d in share)
    model = sum(share[d] * pred[(draw == d) & (r == 1)].mean() for d in share)
    assert naive.value == pytest.approx(pred[inside].mean(), abs=1e-12)
    assert people.value == pytest.approx(human, abs=1e-12)
    assert corrected.value == pytest.approx(human + weight * (pred[inside].mean() - model), abs=1e-12)


def test_the_table_is_read_back_as_it_was_written(opened: Coding, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = table_of(opened)
    with new_table(tmp_path / "table.csv", table.names, overwrite=False) as writer:
        for row in table.rows():
            writer.writerow(row)
    again = open_table(tmp_path / "table.csv")
    assert [again.columns, *map(tuple, again.rows())] == [table.names, *table.rows()]
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        assert {row["x_party_2024"] for row in csv.DictReader(file)} == {"left", "right", "'=1+1"}
    frame = pandas.read_csv(tmp_path / "table.csv", keep_default_na=False, na_values=[""])
    assert list(frame.columns) == list(table.names)
    for one in table.variables:
        if one.type != "text":
            assert frame[one.name].map(lambda cell: isinstance(cell, int | float)).all(), one.name


def test_cells_are_as_they_are_in_the_corpus(opened: Coding) -> None:
    found = cells(table_of(opened))
    assert set(found["x_party_2024"]) == {"left", "right", "=1+1"}
    assert set(found["x_if"]) == {"0", "1", "2", "3", "4"}


def test_a_question_without_a_sample_has_no_chances_and_says_why(coding: Coding) -> None:
    text = coding.text("first", "audit", rank=0, role="gate")
    coded(coding, text, "yes", "yes")
    describe(coding)
    score(coding, {})
    table = table_of(coding)
    assert set(cells(table)["humor_pi"]) == {"0"}
    assert isinstance(table.samples["humor"], str)


def test_an_empty_project_has_a_table_without_rows(coding: Coding) -> None:
    table = table_of(coding)
    assert table.n == 0
    assert list(table.rows()) == []
    assert "humor_yes_pred" in table.names


def test_thirty_labels_in_scripts_that_no_variable_can_have_get_names_of_their_own(coding: Coding) -> None:
    many = tuple(Label(f"label-{n}-of-a-question-with-many-labels", f"标签{n}", f"标签{n}") for n in range(30))
    coding.revise(Codebook("posts", "Posts", (replace(HUMOR, id="a-rather-long-name-of-a-question", labels=many),)))
    table = table_of(coding)
    assert len(table.outcomes) == 30
    assert len(set(table.names)) == len(table.names) == len(table.variables)
    assert max(map(len, table.names)) <= 32
    assert "标签7" in next(one.meaning for one in table.variables if one.label == many[7].id)
