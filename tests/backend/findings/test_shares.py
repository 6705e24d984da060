"""The section on what people say, every answer counted."""

from __future__ import annotations

import numpy as np
import pytest

from backend.findings.report import Section, Table
from backend.findings.shares import section
from backend.learning.estimate import Estimate
from tests.backend.findings.corpus_of import drawn
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding


def table(found: Section, key: str, question: str = "humor") -> Table:
    return next(one for one in found.tables if (one.key, one.question) == (key, question))


def value(cell: object) -> float:
    assert isinstance(cell, Estimate) and cell.value is not None
    return cell.value


def test_no_agreement_is_made_up(coding: Coding) -> None:
    """Of 12 texts, 6 are called humorous by two of three coders, 3 by all, 3 by one and left blank by one."""
    made = drawn(coding, 20, audit=12)
    coding.change(sampling_design={"audit": 12, "control": 0, "coders": 3})
    for k in range(12):
        votes = ("yes", "yes", "no" if k < 6 else "yes")
        for coder, vote in enumerate(votes if k < 9 else ("yes", "no"), 1):
            coding.answer(made.ids[k], coder, humor=vote)
        if k >= 9:
            coding.answer(made.ids[k], 3, cancelled=True)
    found = section(read(coding))
    shares = table(found, "shares")
    assert shares.rows == ("no", "yes")
    soft = [2 / 3] * 6 + [1] * 3 + [1 / 2] * 3
    assert value(shares.cells[1][0]) == pytest.approx(np.mean(soft))
    assert shares.cells[1][1] == 1 and shares.cells[0][1] == pytest.approx(9 / 12)
    yes = shares.cells[1][0]
    assert isinstance(yes, Estimate) and yes.lower is not None and yes.n == 12
    differences = table(found, "shares-differences")
    assert differences.rows == ("all coders agree", "most agree", "no label has most coders")
    assert [value(row[0]) for row in differences.cells] == pytest.approx([3 / 12, 6 / 12, 3 / 12])
    bits = (6 * -(2 / 3 * np.log2(2 / 3) + 1 / 3 * np.log2(1 / 3)) + 3) / 12
    assert f"{bits:.2f} bits" in differences.notes[0]


def test_numbers_have_a_mean_and_a_spread_of_coders(coding: Coding) -> None:
    made = drawn(coding, 20, audit=12)
    coding.change(sampling_design={"audit": 12, "control": 0, "coders": 2})
    for k in range(12):
        for coder, more in ((1, 0), (2, 2)):
            coding.answer(made.ids[k], coder, year=2000 + k + more)
    mean, spread = table(section(read(coding)), "shares-number", "year").cells[0]
    assert value(mean) == pytest.approx(2006.5) and value(spread) == pytest.approx(np.sqrt(2))


def test_few_texts_and_none_say_so(coding: Coding) -> None:
    assert "No audit text is coded" in section(read(coding)).missing
    made = drawn(coding, 10, audit=6)
    for k in range(6):
        coding.answer(made.ids[k], 1, humor="yes")
    cell = table(section(read(coding)), "shares").cells[0][0]
    assert isinstance(cell, Estimate) and cell.value is None and cell.missing.startswith("too few: 6")
