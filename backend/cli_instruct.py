"""The command that instruction-tunes a causal language model on many tasks."""

from __future__ import annotations

import typer


def add_instruct(app: typer.Typer) -> None:
    """Put the command into the application."""
