"""What several commands can be given: their options, and what these come to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Key = Annotated[str, typer.Option("--project", help="Key of the project, as given to `connect`.")]
SomeKey = Annotated[str | None, typer.Option("--project", help="Key of one project; all projects if left out.")]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", help="What scores the texts: auto, encoder, keyword, causal or remote (SOCIALITE_ENGINE)."
    ),
]
ModelName = Annotated[
    str | None, typer.Option("--model", help="Model id or folder, if not the engine's own (SOCIALITE_MODEL).")
]
Instructions = Annotated[
    str | None,
    typer.Option(help="Whose wording a causal model is asked in: ours or authors (SOCIALITE_INSTRUCTIONS)."),
]
Method = Annotated[
    str | None, typer.Option(help="How a causal model's labels are scored: label or choice (SOCIALITE_METHOD).")
]
FourBit = Annotated[
    bool | None,
    typer.Option("--four-bit/--full", help="Whether a causal model's weights take 4 bits (SOCIALITE_FOUR_BIT)."),
]
Device = Annotated[str | None, typer.Option(help="Where a model runs: auto, cpu, cuda, cuda:1 (SOCIALITE_DEVICE).")]
Shots = Annotated[
    int | None, typer.Option(help="The codebook's examples of each label that a prompt shows (SOCIALITE_SHOTS).")
]
KeyEnv = Annotated[
    str, typer.Option("--api-key-env", help="Name of the environment variable that holds Label Studio's token.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
Seed = Annotated[int | None, typer.Option(help="Seed of everything random in it (0).")]
Shares = Annotated[
    bool | None,
    typer.Option(
        "--shares/--accepted",
        help="Train on the shares of coders, or on the accepted label (SOCIALITE_TRAIN_ON_SHARES).",
    ),
]
EncoderTuner = Annotated[
    str | None,
    typer.Option(
        "--encoder", help="What of the encoder is tuned: head, lora, or auto, what pays (SOCIALITE_ENCODER_TUNER)."
    ),
]
Rank = Annotated[int | None, typer.Option(min=1, help="Rank of a LoRA (8).")]
Alpha = Annotated[int | None, typer.Option(min=1, help="Its alpha (16).")]
Dropout = Annotated[float | None, typer.Option(min=0, max=0.9, help="Its dropout (0.05).")]
Targets = Annotated[str | None, typer.Option(help="Layers it is put on: qv (query and value) or all linear ones.")]
Rslora = Annotated[bool | None, typer.Option("--rslora", help="Scale it by the root of its rank.")]
Rate = Annotated[float | None, typer.Option(min=0, help="Highest learning rate of a LoRA (0.0001).")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Times that a LoRA sees each text, at most (5).")]
Batch = Annotated[int | None, typer.Option(min=1, help="Texts of a step (32).")]
Patience = Annotated[int | None, typer.Option(min=1, help="Epochs without gain on the validation part (2).")]
Checkpointing = Annotated[
    bool | None, typer.Option("--checkpointing", help="Compute activations again: slower, for less memory.")
]
TextColumn = Annotated[
    str | None, typer.Option("--text-column", help="Column of the text; by default the codebook's, or 'text'.")
]
PairColumn = Annotated[
    str | None, typer.Option("--pair-column", help="Column of the second text, where the codebook is about a pair.")
]


def scored(
    engine: str | None,
    model: str | None,
    instructions: str | None,
    method: str | None,
    four_bit: bool | None,
    device: str | None,
    shots: int | None,
) -> dict[str, Any]:
    """The options that say how texts are scored, by their settings' names."""
    return {
        "engine": engine,
        "model": model,
        "instructions": instructions,
        "method": method,
        "four_bit": four_bit,
        "device": device,
        "shots": shots,
    }


def wishes(
    seed: int | None,
    shares: bool | None,
    encoder: str | None,
    rank: int | None,
    alpha: int | None,
    dropout: float | None,
    targets: str | None,
    rslora: bool | None,
    rate: float | None,
    epochs: int | None,
    batch: int | None,
    patience: int | None,
    checkpointing: bool | None,
) -> dict[str, Any]:
    """The options that say how adapters are tuned, by the names of `backend.tuners.training.Options`."""
    for name, given, known in (("encoder", encoder, ("auto", "head", "lora")), ("targets", targets, ("qv", "all"))):
        if given is not None and given not in known:
            raise typer.BadParameter(f"choose one of: {', '.join(known)}", param_hint=f"--{name}")
    return {
        "seed": seed,
        "shares": shares,
        "encoder": encoder,
        "rank": rank,
        "alpha": alpha,
        "dropout": dropout,
        "targets": targets,
        "rslora": rslora,
        "rate": rate,
        "epochs": epochs,
        "batch": batch,
        "patience": patience,
        "checkpointing": checkpointing,
    }
