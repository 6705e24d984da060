"""Small tables of ratings that were published along with what their agreement is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NONE = np.nan
FOUR_CODERS = np.array(  # Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, part C
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)
# Cohen 1960, Educational and Psychological Measurement 20(1): 200 cases by two judges
JUDGES = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
# SAS/STAT User's Guide, The FREQ Procedure, Agreement Study: 88 patients by two dermatologists on an ordered scale
SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
# Gwet 2008, British Journal of Mathematical and Statistical Psychology 61(1): 125 subjects, nearly all positive
PARADOX = [[118, 5], [2, 0]]
# Gwet 2014, Handbook of Inter-Rater Reliability, 4th edition: 100 patients by two abstractors
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
# Fleiss 1971, Psychological Bulletin 76(5): how many of 6 psychiatrists gave each of 5 diagnoses to each of 30 patients
PSYCHIATRISTS = """
    00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
    00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
# Wikipedia, Fleiss' kappa, worked example: how many of 14 raters gave each of 5 categories to each of 10 subjects
FOURTEEN = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def crossed(table: Sequence[Sequence[int]]) -> NDArray[np.floating]:
    """The ratings [2, n] that a cross table of two coders counts."""
    times = np.array(table)
    one, other = np.indices(times.shape)
    return np.stack([np.repeat(one, times.ravel()), np.repeat(other, times.ravel())]).astype(float)


def told(counts: Sequence[Sequence[int]]) -> NDArray[np.floating]:
    """Ratings [coders, n] with these counts of labels a text; who gave which is no matter."""
    return np.array([np.repeat(np.arange(len(row)), row) for row in counts], dtype=float).T


def psychiatrists() -> NDArray[np.floating]:
    return told([[int(digit) for digit in patient] for patient in PSYCHIATRISTS.split()])
