"""A corpus of texts that were drawn at random, some coded blind, all scored, whose true labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db import texts
from db.models import Draw
from db.texts import PlacementRow
from tests.backend.findings.world import score
from tests.backend.learning.coding import Coding


@dataclass(frozen=True)
class Corpus:
    """Texts in the order of their random ranks; `true[n]` is whether the n-th is humorous, `model[n]` whether the
    release says so, each time with 80 %.
    """

    coding: Coding
    ids: list[int]
    true: NDArray[np.bool_]
    model: NDArray[np.bool_]
    release: int


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
    said = {text: {"humor": (0.2, 0.8) if yes else (0.8, 0.2)} for text, yes in zip(ids, model, strict=True)}
    return Corpus(coding, ids, true, model, score(coding, said))


def code(corpus: Corpus, ranks: Sequence[int] | range, **given: Any) -> None:
    """The true label of each; `given` belongs to the answers."""
    for k in ranks:
        corpus.coding.answer(corpus.ids[k], 1, humor="yes" if corpus.true[k] else "no", **given)
