"""The engine that a command is to use for a project: the one that is named, else the one that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.engines.protocol import Engine
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store


def scorer(
    store: Store, in_force: Settings, project: Project, scored: Mapping[str, Any], *, ready: bool = True
) -> tuple[Settings, Engine]:
    """The engine, and the settings that name it; `scored` are those that were given with the command."""
    from backend.engines.choice import choose, settled

    in_use = _in_use(store, project)
    if scored.get("engine") is None and in_force.engine == "auto" and in_use is not None:
        in_force = in_force.model_copy(update={"engine": in_use})
    in_force, _ = settled(in_force, copies=2)  # as `serve`, which has a worker besides
    return in_force, choose(in_force, ready=ready)


def _in_use(store: Store, project: Project) -> str | None:
    """The name of the engine that the project's current release comes from, if this program has it."""
    from backend.engines.registry import ENGINES
    from db import releases
    from db.models import Scorer

    with store.reading() as s:
        release = releases.current(s, project.id)
        name = s.get_one(Scorer, release.scorer_id).engine if release is not None else None
    return name if name in ENGINES else None
