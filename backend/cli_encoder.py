"""The command that trains one encoder on many tasks."""

from __future__ import annotations

import typer


def add_encoder(app: typer.Typer) -> None:
    """Put the command into the application."""
