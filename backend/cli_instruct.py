"""The command that instruction-tunes a causal language model on many tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import Device, FourBit


def add_instruct(app: typer.Typer) -> None:
    """Put the command into the application."""
    app.command("instruct-tune")(instruct_tune)


def instruct_tune(
    base: Annotated[str, typer.Option("--base", help="Model to tune: a folder, or an id at huggingface.co.")],
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            metavar="SOURCE",
            help="authors, socket, a folder, TABLE.csv=CODEBOOK or project:KEY; may be repeated.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make, of an adapter or a model.")],
    tasks: Annotated[str, typer.Option("--tasks", help="all, seen, related, a family, or names by comma.")] = "all",
    held_out: Annotated[
        str, typer.Option("--held-out-tasks", help="Tasks never trained on, whose loss is told: related, or names.")
    ] = "",
    preset: Annotated[str, typer.Option("--preset", help="Recipe: authors or packed.")] = "packed",
    weights: Annotated[str | None, typer.Option("--weights", help="What is trained: lora (default) or all.")] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Write a whole model with the LoRA in its weights.")] = False,
    cap: Annotated[int | None, typer.Option(min=1, help="Texts of a task that are learned, at most.")] = None,
    held_cap: Annotated[
        int | None, typer.Option("--held-cap", min=1, help="Validation texts of a task, at most.")
    ] = None,
    balance: Annotated[
        float | None, typer.Option(min=0, max=1, help="Power of a task's size: 1 as it is, 0 the same of each task.")
    ] = None,
    best_by: Annotated[
        str | None, typer.Option("--best-by", help="What chooses the epoch: held-out texts, or held-out tasks.")
    ] = None,
    instructions: Annotated[str | None, typer.Option(help="Whose wording is learned: authors or ours.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs, at most.")] = None,
    patience: Annotated[int | None, typer.Option(min=1, help="Epochs without gain until it stops.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Texts of a step.")] = None,
    together: Annotated[int | None, typer.Option(min=1, help="Texts of a step that are of one task.")] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Highest learning rate.")] = None,
    warm_up: Annotated[
        float | None, typer.Option("--warm-up", min=0, max=1, help="Share of the steps that lead up to it.")
    ] = None,
    decay: Annotated[float | None, typer.Option(min=0, help="Weight decay of AdamW.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="Rank of the LoRA.")] = None,
    alpha: Annotated[int | None, typer.Option(min=1, help="Its alpha.")] = None,
    dropout: Annotated[float | None, typer.Option(min=0, max=0.9, help="Its dropout.")] = None,
    targets: Annotated[str | None, typer.Option(help="Layers it is put on: qv (query and value) or all.")] = None,
    window: Annotated[int | None, typer.Option(min=1, help="Tokens of a prompt that are read, at most.")] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Tokens that are run at once (8192).")] = None,
    checkpointing: Annotated[
        bool | None,
        typer.Option("--checkpointing/--keep-activations", help="Compute activations again; the default on a GPU."),
    ] = None,
    four_bit: FourBit = None,
    device: Device = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random in it.")] = 0,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what memory and time it takes, and stop.")] = False,
) -> None:
    """Tune one causal language model on many tasks: an adapter, or a model, with a card filled from the run."""
    from backend.commands.instruct import Wishes, run

    recipe = {
        "weights": weights,
        "cap": cap,
        "held_cap": held_cap,
        "balance": balance,
        "best_by": best_by,
        "instructions": instructions,
        "epochs": epochs,
        "patience": patience,
        "batch": batch,
        "together": together,
        "rate": rate,
        "warm_up": warm_up,
        "decay": decay,
        "rank": rank,
        "alpha": alpha,
        "dropout": dropout,
        "targets": targets,
        "window": window,
        "budget": budget,
        "checkpointing": checkpointing,
        "seed": seed,
    }
    run(Wishes(base, data, tasks, held_out, preset, recipe, merge, four_bit, device, estimate, output))
