"""The commands that score a corpus and send the suggestions."""

from __future__ import annotations

import typer


def add_prelabel(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
