"""The command that trains one encoder on many tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import Device


def add_encoder(app: typer.Typer) -> None:
    """Put the command into the application."""
    app.command("train-encoder")(train_encoder)


def train_encoder(
    data: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="Labelled texts: authors, socket, a folder of CSV, TABLE.csv=CODEBOOK, project:KEY; may be repeated.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Folder to write the encoder to; a new one.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Encoder to start from: an id, id@revision or a folder; else all-MiniLM-L6-v2."),
    ] = None,
    tasks: Annotated[
        str, typer.Option(help="Tasks of the data: all, seen, related, a family, or names by comma.")
    ] = "all",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Times it sees as many texts as there are, at most (4).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0, help="Highest learning rate (0.00002; of a small encoder 0.0002).")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Texts of a step (32).")] = None,
    cap: Annotated[
        int | None, typer.Option(min=2, help="Texts of a task, at most, in training and in validation.")
    ] = None,
    sampling: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="A task of n texts gets n^A of the steps: 1 by size, 0 all the same (0.5)."),
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=8, help="Tokens read of a text or pair; else as many as the encoder reads.")
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="What of a text's tokens is read: mean or first (mean).")] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Epochs without gain on the validation texts until it stops (2).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random in it (0).")] = None,
    device: Device = None,
    checkpointing: Annotated[
        bool | None, typer.Option("--checkpointing", help="Compute activations again: slower, for less memory.")
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say how much memory and time it will take, and stop.")
    ] = False,
) -> None:
    """Fine-tune one encoder on many tasks at once, a head for each; --engine encoder --model FOLDER serves it."""
    from backend.commands.train_encoder import run

    if output is None and not estimate:
        raise typer.BadParameter("name a new folder", param_hint="--output")
    given = {
        "epochs": epochs,
        "rate": rate,
        "batch": batch,
        "cap": cap,
        "sampling": sampling,
        "length": length,
        "pooling": pooling,
        "patience": patience,
        "seed": seed,
        "checkpointing": checkpointing,
    }
    run(data, tasks, model, output, device, {name: x for name, x in given.items() if x is not None})
