"""The command `socialite`. Here is what can be typed; what it does is in `backend.commands`, imported when it is asked
for.
"""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.cli_codebook import add_codebook
from backend.cli_encoder import add_encoder
from backend.cli_evaluate import add_evaluate
from backend.cli_findings import add_findings
from backend.cli_instruct import add_instruct
from backend.cli_loop import add_loop
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
    SomeKey,
    TextColumn,
    scored,
)
from backend.cli_prelabel import add_prelabel
from backend.cli_projects import add_projects
from backend.cli_tables import add_tables

SUITE = "Suggest labels to the coders of a Label Studio project, keep their corrections, and say what may be concluded."
DEBUG = "SOCIALITE_DEBUG"  # set to show where an unforeseen error came from

app = typer.Typer(
    name="socialite",
    help=SUITE,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("socialite"))
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """Settings of all commands come from the environment: SOCIALITE_HOME (where data is kept) and others; see
    README.md.
    """


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SOCIALITE_HOST, else 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (SOCIALITE_PORT, else 9090); 0 takes a free one.")
    ] = None,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
    retrain_every: Annotated[
        str | None,
        typer.Option(help="Re-tune each project this often: 90m, 6h, 2d (SOCIALITE_RETRAIN_EVERY; else never)."),
    ] = None,
    min_new: Annotated[
        int | None, typer.Option(help="If at least so many texts were coded since (SOCIALITE_MIN_NEW, else 50).")
    ] = None,
    sync_every: Annotated[
        str | None,
        typer.Option(help="Compare with Label Studio this often: 90m, 6h, never (SOCIALITE_SYNC_EVERY; else 1h)."),
    ] = None,
) -> None:
    """Answer Label Studio: suggestions, and corrections through its webhook. Runs until Ctrl-C."""
    from backend import settings
    from backend.app import serve as run

    given = scored(engine, model, instructions, method, four_bit, device, shots)
    clock = {"retrain_every": retrain_every, "min_new": min_new, "sync_every": sync_every}
    run(settings.load(host=host, port=port, **clock, **given))


@app.command()
def predict(
    table: Annotated[Path, typer.Argument(metavar="IN.csv", help="Table with one text, or pair of texts, a row.")],
    codebook: Annotated[
        str, typer.Option(help="Built-in names (emotion,humor), a YAML file, or a Label Studio XML file; by comma.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Table to write: the input's columns, and the labels.")
    ],
    text_column: TextColumn = None,
    pair_column: PairColumn = None,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows of the table, so many.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")] = False,
) -> None:
    """Label the texts of a table: label, probability of every label, margin, tokens cut, release."""
    from backend.commands.predict import run

    given = scored(engine, model, instructions, method, four_bit, device, shots)
    run(table, codebook, output, text_column, pair_column, limit, overwrite, given)


@app.command()
def tasks(
    family: Annotated[
        str | None, typer.Option(help="One family only: humor, offensiveness, sentiment, trustworthiness or other.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list with one object a task.")] = False,
) -> None:
    """List the coding tasks that come as codebooks: their names, texts and labels ('<' between ordered ones)."""
    from backend.commands.tasks import run

    run(family, as_json)


@app.command()
def config(
    codebooks: Annotated[
        str, typer.Argument(metavar="NAMES", help="Built-in names (emotion,humor), YAML or XML files; by comma.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write, instead of standard output.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")] = False,
) -> None:
    """Print the Label Studio configuration (XML) of codebooks."""
    from backend.commands.config import run

    run(codebooks, output, overwrite)


