"""A project's texts and rows as arrays: where each text is in the draw, and which rows of the tables show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from db.dialect import fetch

Ints = NDArray[np.int64]
STREAMS = ("", "audit", "control", "work")
ROLES = ("", "gate", "test")


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a project [N], by ascending id.

    `cluster`: texts that belong together have the same; a text that was never drawn has its own id. `draw`: id of the
    draw that placed it, 0 where none did; `rank` in it, -1 where none. `stream`, `role`: places in `STREAMS`, `ROLES`.
    `rows`: how many rows of the corpus show it.
    """

    ids: Ints
    cluster: Ints
    draw: Ints
    rank: Ints
    stream: NDArray[np.int8]
    role: NDArray[np.int8]
    rows: Ints

    def at(self, ids: Ints) -> Ints:
        """The places [n] of text ids [n]; KeyError for one that is not there."""
        places = np.searchsorted(self.ids, ids)
        if len(ids) and (places.max(initial=0) >= len(self.ids) or (self.ids[places] != ids).any()):
            raise KeyError("A text is none of the project's.")
        return np.asarray(places, dtype=np.int64)


def texts(s: Session, project_id: int) -> Texts:
    """All texts of a project."""
    rows = fetch(s, _TEXTS, project=project_id)
    stream, role = {name: n for n, name in enumerate(STREAMS)}, {name: n for n, name in enumerate(ROLES)}
    plain = [(i, i if c is None else c, d or 0, -1 if r is None else r, n) for i, c, d, r, _, _, n in rows]
    ids, cluster, draw, rank, shown = np.array(plain, dtype=np.int64).reshape(-1, 5).T
    return Texts(
        ids,
        cluster,
        draw,
        rank,
        np.array([stream[row[4] or ""] for row in rows], dtype=np.int8),
        np.array([role[row[5] or ""] for row in rows], dtype=np.int8),
        shown,
    )


_TEXTS = """
SELECT text.id, text.cluster, placement.draw_id, placement.rank, placement.stream, placement.role, COALESCE(shown.n, 0)
FROM text
LEFT JOIN placement ON placement.text_id = text.id
LEFT JOIN (SELECT unit.text_id, COUNT(*) AS n FROM unit WHERE unit.project_id = :project GROUP BY unit.text_id) AS shown
    ON shown.text_id = text.id
WHERE text.project_id = :project ORDER BY text.id
"""


def metadata(s: Session, project_id: int) -> Iterator[tuple[int, str, dict[str, object]]]:
    """(text id, the row's name, its other columns) of every row of the corpus."""
    for text_id, external_id, other in fetch(s, _UNITS, project=project_id):
        found = orjson.loads(other) if isinstance(other, str | bytes) else other
        yield text_id, external_id, found or {}


_UNITS = "SELECT text_id, external_id, other FROM unit WHERE project_id = :project ORDER BY id"
