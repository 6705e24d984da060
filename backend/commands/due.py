"""Which projects have enough new labels for a run."""

from __future__ import annotations

from contextlib import closing

from backend import settings


def keys(least: int) -> list[str]:
    """The keys of the projects of which at least so many texts were coded since their last run."""
    from backend.learning.when import due
    from db.models import Project
    from db.store import open_store

    with closing(open_store(settings.load().database_url)) as store, store.reading() as s:
        return [s.get_one(Project, one).key for one in due(s, 0.0, least)]
