"""The commands of the findings: what the labels are worth, and what may be concluded from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import Key


def add_findings(app: typer.Typer) -> None:
    """Put these commands into the application."""
    app.command("open-test")(open_test)
    app.command()(report)


def open_test(
    project: Key,
    by: Annotated[str, typer.Option(help="Who opens it: a name that the report repeats.")],
    reason: Annotated[str, typer.Option(help="Why now, in a sentence that the report repeats.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Compare the current release with people on the test texts, for the report. Logged and counted, for ever."""
    from backend.commands import open_test as command

    command.run(project, by=by, reason=reason, yes=yes)


def report(
    project: Key,
    phase: Annotated[str, typer.Option(help="Phase of the project: training, pilot or production.")] = "production",
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column of the corpus that prevalence is told apart by; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write instead of text; its ending: .html, .md, .json or .csv."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")] = False,
) -> None:
    """Agreement, fit, prevalence and more of a project, each number with its n, interval and origin."""
    from backend.commands import report as command

    command.run(project, phase, by or [], output, as_json, overwrite)
