"""Which texts are coded blind, which at random with suggestions, and which in any order: one seeded permutation of the
corpus.

What must be unbiased later is a completed prefix of a random permutation of the clusters (texts tied by a group or as
near-duplicates): a cluster's chance to be in it is n/N, however fast coders are and wherever they stop. A placement is
for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from backend.assist.near_duplicates import clusters
from backend.assist.ties import Ties
from db.dialect import fetch
from db.models import Draw, Project, Text
from db.texts import PlacementRow, bodies, place

_TEXTS = """
SELECT text.id, text.content_hash, text.group_key, text.cluster,
    placement.draw_id, placement.rank, placement.stream, placement.role,
    EXISTS (SELECT 1 FROM exposure WHERE exposure.text_id = text.id)
FROM text LEFT JOIN placement ON placement.text_id = text.id
WHERE text.project_id = :project
"""
_FIRST = ("audit", "control", "work")  # which placement a text takes over where its cluster has several


class DrawError(Exception):
    """The corpus is too small for the sample that was asked for."""

    def __init__(self, asked: int, texts: int, there: int) -> None:
        super().__init__(
            f"{asked} clusters of texts were asked for the audit and the control, but only {there} can be drawn: "
            f"{texts} texts are not placed yet, and texts that are near-duplicates of each other, or of one group, "
            "count as one. Ask for fewer, or add texts."
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """A text of the project, and its placement if it has one."""

    id: int
    content_hash: str
    group_key: str | None
    cluster: int | None
    draw_id: int | None
    rank: int | None
    stream: str | None
    role: str | None
    exposed: int  # 1 where a suggestion for it was shown


def ties(s: Session, project_id: int, eligible_text_ids: Iterable[int]) -> dict[int, int]:
    """Text id -> the smallest id of its cluster, over the eligible texts and all that a draw must not separate them
    from.

    Slow (seconds for 20,000 texts) and read only: call it outside the write lock, and give it to `draw`.
    """
    known = _texts(s, project_id)
    there = _related(known, eligible_text_ids)
    tied = Ties(there)
    by_fields: dict[int, dict[int, Sequence[str]]] = defaultdict(dict)
    for i, fields in bodies(s, there).items():
        by_fields[len(fields)][i] = fields
    for same_number in by_fields.values():
        for i, root in clusters(same_number).items():
            tied.tie(i, root)
    _tie_groups(tied, known, there)
    return tied.roots()


def draw(
    s: Session,
    project: Project,
    eligible_text_ids: Iterable[int],
    *,
    audit: int,
    control: int,
    seed: int,
    tied: Mapping[int, int] | None = None,
) -> Draw:
    """Place the eligible texts that have no placement yet, and write down the draw.

    `audit` and `control` are numbers of clusters: the first and the next of the permutation; audit clusters are gate
    and test in turn, all others work. A text whose cluster has a placed text joins that one's stream and rank, and is
    no part of the draw; a text that was shown with a suggestion, and its cluster, is work. `tied` is what `ties` said
    of the same texts. Raises DrawError.
    """
    eligible = list(eligible_text_ids)
    tied = tied if tied is not None else ties(s, project.id, eligible)
    known = _texts(s, project.id)
    forest = Ties(_related(known, eligible))
    for i, root in tied.items():
        forest.tie(i, root)
    _tie_groups(forest, known, forest.roots())
    new = {i for i in eligible if i in known and known[i].stream is None}
    members: dict[int, list[_Known]] = defaultdict(list)
    for i, root in forest.roots().items():
        if i in known:
            members[root].append(known[i])
    open_clusters = {root: texts for root, texts in members.items() if any(t.id in new for t in texts)}
    free = {root: texts for root, texts in open_clusters.items() if not any(t.stream or t.exposed for t in texts)}
    if audit + control > len(free):
        raise DrawError(audit + control, len(new), len(free))
    made = _draw(s, project.id, seed, len(free), audit, control)
    rows = [row for root in open_clusters.keys() - free.keys() for row in _joined(open_clusters[root], new)]
    for rank, root in enumerate(_permuted(free, seed, made.number)):
        stream, role = _stream(rank, audit, control)
        rows += [PlacementRow(t.id, made.id, rank, stream, role) for t in free[root]]
    place(s, rows)
    _write_clusters(s, members)
    return made


def _texts(s: Session, project_id: int) -> dict[int, _Known]:
    rows = fetch(s, _TEXTS, project=project_id)
    return {row[0]: _Known(*row) for row in rows}


def _related(known: Mapping[int, _Known], eligible: Iterable[int]) -> list[int]:
    """The texts that matter to a draw: the eligible ones, and those that are placed or were shown."""
    wanted = {i for i in eligible if i in known} | {t.id for t in known.values() if t.stream or t.exposed}
    return sorted(wanted)


def _tie_groups(forest: Ties, known: Mapping[int, _Known], ids: Iterable[int]) -> None:
    """Tie texts of one group, and those that an earlier draw tied."""
    groups: dict[tuple[str, object], list[int]] = defaultdict(list)
    for i in ids:
        if i in known:
            if known[i].group_key is not None:
                groups["group", known[i].group_key].append(i)
            if known[i].cluster is not None:
                groups["cluster", known[i].cluster].append(i)
    for same in groups.values():
        forest.tie_all(same)


def _draw(s: Session, project_id: int, seed: int, population: int, audit: int, control: int) -> Draw:
    latest = s.scalar(select(func.max(Draw.number)).where(Draw.project_id == project_id))
    made = Draw(
        project_id=project_id,
        number=(latest or 0) + 1,
        seed=seed,
        population=population,
        audit=audit,
        control=control,
    )
    s.add(made)
    s.flush()
    return made


def _permuted(free: Mapping[int, Sequence[_Known]], seed: int, number: int) -> list[int]:
    """The clusters in random order; it depends on the texts, the seed and the draw's number, not on ids."""
    roots = sorted(free, key=lambda root: min(t.content_hash for t in free[root]))
    order = np.random.default_rng([seed, number]).permutation(len(roots))
    return [roots[i] for i in order]


def _stream(rank: int, audit: int, control: int) -> tuple[str, str | None]:
    if rank < audit:
        return "audit", ("gate", "test")[rank % 2]
    return ("control" if rank < audit + control else "work"), None


def _joined(cluster: Sequence[_Known], new: Container[int]) -> list[PlacementRow]:
    """Placements of a cluster's new texts where the cluster has one already, or was shown."""
    placed = [t for t in cluster if t.stream]
    first = min(placed, key=lambda t: (_FIRST.index(t.stream or ""), t.draw_id or 0, t.rank or 0), default=None)
    rows = []
    for text in cluster:
        if text.id in new:
            if first is None or not first.stream or (first.stream == "audit" and text.exposed):
                rows.append(PlacementRow(text.id, None, None, "work"))
            else:
                rows.append(PlacementRow(text.id, first.draw_id, first.rank, first.stream, first.role))
    return rows


def _write_clusters(s: Session, members: Mapping[int, Sequence[_Known]]) -> None:
    changed = [{"of": t.id, "root": root} for root, texts in members.items() for t in texts if t.cluster != root]
    if changed:
        s.connection().execute(_CLUSTER, changed)


_CLUSTER = update(Text).where(Text.id == bindparam("of")).values(cluster=bindparam("root"))
