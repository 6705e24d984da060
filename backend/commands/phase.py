"""`socialite phase`: whether what coders do now is training, a pilot, or the work itself."""

from __future__ import annotations

from backend import settings
from backend.commands.console import say


class PhaseError(Exception):
    """There is no such phase."""


def run(key: str, phase: str | None) -> None:
    """Print the phase, or enter another one."""
    from db import projects
    from db.store import open_store

    if phase is not None and phase not in projects.PHASES:
        raise PhaseError(f"'{phase}' is no phase. Choose one of: {', '.join(projects.PHASES)}.")
    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        if phase is None:
            print(project.phase)  # noqa: T201
            return
        if phase == project.phase:
            say(f"'{key}' is in the phase '{phase}' already.")
            return
        with store.writing() as s:
            projects.enter(s, project.id, phase)
    finally:
        store.close()
    say(f"From now on answers in '{key}' belong to the phase '{phase}'. Those that are there keep '{project.phase}'.")
