"""The random sample that the audit is, and the corpus that it was drawn from: checked, never assumed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.findings.corpus import ROLES, STREAMS, Ints
from backend.findings.facts import Facts
from backend.learning.accepted import Accepted, Resolved

Role = Literal["gate", "test"]
Bools = NDArray[np.bool_]


class NoSampleError(Exception):
    """There is no random sample to estimate from; the message says why, and what would give one."""


class NotAPrefixError(NoSampleError):
    """The coded texts are not the first ones of the random order."""

    def __init__(self, gaps: int) -> None:
        super().__init__(
            f"{gaps:,} audit texts that come earlier in the random order are neither coded nor counted as missing, so "
            "the coded texts are no random sample of the corpus, and nothing can be estimated from them. Have the "
            "audit coded in its order, and run `socialite sync`."
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """The T texts of the draws that the sample comes from, in their N clusters.

    `texts` [T]: their places in `Facts.texts`. `cluster` [T]: 0 to N - 1. `stratum` [N]: the draw, 0 to H - 1.
    `drawn` [N]: whether the cluster is in the sample. `coded` [T]: whether the text is, and has an accepted value.
    `accepted`: text id -> that value. `missing`: texts of the sample that have none, though rows show them. `outside`:
    rows of the corpus that no such draw could have drawn.
    """

    texts: Ints
    cluster: Ints
    stratum: Ints
    drawn: Bools
    coded: Bools
    accepted: dict[int, Accepted]
    missing: int
    outside: int


def checked(ids: Ints, draw: Ints, rank: Ints, accepted: Collection[int], missing: Collection[int]) -> Bools:
    """Which of the audit texts [n] of a role are in the sample, if it is the completed part of the random order.

    `ids`, `draw` (ascending in time) and `rank` are of all audit texts of the role; `accepted` and `missing` are ids of
    those that have a value, and of those that are known to stay without one. Both together must be exactly the texts up
    to some rank of some draw. NotAPrefixError where one before it is neither; ValueError where a text is both, or none
    of the role's.
    """
    both = np.array(sorted({*accepted, *missing}), dtype=np.int64)
    if len(both) < len(accepted) + len(missing) or not np.isin(both, ids).all():
        raise ValueError("A text is coded and missing at once, or is not of this part of the audit.")
    inside = np.isin(ids, both)
    if not inside.any():
        return inside
    last_draw = draw[inside].max()
    last = rank[inside & (draw == last_draw)].max()
    before = (draw < last_draw) | ((draw == last_draw) & (rank <= last))
    gaps = int((before & ~inside).sum())
    if gaps:
        raise NotAPrefixError(gaps)
    return inside


def role(facts: Facts) -> Role:
    """Whose labels an estimate uses: the test's once it is opened, else the gate's."""
    return "test" if facts.opened else "gate"


def labels(facts: Facts, part: Role) -> Resolved:
    return facts.test if part == "test" else facts.gate


def frame(facts: Facts, question: str, part: Role) -> Frame:
    """The sample of one question, and what it is a sample of. NoSampleError."""
    texts, resolved = facts.texts, labels(facts, part)
    in_draw = (texts.draw > 0) & (texts.rank >= 0)
    if not in_draw.any():
        raise NoSampleError(
            "No text was drawn at random, so nothing can be concluded about the corpus. `socialite connect --audit N` "
            "draws an audit sample."
        )
    mine = in_draw & (texts.stream == STREAMS.index("audit")) & (texts.role == ROLES.index(part))
    there = set(texts.ids[mine].tolist())
    accepted = {one.text_id: one for one in resolved.accepted if one.question == question and one.text_id in there}
    missing = (resolved.completed.get(question, frozenset()) & there) - accepted.keys()
    inside = checked(texts.ids[mine], texts.draw[mine], texts.rank[mine], accepted.keys(), missing)
    if not accepted:
        raise NoSampleError(
            f"No {part} text has an accepted label yet. Have the audit coded from its beginning on: what counts is the "
            "part of the random order that is complete."
        )
    sampled = np.flatnonzero(mine)[inside]
    first = np.unique(np.stack([texts.draw[sampled], texts.rank[sampled]], axis=1), axis=0)[:, 0]
    strata = np.array([draw for draw in np.unique(first) if (first == draw).sum() > 1])
    if not len(strata):
        raise NoSampleError(
            "One text, or one group of texts, is coded: two are the least that a variance can be had of."
        )
    places = np.flatnonzero(in_draw & np.isin(texts.draw, strata))
    ranks = int(texts.rank.max()) + 1
    keys, cluster = np.unique(texts.draw[places] * ranks + texts.rank[places], return_inverse=True)
    drawn = np.zeros(len(keys), dtype=np.bool_)
    drawn[cluster[np.isin(places, sampled)]] = True
    coded = np.isin(texts.ids[places], np.fromiter(accepted, dtype=np.int64))
    return Frame(
        texts=places,
        cluster=cluster.astype(np.int64),
        stratum=np.searchsorted(strata, keys // ranks),
        drawn=drawn,
        coded=coded,
        accepted=accepted,
        missing=int((drawn[cluster] & ~coded & (texts.rows[places] > 0)).sum()),
        outside=int(texts.rows.sum() - texts.rows[places].sum()),
    )
