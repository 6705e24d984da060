"""A project in a store, and its methods in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.findings.study import Study, study
from backend.findings.table import AnalysisTable, analysis_table
from backend.findings.validity import Validity, validities
from backend.reports.methods import folder
from tests.backend.findings.analysed import analysed
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding
from tests.backend.learning.conftest import coding, settings

__all__ = ["coding", "opened", "settings", "written"]

Known = tuple[Study, AnalysisTable, tuple[Validity, ...]]


def known(coding: Coding) -> Known:
    """All that the files are made of."""
    found = read(coding)
    with coding.store.reading() as s:
        return study(s, found), analysis_table(s, found), validities(found)


@pytest.fixture
def opened(coding: Coding) -> Coding:
    analysed(coding)
    return coding


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Coding], Path]:
    """Writes the folder of a project."""

    def write(coding: Coding) -> Path:
        about, table, found = known(coding)
        folder.write(tmp_path / "methods", about, table, found, overwrite=True)
        return tmp_path / "methods"

    return write
