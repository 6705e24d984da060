"""One seed of the proof: a model from nothing, what it and an encoder are taught, and the table that comes of it."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import cli
from backend.engines.weights import find
from scripts.bench import tiny_llama

SEEN = (
    *("arousal", "emotion", "empathy-explorations", "flute", "humor", "hyperbole", "intent-to-offend", "intimacy"),
    "subjective-bias",
)
UNSEEN = ("complaints", "irony", "offensive-olid", "politeness-stanford")
PARTS = ("train.csv", "test.csv")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is learned and asked: rows of a task that the data keeps of each part (None: all), texts of a task that
    are learned, how often, by the Llama and by the encoder, examples shown, and the Llama's width."""

    train: int | None
    test: int
    cap: int
    epochs: int
    encoder_cap: int
    encoder_epochs: int
    shots: str
    width: int


WHOLE = Size(None, 1000, 1000, 4, 1000, 2, "0,3", 128)
QUICK = Size(120, 40, 80, 2, 24, 1, "0,3", 64)


def walked(data: Path, place: Path, size: Size, seed: int) -> list[dict[str, Any]]:
    """The rows of `socialite evaluate`'s table.csv, after all that has to be done for them in the folder `place`."""
    place.mkdir(parents=True, exist_ok=True)
    texts = _drawn(data, place / "data", size, seed)
    untuned, tuned, encoder, table = (place / name for name in ("untuned", "tuned", "encoder", "table"))
    if not untuned.exists():
        tiny_llama.make(untuned, _learned(texts), seed=seed, width=size.width)
    source = ("--data", str(texts), "--seed", str(seed))
    if not tuned.exists():
        socialite(
            *("instruct-tune", "--base", str(untuned), *source, "--tasks", ",".join((*SEEN, *UNSEEN))),
            *("--held-out-tasks", ",".join(UNSEEN), "--preset", "packed", "--weights", "all", "--device", "cpu"),
            *("--cap", str(size.cap), "--held-cap", "100", "--epochs", str(size.epochs), "--patience", "9"),
            *("--rate", "0.001", "--batch", "32", "--decay", "0.05", "-o", str(tuned)),
        )
    if not encoder.exists():
        socialite(
            *("train-encoder", "--model", str(find(None).folder), *source, "--tasks", ",".join(SEEN)),
            *("--cap", str(size.encoder_cap), "--epochs", str(size.encoder_epochs), "--length", "64"),
            *("--device", "cpu", "-o", str(encoder)),
        )
    socialite(
        *("evaluate", *source, "--split", "test", "--shots", size.shots, "--device", "cpu", "-o", str(table)),
        *("--model", "majority", "--model", "tfidf", "--model", f"untuned={untuned}", "--model", f"tuned={tuned}"),
        *("--model", f"encoder={encoder}", "--reference", "tfidf"),
    )
    with (table / "table.csv").open(encoding="utf-8", newline="") as stream:
        return [row | {"seed": seed} for row in csv.DictReader(stream) if row["of"] == "task"]


def socialite(*words: str) -> None:
    """The command, as it is typed, in this process: its libraries are loaded once."""
    cli.app(list(words), standalone_mode=False)


def _drawn(data: Path, folder: Path, size: Size, seed: int) -> Path:
    """A copy of the data with so many rows of each part, training ones drawn by the seed."""
    for task in sorted(path for path in data.iterdir() if all((path / part).is_file() for part in PARTS)):
        (folder / task.name).mkdir(parents=True, exist_ok=True)
        for part, most in zip(PARTS, (size.train, size.test), strict=True):
            with (task / part).open(encoding="utf-8", newline="") as stream:
                head, *rows = list(csv.reader(stream))
            if most is not None and len(rows) > most:
                rows = random.Random(seed if part == "train.csv" else 0).sample(rows, most)
            with (folder / task.name / part).open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows([head, *rows])
    return folder


def _learned(folder: Path) -> Iterator[str]:
    """The training texts of all tasks: what a vocabulary is made of."""
    for path in sorted(folder.glob("*/train.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield from (row[name] for name in ("text", "text2") if row.get(name))
