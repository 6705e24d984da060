"""Each label by itself."""

from __future__ import annotations

import pytest

from backend.findings.fit import fits
from backend.findings.labels import section
from backend.findings.report import Section
from backend.learning.estimate import Estimate
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.told import column, table
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import Coding


def found(coding: Coding) -> Section:
    facts = read(coding)
    return section(facts, fits(facts))


def test_each_label_has_its_texts_and_its_figures(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    told = table(found(coding), "labels-gate", "humor")
    assert told.rows == ("no", "yes")
    assert column(told, "texts by people") == {"no": 12, "yes": 8}
    assert column(told, "texts by the model") == {"no": 12, "yes": 8}
    common, rare = column(told, "F1")["no"], column(told, "F1")["yes"]
    assert isinstance(common, Estimate) and common.value == pytest.approx(2 * 10 / 24)
    assert isinstance(rare, Estimate) and rare.value is None and rare.missing == "too few: 8 of at least 10 texts"


def test_the_test_has_its_table_once_it_is_open(coding: Coding) -> None:
    release = says(coding, audit(coding, TWENTY), audit(coding, TWENTY[:10], "test"))
    assert [one.key for one in found(coding).tables] == ["labels-gate"]
    open_test(coding, release)
    assert column(table(found(coding), "labels-test", "humor"), "texts by people") == {"no": 10, "yes": 0}


def test_what_is_missing_is_said(coding: Coding) -> None:
    assert "no release yet" in found(coding).missing
    says(coding)
    assert found(coding).missing.startswith("No gate text has an accepted value yet")
    audit(coding, TWENTY[:2])
    assert found(coding).missing.startswith("The release has scored none of the texts with an accepted value.")
