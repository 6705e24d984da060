"""The commands that take tables in and out."""

from __future__ import annotations

import typer


def add_tables(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
