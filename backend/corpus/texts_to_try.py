"""Texts of a project on which anything may be tried: none of the audit's, whose labels are to measure a model."""

from __future__ import annotations

import random

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Placement, Text
from db.texts import bodies


def some(s: Session, project_id: int, limit: int, seed: int) -> list[tuple[str, ...]]:
    """At most so many texts, drawn at random, that are placed outside the audit and not blank."""
    mine = select(Placement.text_id).join(Text, Text.id == Placement.text_id).where(Text.project_id == project_id)
    ids = sorted(s.scalars(mine.where(Placement.stream != "audit")))
    random.Random(seed).shuffle(ids)
    found: list[tuple[str, ...]] = []
    for start in range(0, len(ids), limit):
        part = ids[start : start + limit]
        words = bodies(s, part)
        found += [words[i] for i in part if i in words and all(text.strip() for text in words[i])]
        if len(found) >= limit:
            break
    return found[:limit]
