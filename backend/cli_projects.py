"""The commands about whole projects: archive, delete, back up, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import AsJson

Key = Annotated[str, typer.Argument(metavar="PROJECT", help="Key of the project, as given to `connect`.")]
group = typer.Typer(help="The projects of this store, each as a whole.", no_args_is_help=True)


def add_projects(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
    app.add_typer(group, name="project")


@group.command("list")
def listed(
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """The projects, their Label Studio projects, and how many texts and answers each has."""
    from backend.commands.project import listed as run

    run(archived, as_json)


@group.command("archive")
def archive(project: Key) -> None:
    """Put a project away: it gets no suggestions and no jobs any more; what is coded is still kept."""
    from backend.commands.project import archive as run

    run(project)


@group.command("unarchive")
def unarchive(project: Key) -> None:
    """Take an archived project up again."""
    from backend.commands.project import unarchive as run

    run(project)


@group.command("delete")
def delete(
    project: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, say what would go.")] = False,
    keep_adapters: Annotated[
        bool, typer.Option("--keep-adapters", help="Leave the files of its adapters, and name them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a project for ever: texts, answers, scores, adapters. Names every adapter that saw its texts."""
    from backend.commands.project import delete as run

    run(project, yes=yes, keep_adapters=keep_adapters, as_json=as_json)


@group.command("backup")
def backup(
    project: Key,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; its name ends in .socialite.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there already.")] = False,
) -> None:
    """Write a project to one file: texts, answers, scores, releases, adapters. `serve` may run meanwhile."""
    from backend.commands.project import backup as run

    run(project, output, overwrite=overwrite)


@group.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `project backup` wrote.")],
    key: Annotated[str | None, typer.Option("--as", metavar="KEY", help="Key to give it, if not its own.")] = None,
) -> None:
    """Put a backed-up project into this store, whole or not at all."""
    from backend.commands.project import restore as run

    run(file, key)
