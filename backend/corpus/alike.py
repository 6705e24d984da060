"""How many texts of a table are near-duplicates, so that a person hears of it before anything is drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.assist.near_duplicates import clusters
from db.models import Project, Text, TextBody
from db.store import Store


def near(
    store: Store | None, project: Project | None, given: Mapping[str, Sequence[str]], most: int
) -> tuple[int | None, int]:
    """How many of the texts (content hash -> fields) are near-duplicates of another one, given or stored; and how many
    others are stored. None where there are more than `most` to compare.
    """
    stored: dict[str, list[str]] = {}
    if store is not None and project is not None:
        with store.reading() as s:
            n = s.scalars(select(func.count(Text.id)).where(Text.project_id == project.id)).one()
            if n + len(given) > 2 * most:
                return None, n
            stored = _stored(s, project.id)
    others = {content: fields for content, fields in stored.items() if content not in given}
    if len(given) + len(others) > most:
        return None, len(others)
    return _near([*given.values(), *others.values()], len(given)), len(others)


def _stored(s: Session, project_id: int) -> dict[str, list[str]]:
    query = select(Text.content_hash, TextBody.fields).join(TextBody, TextBody.text_id == Text.id)
    return {
        content: fields
        for content, fields in s.execute(query.where(Text.project_id == project_id, TextBody.fields.is_not(None)))
        if fields
    }


def _near(fields: Sequence[Sequence[str]], first: int) -> int:
    """How many of the `first` are in a cluster with another one."""
    by_number: dict[int, dict[int, Sequence[str]]] = defaultdict(dict)
    for n, one in enumerate(fields):
        by_number[len(one)][n] = one
    found = 0
    for same in by_number.values():
        roots = clusters(same)
        sizes = Counter(roots.values())
        found += sum(sizes[root] > 1 for n, root in roots.items() if n < first)
    return found
