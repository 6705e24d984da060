"""The do-file: Stata itself is not at hand, so what it would refuse is looked for."""

from __future__ import annotations

import pytest

from backend.findings.table import AnalysisTable
from backend.reports.methods.stata import analysis_do
from tests.backend.findings.analysed import analysed
from tests.backend.learning.coding import Coding
from tests.backend.reports.methods.conftest import known
from tests.backend.reports.methods.stata import WrongError, check


def checked(table: AnalysisTable) -> list[str]:
    return check(analysis_do(table), table.names)


def test_every_outcome_is_estimated_by_the_sample(opened: Coding) -> None:
    table = known(opened)[1]
    commands = checked(table)
    for one in table.outcomes:
        assert f"quietly generate double design_based = {one.predicted}" in commands
    assert sum(command.startswith("capture noisily regress design_based") for command in commands) == len(
        table.outcomes
    )
    assert "regress design_based i.level, vce(cluster cluster)" in commands
    assert any(command.startswith("gmm ") for command in commands)
    assert commands[3].startswith('import delimited using "table.csv", clear varnames(1) case(preserve)')


def test_before_the_test_is_open_only_people_are_counted(coding: Coding) -> None:
    analysed(coding, opened=False)
    commands = checked(known(coding)[1])
    assert any("The test is not open" in command for command in commands)
    assert not any("_pred" in command for command in commands)


def test_a_project_without_anything_has_a_file_that_runs(coding: Coding) -> None:
    assert any("The test is not open" in command for command in checked(known(coding)[1]))


@pytest.mark.parametrize(
    "line",
    [
        "regres a_pred, vce(cluster cluster)",
        "regress b_pred, vce(cluster cluster)",
        "regress a_pred, vce(cluster cluster",
        'display as text "one',
        "generate double a_pred = 1",
        "preserve",
        "foreach x in a b {",
    ],
)
def test_the_check_can_fail(line: str) -> None:
    check("regress a_pred, vce(cluster cluster)", ["a_pred", "cluster"])
    with pytest.raises((WrongError, ValueError)):
        check(line, ["a_pred", "cluster"])
