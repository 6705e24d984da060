"""The command that puts models side by side."""

from __future__ import annotations

import typer


def add_evaluate(app: typer.Typer) -> None:
    """Put the command into the application."""
