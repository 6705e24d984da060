"""The commands that take tables in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from backend.cli_options import Key, PairColumn, TextColumn


def add_tables(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
    _add_import(app)
    _add_export(app)


def _add_import(app: typer.Typer) -> None:
    @app.command("import")
    def take_in(
        table: Annotated[
            Path, typer.Argument(metavar="TABLE", help="File of texts: csv, tsv, xlsx, jsonl, parquet or dta.")
        ],
        project: Annotated[
            str, typer.Option(help="Key of the project here: letters, digits, '-' and '_'; made if it is new.")
        ],
        title: Annotated[str | None, typer.Option(help="Title of a new project; its key by default.")] = None,
        codebook: Annotated[
            str | None,
            typer.Option(help="Of a new project: built-in names (emotion,humor), a YAML or an XML file; by comma."),
        ] = None,
        config: Annotated[Path | None, typer.Option(help="Label Studio configuration (XML) to use instead.")] = None,
        text_column: TextColumn = None,
        pair_column: PairColumn = None,
        id_column: Annotated[
            str | None, typer.Option(help="Column that names each row; by default the row's number.")
        ] = None,
        group_column: Annotated[
            str | None, typer.Option(help="Column of what must stay together in a draw, such as author or thread.")
        ] = None,
        label_column: Annotated[
            str | None, typer.Option(help="Column of labels that were given before; several are separated by '|'.")
        ] = None,
        coder_column: Annotated[
            str | None, typer.Option(help="Column of who gave the label; a text then has a row for each coder.")
        ] = None,
        question: Annotated[
            str | None, typer.Option(help="The question that the labels answer, where the codebook has several.")
        ] = None,
        time_column: Annotated[
            str | None, typer.Option(help="Column of when the label was given (ISO 8601; UTC if it names no zone).")
        ] = None,
        labels_are: Annotated[
            Literal["training", "pilot", "gold"] | None,
            typer.Option(help="What the labels are; all of them teach, and none measures."),
        ] = None,
        encoding: Annotated[str | None, typer.Option(help="Encoding of a text file, if not the one found.")] = None,
        separator: Annotated[str | None, typer.Option(help="What separates cells, if not what was found.")] = None,
        sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; the first by default.")] = None,
        source: Annotated[
            str | None, typer.Option(help="Name under which the rows are remembered; the file's by default.")
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")] = False,
    ) -> None:
        """Take the texts of a table into a project, with labels that were given before. Running it again adds what is
        new.
        """
        from backend.commands.take_in import Wishes, run

        run(
            Wishes(
                table=table,
                key=project,
                title=title,
                codebook=codebook,
                config=config,
                text_column=text_column,
                pair_column=pair_column,
                id_column=id_column,
                group_column=group_column,
                label_column=label_column,
                coder_column=coder_column,
                question=question,
                time_column=time_column,
                labels_are=labels_are,
                encoding=encoding,
                separator=separator,
                sheet=sheet,
                source=source,
                dry_run=dry_run,
            )
        )


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
