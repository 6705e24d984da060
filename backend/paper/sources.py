"""Where labelled texts come from, by the names that a person gives."""

from __future__ import annotations

from collections.abc import Sequence

from backend.paper.task import Task


def tasks(sources: Sequence[str], chosen: str = "all") -> list[Task]:
    """The tasks of all sources, those of one question in two sources joined; see `SOURCES` for what may be named."""
    raise NotImplementedError
