"""A corpus of texts that were drawn at random, some coded blind, all scored, whose true labels are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from db import texts
from db.models import Draw
from db.texts import PlacementRow
from tests.backend.findings.world import score
from tests.backend.learning.coding import Coding


@dataclass
class Corpus:
    """Texts in the order of their random ranks; `true[n]` is whether the n-th is humorous, `model[n]` what is
    suggested.
    """

    coding: Coding
    ids: list[int]
    true: np.ndarray
    model: np.ndarray
    release: int = 0
    seen: Mapping[int, float] = field(default_factory=dict)


def drawn(
    coding: Coding, n: int, *, audit: int, control: int = 0, share: float = 0.4, right: float = 0.8, seed: int = 0
) -> Corpus:
    """`n` texts, of which the first are the audit's (gate and test in turn), then the control's, the rest work; one
    coder codes an audit text.
    """
    rng = np.random.default_rng(seed)
    true = rng.random(n) < share
    model = np.where(rng.random(n) < right, true, ~true)
    coding.change(sampling_design={"audit": audit, "control": control, "coders": 1})
    ids = coding.texts([f"text {seed} {k}" for k in range(audit)], "audit")
    ids += coding.texts([f"text {seed} {k}" for k in range(audit, n)], "assisted")
    with coding.store.writing() as s:
        sizes = {"population": n, "audit": audit, "control": control}
        draw = Draw(project_id=coding.world.project_id, number=1, seed=1, **sizes)
        s.add(draw)
        s.flush()
        rows = []
        for rank, text in enumerate(ids):
            stream = "audit" if rank < audit else "control" if rank < audit + control else "work"
            rows.append(PlacementRow(text, draw.id, rank, stream, ("gate", "test")[rank % 2] if rank < audit else None))
        texts.place(s, rows)
    made = Corpus(coding, ids, true, model)
    made.release = score(coding, said(made, range(n)))
    return made


def said(corpus: Corpus, ranks: Sequence[int] | range) -> dict[int, dict[str, tuple[float, ...]]]:
    """Text id -> what the model says: 80 % for its label."""
    return {corpus.ids[k]: {"humor": (0.2, 0.8) if corpus.model[k] else (0.8, 0.2)} for k in ranks}


def code(corpus: Corpus, ranks: Sequence[int] | range) -> None:
    """The true label of each."""
    for k in ranks:
        corpus.coding.answer(corpus.ids[k], 1, humor="yes" if corpus.true[k] else "no")
