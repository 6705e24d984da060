"""The commands of the findings: what the labels are worth, and what may be concluded from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import Key


def add_findings(app: typer.Typer) -> None:
    """Put these commands into the application."""
    app.command()(phase)
    app.command("open-test")(open_test)
    app.command()(methods)


def phase(
    project: Key,
    name: Annotated[str | None, typer.Argument(metavar="PHASE", help="training, pilot or production.")] = None,
) -> None:
    """What coders are doing: training, a pilot, or the work itself, whose answers alone are reported as such."""
    from backend.commands import phase as command

    command.run(project, name)


def open_test(
    project: Key,
    by: Annotated[str, typer.Option(help="Who opens it: a name that the report repeats.")],
    reason: Annotated[str, typer.Option(help="Why now, in a sentence that the report repeats.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Compare the current release with people on the test texts, for the report. Logged and counted, for ever."""
    from backend.commands import open_test as command

    command.run(project, by=by, reason=reason, yes=yes)


def methods(
    project: Key,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of such a folder.")] = False,
) -> None:
    """Write what an article needs: a methods paragraph, the GUIDE-LLM checklist, a manifest, a table, R and Stata."""
    from backend.commands import methods as command

    command.run(project, output, overwrite=overwrite)
