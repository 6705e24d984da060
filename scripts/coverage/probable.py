"""How good a model's probabilities are: Brier score and log loss, in every world; the calibration error is withheld."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.findings.calibration import losses
from backend.stats.calibration import brier, log_loss
from scripts.coverage.cells import Cell, Check, Sample, Shown
from scripts.coverage.estimating import own

BRIER, LOG_LOSS = "Brier score", "log loss"
SURE = (0.55, 0.75, 0.95)  # how sure the model says that it is of its label, whatever the text


def _said(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities [n, K], and the true labels as marks."""
    n, k = len(sample.truth), sample.labels
    sure = own(sample, 3).choice(SURE, n)
    p = np.repeat(((1 - sure) / (k - 1))[:, None], k, axis=1)
    p[np.arange(n), sample.model] = sure
    return np.log(p), np.eye(k, dtype=np.bool_)[sample.truth]


def found(cell: Cell, sample: Sample, seed: int) -> Mapping[str, Shown | None]:
    log_p, truth = _said(sample)
    each = losses(log_p, log_p, truth, sample.groups, several=False)
    first = {BRIER: each[0][0], LOG_LOSS: each[1][0]}
    return {
        name: None if one.lower is None or one.upper is None else Shown(one.lower, one.upper)
        for name, one in first.items()
    }


def truths(cell: Cell, sample: Sample) -> Mapping[str, float]:
    log_p, truth = _said(sample)
    return {
        BRIER: float(brier(log_p, truth, several=False).mean()),
        LOG_LOSS: float(log_loss(log_p, truth, several=False).mean()),
    }


CHECK = Check((BRIER, LOG_LOSS), truths, found)
