"""The commands of the loop: re-tuning, the adapters it made, and what it found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import (
    Alpha,
    AsJson,
    Batch,
    Checkpointing,
    Device,
    Dropout,
    EncoderTuner,
    EngineName,
    Epochs,
    FourBit,
    Instructions,
    Key,
    Method,
    ModelName,
    Patience,
    Rank,
    Rate,
    Rslora,
    Seed,
    Shares,
    Shots,
    Targets,
    scored,
    wishes,
)

Number = Annotated[int, typer.Argument(metavar="N", help="Its number, as `adapters list` shows it; 0 is zero-shot.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")]
adapters = typer.Typer(help="What the suggestions were tuned to, and which of it answers.", no_args_is_help=True)
snapshots = typer.Typer(help="The labels that runs learn from.", no_args_is_help=True)


def add_loop(app: typer.Typer) -> None:
    """Put these commands into the application."""
    for command in (retrain, tune, card, curve):
        app.command()(command)
    app.add_typer(adapters, name="adapters")
    app.add_typer(snapshots, name="snapshot")


def retrain(
    project: Key,
    force: Annotated[
        bool, typer.Option("--force", help="Train although labels and settings are those of the last run.")
    ] = False,
    as_json: AsJson = False,
    seed: Seed = None,
    shares: Shares = None,
    encoder: EncoderTuner = None,
    rank: Rank = None,
    alpha: Alpha = None,
    dropout: Dropout = None,
    targets: Targets = None,
    rslora: Rslora = None,
    rate: Rate = None,
    epochs: Epochs = None,
    batch: Batch = None,
    patience: Patience = None,
    checkpointing: Checkpointing = None,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Re-tune on the labels accepted so far, and let the gate decide whether that answers from now on."""
    from backend.commands.retrain import run

    wanted = wishes(
        seed, shares, encoder, rank, alpha, dropout, targets, rslora, rate, epochs, batch, patience, checkpointing
    )
    given = scored(engine, model, instructions, method, four_bit, device, shots)
    run(project, wanted, given, force=force, as_json=as_json)


def tune(
    snapshot: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `snapshot export` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write the adapters to; a new one.")],
    seed: Seed = None,
    shares: Shares = None,
    encoder: EncoderTuner = None,
    rank: Rank = None,
    alpha: Alpha = None,
    dropout: Dropout = None,
    targets: Targets = None,
    rslora: Rslora = None,
    rate: Rate = None,
    epochs: Epochs = None,
    batch: Batch = None,
    patience: Patience = None,
    checkpointing: Checkpointing = None,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Tune on an exported snapshot, on a machine without the store; `adapters register` takes the result back."""
    from backend.commands.snapshot import tune as run

    wanted = wishes(
        seed, shares, encoder, rank, alpha, dropout, targets, rslora, rate, epochs, batch, patience, checkpointing
    )
    run(snapshot, output, wanted, scored(engine, model, instructions, method, four_bit, device, shots))


def card(
    project: Key,
    run: Annotated[int | None, typer.Option("--run", help="Number of a run; the last one if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a run learned from, how far coders agree, how old and new model did on the gate texts, and the decision."""
    from backend.commands.cards import run as show

    show(project, run, as_json)


def curve(
    project: Key,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write: a picture (.svg, .png) or a table (.csv).")
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """The score on the gate texts over the labels used, beside zero-shot, word counts and the coders themselves."""
    from backend.commands.curve import run

    run(project, output, as_json, overwrite)


@adapters.command("list")
def adapters_list(project: Key, as_json: AsJson = False) -> None:
    """All adapters: labelled texts, what the gate said and when, and which one answers."""
    from backend.commands.adapters import listed as run

    run(project, as_json)


@adapters.command("activate")
def adapters_activate(
    number: Number,
    project: Key,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log.")] = "",
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Have an adapter answer, whatever the gate said of it; who did so, when and why is kept."""
    from backend.commands.adapters import activate as run

    run(project, number, reason, scored(engine, model, instructions, method, four_bit, device, shots))


@adapters.command("rollback")
def adapters_rollback(
    project: Key,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Have the adapter answer that did before the current one."""
    from backend.commands.adapters import rollback as run

    run(project, scored(engine, model, instructions, method, four_bit, device, shots))


@adapters.command("retire")
def adapters_retire(number: Number, project: Key) -> None:
    """Delete an adapter's files for ever; what was said of it stays."""
    from backend.commands.adapters import retire as run

    run(project, number)


@adapters.command("register")
def adapters_register(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `tune` wrote on another machine.")],
    project: Key,
    as_json: AsJson = False,
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Take in adapters that were tuned elsewhere on this project's exported labels, and let the gate decide."""
    from backend.commands.adapters import register as run

    run(project, folder, scored(engine, model, instructions, method, four_bit, device, shots), as_json)


@snapshots.command("export")
def snapshot_export(
    project: Key,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write; a new one.")],
    seed: Annotated[int, typer.Option(help="Seed of the validation part.")] = 0,
) -> None:
    """Write the labels that are accepted now, with their texts, to a folder: what `tune` needs elsewhere."""
    from backend.commands.snapshot import export as run

    run(project, output, seed)
