"""The commands about whole projects: archive, delete, back up, restore."""

from __future__ import annotations

import typer


def add_projects(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
