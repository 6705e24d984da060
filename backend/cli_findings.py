"""The commands of the findings: what the labels are worth, and what may be concluded from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import AsJson, Key, KeyEnv


def add_findings(app: typer.Typer) -> None:
    """Put these commands into the application."""
    app.command()(phase)
    app.command("open-test")(open_test)
    app.command()(disagreements)


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


def disagreements(
    project: Key,
    question: Annotated[str | None, typer.Option(help="One question of the codebook, by its id; else all.")] = None,
    push: Annotated[
        bool, typer.Option("--push", help="Make a task of each in an adjudication project, blind to who said what.")
    ] = False,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    errors: Annotated[
        bool, typer.Option("--errors", help="List accepted labels of assisted texts to look at again, instead.")
    ] = False,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A CSV file to write the list to.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """List the texts that coders disagree on or skipped; --push has them decided in a Label Studio project."""
    from backend.commands.disagreements import Wishes, run

    run(Wishes(project, question, push, api_key_env, errors, as_json, output, overwrite))
