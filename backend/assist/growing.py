"""Carrying a draw on: more audit and control texts from the permutation that was drawn, while nobody has seen them.

The next clusters of a permutation are as random as its first ones, so that an audit that is carried on is still a
completed prefix. A cluster that was shown with a suggestion cannot be coded blind, and one that a model was trained on
cannot measure it; passing it over would leave a sample of what happened not to be shown. So a draw ends there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from db.base import now
from db.dialect import fetch
from db.models import Draw, Placement

_TEXTS = """
SELECT text.id, text.cluster, placement.draw_id, placement.rank, placement.stream,
    EXISTS (SELECT 1 FROM exposure WHERE exposure.text_id = text.id),
    EXISTS (SELECT 1 FROM snapshot_item WHERE snapshot_item.text_id = text.id)
FROM text LEFT JOIN placement ON placement.text_id = text.id
WHERE text.project_id = :project
"""
_MOVED = (
    update(Placement)
    .where(Placement.text_id == bindparam("of"), Placement.stream == "work")
    .values(stream=bindparam("to"), role=bindparam("as"), placed_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class Grown:
    """Clusters that joined, their texts, and the clusters that were asked for and could not be had."""

    audit: int
    control: int
    texts: int
    audit_lacking: int
    control_lacking: int


@dataclass(slots=True)
class _Cluster:
    texts: list[int] = field(default_factory=list)
    shown: bool = False
    trained: bool = False

    def may_join(self, stream: str) -> bool:
        return not self.trained and not (self.shown and stream == "audit")


@dataclass(slots=True)
class _Line:
    """A draw, and its clusters of work in the order of the permutation, the next one last."""

    draw: Draw
    left: list[_Cluster]


def carry_on(s: Session, project_id: int, *, audit: int, control: int) -> Grown:
    """Let that many more clusters join the audit, and the control behind them; as many as there are where they are
    fewer.

    Where there were several draws, each cluster is taken from the one with the smallest part of it in the stream.
    """
    lines = _lines(s, project_id)
    moved: list[dict[str, object]] = []
    found = {"audit": 0, "control": 0}
    for stream, wanted in (("audit", audit), ("control", control)):
        for _ in range(wanted):
            line = _next(lines, stream)
            if line is None:
                break
            cluster, before = line.left.pop(), getattr(line.draw, stream)
            role = ("gate", "test")[before % 2] if stream == "audit" else None
            setattr(line.draw, stream, before + 1)
            moved += [{"of": text, "to": stream, "as": role, "at": now()} for text in cluster.texts]
            found[stream] += 1
    if moved:
        s.flush()
        s.connection().execute(_MOVED, moved)
        s.expire_all()
    return Grown(
        found["audit"], found["control"], len(moved), max(0, audit - found["audit"]), max(0, control - found["control"])
    )


def _next(lines: list[_Line], stream: str) -> _Line | None:
    """The draw that the stream's next cluster is taken from."""
    free = [line for line in lines if line.left and line.left[-1].may_join(stream)]
    return min(free, key=lambda line: (getattr(line.draw, stream) / line.draw.population, line.draw.id), default=None)


def _lines(s: Session, project_id: int) -> list[_Line]:
    of_cluster: dict[int, list[tuple[bool, bool]]] = defaultdict(list)
    places: dict[int, dict[int, _Cluster]] = defaultdict(lambda: defaultdict(_Cluster))
    rows = fetch(s, _TEXTS, project=project_id)
    for text, cluster, _, _, _, shown, trained in rows:
        of_cluster[text if cluster is None else cluster].append((bool(shown), bool(trained)))
    for text, cluster, draw, rank, stream, _, _ in rows:
        if draw is not None and stream == "work":
            one, mates = places[draw][rank], of_cluster[text if cluster is None else cluster]
            one.texts.append(text)
            one.shown = one.shown or any(shown for shown, _ in mates)
            one.trained = one.trained or any(trained for _, trained in mates)
    draws = s.scalars(select(Draw).where(Draw.project_id == project_id).order_by(Draw.id)).all()
    return [_Line(draw, [places[draw.id][rank] for rank in sorted(places[draw.id], reverse=True)]) for draw in draws]
