"""The commands that score a corpus and send the suggestions."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.cli_options import (
    Device,
    EngineName,
    FourBit,
    Instructions,
    Key,
    KeyEnv,
    Method,
    ModelName,
    Shots,
    scored,
)


def add_prelabel(app: typer.Typer) -> None:
    """Add them to the command `socialite`."""
    app.command()(prelabel)
    app.command()(push)


def prelabel(
    project: Key,
    push: Annotated[
        bool, typer.Option("--push", help="Push the suggestions to Label Studio, too; without it, only store scores.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Score at most so many texts now: controls first, the audit last.")
    ] = None,
    only_missing: Annotated[
        bool,
        typer.Option(
            "--only-missing", help="Only texts that no release has scored, and tasks that never had a suggestion."
        ),
    ] = False,
    tick: Annotated[
        bool | None,
        typer.Option(
            "--tick/--no-tick",
            help="Whether coders find the suggestion ticked, or in words beside the question; kept for the project.",
        ),
    ] = None,
    diversity: Annotated[
        bool | None,
        typer.Option(
            "--diversity/--no-diversity",
            help="Whether uncertain texts that are alike come apart in the order of work; kept for the project.",
        ),
    ] = None,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """Score every text of the corpus that has no score of the current release. It can be stopped and run again."""
    from backend.commands.prelabel import Order, run

    order = Order(push, limit, only_missing, tick, diversity)
    run(project, order, api_key_env, scored(engine, model, instructions, method, four_bit, device, shots))


def push(
    project: Key,
    api_key_env: KeyEnv = "LABEL_STUDIO_API_KEY",
    engine: EngineName = None,
    model: ModelName = None,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    shots: Shots = None,
) -> None:
    """`prelabel --push`: score what has no suggestion yet, and push the suggestions to Label Studio."""
    from backend.commands.prelabel import Order, run

    run(
        project,
        Order(push=True),
        api_key_env,
        scored(engine, model, instructions, method, four_bit, device, shots),
    )
