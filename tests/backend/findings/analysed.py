"""A project whose audit is coded and whose corpus is scored, for the table and what is computed from it."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from db.models import Draw, Unit
from tests.backend.findings.world import open_test, score
from tests.backend.learning.coding import Coding

PARTIES = ("left", "right", "=1+1")
DRAWN = ((90, 44, 44), (40, 24, 12))  # of each draw: clusters, of them in the audit, of them coded


def analysed(coding: Coding, *, opened: bool = True) -> int:
    """Two draws, some clusters of two texts, a text that no draw placed, and two coders who differ at times, or skip.

    Gives back the id of the current release.
    """
    rng = np.random.default_rng(5)
    ids: dict[str, int] = {}
    coded: list[int] = []
    for number, (clusters, audit, reached) in enumerate(DRAWN, 1):
        with coding.store.writing() as s:
            sizes = {"population": clusters, "audit": audit, "control": 10}
            s.add(Draw(project_id=coding.world.project_id, number=number, seed=7, **sizes))
        ranks = [rank for rank in range(clusters) for _ in range(1 + (rank % 7 == 3))]
        for where, mine in (("audit", [r for r in ranks if r < audit]), ("assisted", [r for r in ranks if r >= audit])):
            bodies = [f"text {number} {rank} {n}" for n, rank in enumerate(mine)]
            for rank, body, text in zip(mine, bodies, coding.texts(bodies, where), strict=True):
                stream = where if where == "audit" else "control" if rank < audit + 10 else "work"
                role = ("gate", "test")[rank % 2] if where == "audit" else None
                coding.place(text, stream, rank, role, number)
                ids[body] = text
                if rank < reached:
                    coded.append(text)
    lonely = coding.text("never drawn")
    every = [*ids.values(), lonely]
    truth = {text: (rng.random() < 0.4, int(rng.integers(4)), rng.random(3) < 0.3) for text in every}
    for text in coded:
        yes, stars, topics = truth[text]
        told = [name for name, has in zip(("money", "health", "sport"), topics, strict=True) if has]
        for coder in (1, 2):
            said = yes != (rng.random() < 0.1)
            given = {"humor": ("no", "yes")[said], "stars": str(stars + 1), "topics": tuple(told), "year": 1990 + stars}
            coding.answer(text, coder, **given)
    coding.answer(lonely, 3, humor="no", origin="kept")
    release = score(coding, {text: _said(rng, *truth[text]) for text in every})
    describe(coding)
    if opened:
        open_test(coding, release)
    return release


def describe(coding: Coding) -> None:
    """Every row of the corpus has a party, a year, and sometimes a note."""
    with coding.store.writing() as s:
        for n, unit in enumerate(s.scalars(select(Unit).order_by(Unit.id))):
            unit.other = {"Party (2024)": PARTIES[n % 3], "if": -n % 5, "note": "x" * (150 * (n == 3)), "empty": None}


def _said(
    rng: np.random.Generator, yes: bool, stars: int, topics: np.ndarray
) -> dict[str, tuple[float, ...] | np.ndarray]:
    """What a model says that is right most of the time, and too often says yes."""
    humor = yes or rng.random() < 0.25
    place = min(3, max(0, stars + int(rng.integers(-1, 2))))
    wrong = rng.random(3) < 0.15
    return {
        "humor": (0.2, 0.8) if humor else (0.9, 0.1),
        "stars": np.where(np.arange(4) == place, 0.7, 0.1),
        "topics": np.where(topics != wrong, 0.8, 0.2),
    }
