"""The commands of the findings: what the labels are worth, and what may be concluded from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import AsJson, Key, KeyEnv

SomeDesign = Annotated[
    str | None, typer.Option("--project", help="Key of a connected project, which says how many texts and labels.")
]


def add_findings(app: typer.Typer) -> None:
    """Put these commands into the application."""
    app.command()(phase)
    app.command("open-test")(open_test)
    app.command()(report)
    app.command()(methods)
    app.command()(design)
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


def design(
    project: SomeDesign = None,
    texts: Annotated[int | None, typer.Option(min=1, help="Texts of the corpus.")] = None,
    coders: Annotated[int, typer.Option(min=1, help="People who code.")] = 2,
    hours: Annotated[float, typer.Option(min=0, help="Hours of all of them together.")] = 20.0,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds a coder takes for a text.")] = 20.0,
    rare: Annotated[
        float | None, typer.Option("--rare", help="Share of the rarest label, such as 0.1; by default all alike.")
    ] = None,
    labels: Annotated[int | None, typer.Option(min=2, help="Labels of the question; 2 by default.")] = None,
    per_text: Annotated[
        int | None, typer.Option("--per-text", min=1, help="Coders of each audit text; by default 2, or 3 if it pays.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Set the project and Label Studio up for the recommended plan.")
    ] = False,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    as_json: AsJson = False,
) -> None:
    """Before coding: how many texts to audit, by how many people, and which intervals and powers that buys."""
    from backend.commands.design import Wishes, run

    run(Wishes(project, texts, coders, hours, seconds, rare, labels, per_text, apply, api_key_env, as_json))


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
    as_json: AsJson = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")] = False,
) -> None:
    """Agreement, fit, prevalence and more of a project, each number with its n, interval and origin."""
    from backend.commands import report as command

    command.run(project, phase, by or [], output, as_json, overwrite)


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


def methods(
    project: Key,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of such a folder.")] = False,
) -> None:
    """Write what an article needs: a methods paragraph, the GUIDE-LLM checklist, a manifest, a table, R and Stata."""
    from backend.commands import methods as command

    command.run(project, output, overwrite=overwrite)
