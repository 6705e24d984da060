"""How well people do by the yardstick that models are read against: each coder in turn, by the others (METHODS 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from backend.learning.estimate import FEW, Estimate, too_few
from backend.learning.measured import MEASURES, scored
from backend.learning.rule import MAJORITY, Value, resolve
from backend.learning.vote import Ballot, Vote
from labelstudio_config.codebook import Question


def ceilings(
    question: Question, votes: Mapping[int, Sequence[Vote]], clusters: Mapping[int, int], seed: int
) -> dict[str, Estimate]:
    """Measure -> what coders reach when each is left out and compared with what the others' answers come to.

    `votes`: text id -> one vote a coder; texts with one vote say nothing here. All pairs of a text and a coder count
    the same; where the others are evenly split a pair is left out. `n` is the number of texts. `clusters` as in
    `card.build`. With two coders the other one is the yardstick, which is noisier than the accepted value of both: the
    figure is then a cautious one.
    """
    told = {text: cast for text, cast in votes.items() if len(cast) > 1}
    pairs = [(text, vote, others) for text, cast in told.items() for vote, others in _left_out(question, cast)]
    n = len({text for text, _, _ in pairs})
    if n < FEW:
        return dict.fromkeys(MEASURES[question.kind], Estimate(n, missing=f"coded by two or more, {too_few(n)}"))
    truth, said = (
        np.array([[label in given.labels for label in question.label_ids] for given in column], dtype=np.bool_)
        for column in ([others for _, _, others in pairs], [vote for _, vote, _ in pairs])
    )
    tied = np.array([clusters.get(text, text) for text, _, _ in pairs], dtype=np.int64)
    found, _ = scored(question.kind, truth, said, tied, seed, "answers")
    return {name: replace(figure, n=n) for name, figure in found.items()}


def _left_out(question: Question, cast: Sequence[Vote]) -> list[tuple[Vote, Value]]:
    """Each vote, with what the others come to."""
    rests = ((vote, [*cast[:n], *cast[n + 1 :]]) for n, vote in enumerate(cast))
    found = ((vote, resolve(question, Ballot(tuple(rest)), MAJORITY, 1)) for vote, rest in rests)
    return [(vote, value) for vote, value in found if isinstance(value, Value)]
