from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.calibration import CalibrationError, calibrated, temperatures
from backend.engines.protocol import Family

LOGITS = st.lists(st.floats(-30, 30), min_size=1, max_size=5)
HEAT = st.floats(0.05, 20)


@given(LOGITS, HEAT)
def test_a_temperature_divides_logits(logits: list[float], heat: float) -> None:
    def softmax(x: Any) -> Any:
        return np.exp(x - np.max(x)) / np.exp(x - np.max(x)).sum()

    raw = [float(x) for x in np.log(softmax(np.array(logits)))]
    assert np.exp(calibrated(raw, Family.CATEGORICAL, heat)) == pytest.approx(softmax(np.array(raw) / heat), abs=1e-9)
    assert calibrated(raw, Family.ORDINAL, heat) == calibrated(raw, Family.CATEGORICAL, heat)
    p = 1 / (1 + np.exp(-np.array(logits)))
    each = np.exp(calibrated([float(x) for x in np.log(p)], Family.BERNOULLI, heat))
    assert each == pytest.approx(1 / (1 + np.exp(-np.log(p / (1 - p)) / heat)), abs=1e-6)


def test_one_leaves_them_as_they_are() -> None:
    assert calibrated([-0.1, -2.3], Family.CATEGORICAL) == [-0.1, -2.3]


def test_certainty_stays_certainty() -> None:
    assert calibrated([0.0, -math.inf], Family.CATEGORICAL, 3.0) == [0.0, -math.inf]
    assert calibrated([0.0, -math.inf, 1e-12], Family.BERNOULLI, 3.0) == [0.0, -math.inf, 0.0]


def test_temperatures_are_read_by_question() -> None:
    assert temperatures(None) == {}
    assert temperatures({"humor": {"temperature": 2, "n": 100}}) == {"humor": 2.0}


@pytest.mark.parametrize("given_", [None, 1.5, {}, {"temperature": 0}, {"temperature": math.nan}, {"temperature": "2"}])
def test_what_is_no_temperature_is_refused(given_: Any) -> None:
    with pytest.raises(CalibrationError, match="'humor'"):
        temperatures({"humor": given_})
