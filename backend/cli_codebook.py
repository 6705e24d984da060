"""The commands that make, compare and try codebooks."""

from __future__ import annotations

import typer


def add_codebook(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