@app.command()
def connect(
    project: Annotated[
        str, typer.Option(help="Key of the project here: letters, digits, '-' and '_'; it is part of its address.")
    ],
    label_studio: Annotated[
        str | None, typer.Option("--label-studio", help="Address of Label Studio (LABEL_STUDIO_URL).")
    ] = None,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    title: Annotated[str | None, typer.Option(help="Title of the project that is made in Label Studio.")] = None,
    codebook: Annotated[
        str | None, typer.Option(help="Built-in names (emotion,humor), a YAML file, or an XML file; by comma.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Label Studio configuration (XML) to use instead.")] = None,
    texts: Annotated[Path | None, typer.Option(help="Table of the texts to be coded (CSV).")] = None,
    text_column: TextColumn = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column that names each row; by default the row's number.")
    ] = None,
    pair_column: PairColumn = None,
    group_column: Annotated[
        str | None, typer.Option(help="Column of what must stay together in the draw, such as author or thread.")
    ] = None,
    ls_project: Annotated[
        int | None, typer.Option(help="Number of a Label Studio project to adopt instead of making one.")
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Address under which Label Studio reaches `socialite serve`.")
    ] = "http://127.0.0.1:9090",
    audit: Annotated[int, typer.Option(min=0, help="Texts to be coded without any suggestion.")] = 0,
    control: Annotated[int, typer.Option(min=0, help="Random texts to be coded with the suggestion.")] = 0,
    coders: Annotated[
        int | None,
        typer.Option("--coders-per-audit-text", min=1, help="Coders who code each audit text; 2 by default."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the random draw; by default a random one, stored.")] = None,
    keep_audit_tasks: Annotated[
        bool,
        typer.Option("--keep-audit-tasks", help="When adopting: leave the audit texts in the adopted project, too."),
    ] = False,
    push: Annotated[
        bool, typer.Option("--push/--no-push", help="Make and push the suggestions now, or leave it to `push`.")
    ] = True,
) -> None:
    """Make or adopt the assisted and the audit project in Label Studio. Running it again completes what is missing."""
    from backend.commands.connect import Wishes, run

    run(
        Wishes(
            key=project,
            label_studio=label_studio,
            api_key_env=api_key_env,
            title=title,
            codebook=codebook,
            config=config,
            texts=texts,
            text_column=text_column,
            id_column=id_column,
            pair_column=pair_column,
            group_column=group_column,
            ls_project=ls_project,
            backend=backend,
            audit=audit,
            control=control,
            coders=coders,
            seed=seed,
            keep_audit_tasks=keep_audit_tasks,
            push=push,
        )
    )


@app.command()
def sync(
    project: Key,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    everything: Annotated[
        bool, typer.Option("--all", help="Read every task again, not only those that changed since the last time.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the store with what Label Studio holds, and repair what is missing: an answer that never arrived, a
    deletion, the webhook.
    """
    from backend.commands.upkeep import sync as run

    run(project, api_key_env, everything, as_json)


@app.command()
def status(
    project: SomeKey = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived projects, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """How far each project is: texts by stream, suggestions, answers by origin, events and jobs that wait."""
    from backend.commands.status import run

    run(project, as_json, archived)


@app.command()
def doctor(project: SomeKey = None, api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY", as_json: AsJson = False) -> None:
    """Check everything that commonly goes wrong between here and Label Studio; each finding with its cure."""
    from backend.commands.doctor import run

    run(project, api_key_env, as_json)


models = typer.Typer(help="Get, list and remove language models.", no_args_is_help=True)
app.add_typer(models, name="model")
ModelId = Annotated[str, typer.Argument(metavar="ID", help="The model's id at huggingface.co, such as owner/name.")]


@models.command("fetch")
def model_fetch(
    model: ModelId,
    revision: Annotated[str | None, typer.Option(help="Its revision there; by default the newest.")] = None,
    tokenizer_only: Annotated[
        bool, typer.Option("--tokenizer-only", help="Without the weights: they are on the server of --engine remote.")
    ] = False,
) -> None:
    """Download a model once; nothing else ever downloads it. Weights that come as pickles are converted."""
    from backend.commands.model import fetch as run

    run(model, revision, tokenizer_only)


@models.command("list")
def model_list(as_json: AsJson = False) -> None:
    """The causal language models on this machine, their revisions, sizes and folders."""
    from backend.commands.model import listed as run

    run(as_json)


@models.command("remove")
def model_remove(model: ModelId) -> None:
    """Delete a model, and what was converted of it, from this machine."""
    from backend.commands.model import remove as run

    run(model)


add_tables(app)
add_codebook(app)
add_prelabel(app)
add_loop(app)
add_findings(app)
add_projects(app)
add_evaluate(app)
add_instruct(app)
add_encoder(app)


def main() -> None:
    """The entry point: an error is a sentence on standard error and exit code 1, or 2 for a wrong command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # Windows consoles
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        from backend.commands.errors import sentence

        typer.echo(sentence(error), err=True)
        sys.exit(1)


def start() -> None:
    """`main`, and an end without taking a model's libraries apart, which takes more than a second."""
    try:
        main()
    except SystemExit as end:
        if "torch" not in sys.modules or not isinstance(end.code, int | None):
            raise
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(end.code or 0)


if __name__ == "__main__":
    start()
