"""The command that puts models side by side."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backend.cli_options import AsJson, Device, FourBit, Instructions, Method, scored

MODELS = (
    "A model is: majority, tfidf (learned from train), llama, socialite, encoder, keyword, remote; a model's id or "
    "folder; an adapter's folder; or BASE+FOLDER for an adapter on a copy of its base. NAME= before it names it."
)
Project = Annotated[
    str | None, typer.Option("--project", help="Key of a project, whose test is opened for every model; logged.")
]


class Split(StrEnum):
    TRAIN, VALIDATION, TEST = "train", "validation", "test"


class Decode(StrEnum):
    LABELS, AUTHORS = "labels", "authors"


class Examples(StrEnum):
    RANDOM, NEAREST = "random", "nearest"


def add_evaluate(app: typer.Typer) -> None:
    """Put the command into the application."""
    app.command(epilog=MODELS)(evaluate)


def evaluate(
    model: Annotated[list[str], typer.Option("--model", metavar="[NAME=]MODEL", help="A model; repeat it for each.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the tables, and of all answers so far.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Labelled texts: authors, socket, a folder, TABLE.csv=CODEBOOK; may be repeated."),
    ] = None,
    tasks: Annotated[str, typer.Option(help="all, seen, related, a family, or names with commas.")] = "all",
    shots: Annotated[str, typer.Option(help="Numbers of examples shown in all, such as 0,3,5.")] = "0",
    split: Annotated[Split, typer.Option(help="Which texts are scored.")] = Split.TEST,
    reference: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model the others are tested against; else the first.")
    ] = None,
    decode: Annotated[
        Decode, typer.Option(help="Score the label set, or have answers written and parsed as the authors do.")
    ] = Decode.LABELS,
    examples: Annotated[
        Examples, typer.Option(help="Examples drawn at random, or those nearest to each text.")
    ] = Examples.RANDOM,
    paraphrases: Annotated[
        bool, typer.Option("--paraphrases", help="Ask in other fixed wordings too, and say what that changes.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Score at most so many texts of a task.")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Draws of random examples, such as 0,1,2; else one, of --seed.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random in it.")] = 0,
    level: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    as_json: AsJson = False,
    instructions: Instructions = None,
    method: Method = None,
    four_bit: FourBit = None,
    device: Device = None,
    project: Project = None,
    by: Annotated[str, typer.Option(help="Who opens the project's test: a name that the report repeats.")] = "",
    reason: Annotated[str, typer.Option(help="Why now, in a sentence that the report repeats.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put models side by side: macro F1 with intervals on each task, means, and paired tests. Can be resumed."""
    from backend.commands.evaluate import Wishes, run

    run(
        Wishes(
            data=tuple(data or ()),
            tasks=tasks,
            models=tuple(model),
            shots=shots,
            split=split,
            reference=reference,
            decode=decode,
            examples=examples,
            paraphrases=paraphrases,
            limit=limit,
            seeds=seeds,
            seed=seed,
            level=level,
            output=output,
            as_json=as_json,
            project=project,
            by=by,
            reason=reason,
            yes=yes,
            scored=scored(None, None, instructions, method, four_bit, device, None),
        )
    )
