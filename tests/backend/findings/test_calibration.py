"""The section on what the model's probabilities mean."""

from __future__ import annotations

import numpy as np
import pytest

from backend.findings.calibration import section
from backend.findings.report import Table
from backend.learning.estimate import Estimate
from tests.backend.findings.corpus_of import Corpus, code, drawn
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import Coding


@pytest.fixture
def corpus(coding: Coding) -> Corpus:
    """240 audit texts; the model always says 80 % and is right on 90 %."""
    return drawn(coding, 260, audit=240, right=0.9, seed=9)


def tables(coding: Coding) -> dict[str, Table]:
    return {one.key: one for one in section(read(coding)).tables}


def test_a_model_that_is_too_unsure_is_made_surer(corpus: Corpus) -> None:
    code(corpus, range(0, 240, 2))
    found = tables(corpus.coding)
    assert set(found) == {"calibration-gate", "reliability-gate-raw", "reliability-gate-calibrated", "coverage-gate"}
    gate = np.arange(0, 240, 2)
    right = (corpus.true[gate] == corpus.model[gate]).mean()
    raw, calibrated, difference = found["calibration-gate"].cells[0]
    assert isinstance(raw, Estimate) and isinstance(calibrated, Estimate) and isinstance(difference, Estimate)
    assert raw.value == pytest.approx(right * 0.04 + (1 - right) * 0.64) and raw.n == 120
    assert calibrated.value is not None and calibrated.value < raw.value
    assert difference.value == pytest.approx(calibrated.value - raw.value) and difference.lower is not None
    ece = found["calibration-gate"].cells[2][0]
    assert isinstance(ece, Estimate) and ece.value is not None and ece.value >= abs(right - 0.8) - 1e-9
    assert ece.lower is None and "biased upwards" in ece.missing
    assert found["reliability-gate-raw"].drawn == "reliability"
    assert [cells[0] for cells in found["reliability-gate-raw"].cells] == pytest.approx([0.8] * 6)
    whole = found["coverage-gate"].cells[0][1]
    assert isinstance(whole, Estimate) and whole.value == pytest.approx(right) and whole.n == 120
    assert found["coverage-gate"].rows[:2] == ("100 %", "90 %")
    assert "development" in found["calibration-gate"].origin


def test_the_test_is_judged_once_it_is_opened_with_the_gates_temperature(corpus: Corpus) -> None:
    code(corpus, range(240))
    assert "calibration-test" not in tables(corpus.coding)
    open_test(corpus.coding, corpus.release)
    found = tables(corpus.coding)["calibration-test"]
    assert "opened" in found.origin and " to " not in found.notes[0]


def test_too_few_texts_say_how_many_are_needed(corpus: Corpus) -> None:
    code(corpus, range(0, 40, 2))
    assert "humor: 20 gate texts have an accepted label and scores, too few" in section(read(corpus.coding)).missing


def test_without_a_release_there_is_nothing_to_judge(coding: Coding) -> None:
    assert "there is no release yet" in section(read(coding)).missing
