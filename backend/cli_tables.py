"""The commands that take tables in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from backend.cli_options import Key


def add_tables(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
    _add_export(app)


def _add_export(app: typer.Typer) -> None:
    @app.command("export")
    def export(
        project: Key,
        output: Annotated[
            Path,
            typer.Option("-o", "--output", help="File to write: csv, tsv, xlsx, jsonl, parquet or dta."),
        ],
        shape: Annotated[
            Literal["long", "wide"],
            typer.Option(help="long: a row per text, coder and question; wide: a row per text with all that is known."),
        ] = "long",
        phase: Annotated[
            Literal["training", "pilot", "production", "all"], typer.Option(help="Phase whose answers are written.")
        ] = "all",
        without_text: Annotated[
            bool, typer.Option("--without-text", help="Leave out the texts, as for a file that is passed on.")
        ] = False,
        only_coded: Annotated[
            bool, typer.Option("--only-coded", help="Leave out the texts that nobody has coded.")
        ] = False,
        target: Annotated[
            Literal["label-studio"] | None,
            typer.Option("--for", help="label-studio: tasks, answers and suggestions, as JSON to import there."),
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files if they are there.")] = False,
    ) -> None:
        """Write all that is known of a project as a table, with a dictionary of its columns beside it."""
        from backend.commands.export import Wishes, run

        run(Wishes(project, output, shape, phase, without_text, only_coded, target, overwrite))
