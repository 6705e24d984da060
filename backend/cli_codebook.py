"""The commands that make, compare and try codebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import (
    AsJson,
    Device,
    EngineName,
    FourBit,
    Instructions,
    Key,
    KeyEnv,
    Method,
    ModelName,
    PairColumn,
    Shots,
    TextColumn,
    scored,
)

SUITE = (
    "Make a codebook from a spreadsheet, change a project's, compare revisions, and try how a model behaves under it."
)
COLUMNS = (
    "A table has a row for each label. It needs the columns 'question' and 'label'; useful are 'definition', "
    "'include', 'exclude', 'example' (a line each, or a row each), and 'code', what is stored for the label. For "
    "questions, in their first row: 'kind' (single, multiple, ordinal, number), 'question_wording', 'instruction', "
    "'field', 'required', 'minimum', 'maximum', 'step'. 'question' may be empty below a question's first row."
)

SomeProject = Annotated[str | None, typer.Option("--project", help="Key of a project, as given to `connect`.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")]
By = Annotated[str, typer.Option(help="Who says so: a name that the report repeats.")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence that the report repeats.")]
Earlier = Annotated[
    int | None, typer.Option("--from", min=1, help="Number of the earlier revision; else the last but one.")
]
Later = Annotated[int | None, typer.Option("--to", min=1, help="Number of the later revision; else the current one.")]

books = typer.Typer(help=SUITE, no_args_is_help=True)


def add_codebook(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
    app.add_typer(books, name="codebook")


@books.command("import", epilog=COLUMNS)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table (.csv, .tsv, .xlsx ...), .yaml or .xml.")],
    project: SomeProject = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="YAML file to write, instead of standard output.")
    ] = None,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change in the project; change nothing.")
    ] = False,
) -> None:
    """Take a codebook from a spreadsheet: as YAML, or as the next revision of a project, in Label Studio too."""
    from backend.commands import codebook as command

    command.take(file, project, output, api_key_env, overwrite=overwrite, dry_run=dry_run)


@books.command("export")
def export(
    what: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE", help="A built-in name, or a file; or give --project.")
    ] = None,
    project: SomeProject = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="File: .yaml, .xml, or a table (.csv, .tsv, .xlsx ...); else YAML is printed."
        ),
    ] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Number of the project's revision; else the current one.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a codebook as a spreadsheet, as YAML, or as a Label Studio configuration."""
    from backend.commands import codebook as command

    command.give(what, project, revision, output, overwrite=overwrite)


@books.command("diff")
def diff(
    first: Annotated[str | None, typer.Argument(metavar="A", help="A built-in name, or a file.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="What it became.")] = None,
    project: SomeProject = None,
    earlier: Earlier = None,
    later: Later = None,
    as_json: AsJson = False,
) -> None:
    """What changed, in words; of a project also which answers were given under what, and what must be recoded."""
    from backend.commands import codebook_diff as command

    command.run(first, second, project, earlier, later, as_json=as_json)


@books.command("same")
def same(
    project: Key,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="Id of the question, as `codebook diff` says it.")
    ],
    by: By,
    reason: Reason,
    earlier: Earlier = None,
    later: Later = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back: the meaning did change.")] = False,
) -> None:
    """Say that a change left a question's meaning as it was, so that older answers count again. Logged for ever."""
    from backend.commands import codebook_diff as command

    command.same(project, question, earlier, later, by=by, reason=reason, withdraw=withdraw)


@books.command("test")
def test(
    what: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE", help="A built-in name, or a file; or give --project.")
    ] = None,
    project: SomeProject = None,
    texts: Annotated[
        Path | None, typer.Option(help="Table of texts to try it on; else the project's, or the codebook's examples.")
    ] = None,
    text_column: TextColumn = None,
    pair_column: PairColumn = None,
    limit: Annotated[int, typer.Option(min=1, help="Texts at most, drawn at random.")] = 200,
    paraphrase: Annotated[
        str | None, typer.Option(help="The instruction in other words; {asked} stands for the one there is.")
    ] = None,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
    as_json: AsJson = False,
) -> None:
    """Does a model follow the codebook? Checks that need no labels, with a verdict; nothing tuned is used."""
    from backend.commands.codebook_test import Wishes, run

    given = scored(engine, model, instructions, method, four_bit, device, shots)
    run(Wishes(what, project, texts, text_column, pair_column, limit, paraphrase, as_json), given)
