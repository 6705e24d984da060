"""Folders of labelled texts as coding tasks: a question, texts to learn from and texts to be measured on."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from labelstudio_config.ids import slug
from labelstudio_config.library import load

Row = tuple[tuple[str, ...], str]  # texts, label id
CODEBOOKS = Path(__file__).resolve().parents[1] / "bench_codebooks.yaml"


@dataclass(frozen=True, slots=True)
class Task:
    """`train` and `test` hold (texts, label id) rows."""

    name: str
    question: Question
    train: tuple[Row, ...]
    test: tuple[Row, ...]


def tasks(folder: Path) -> Iterator[Task]:
    """A task for each sub-folder with train.csv and test.csv (columns text, label, perhaps text2), or known ratings."""
    books = yaml.safe_load(CODEBOOKS.read_text(encoding="utf-8"))
    for path in sorted(folder.iterdir()):
        book = books.get(path.name, {})
        if (path / "train.csv").is_file() and (path / "test.csv").is_file():
            train, test = (_labelled(path / f"{part}.csv") for part in ("train", "test"))
        elif "ratings" in book and (path / "annotations.csv").is_file():
            train, test = _rated(path / "annotations.csv", book)
        else:
            continue
        yield _task(path.name, book, train, test)


def _task(name: str, book: dict[str, Any], train: list[Row], test: list[Row]) -> Task:
    """Labels of the data are matched with those of the codebook whatever their case."""
    found = sorted({label for _, label in train})
    question = _question(name, book, found, len(train[0][0]))
    ids = {label.code.casefold(): label.id for label in question.labels}
    missing = [label for label in found if label not in ids]
    if missing:
        raise SystemExit(f"The codebook of {name} has no label {missing[0]!r}; it has: {', '.join(ids)}.")
    parts = [tuple((texts, ids[label]) for texts, label in part if label in ids) for part in (train, test)]
    return Task(name, question, *parts)


def _question(name: str, book: dict[str, Any], found: list[str], fields: int) -> Question:
    if "codebook" in book:
        return load(book["codebook"]).questions[0]
    titles = book.get("titles", ["Text", "Second text"])[:fields]
    labels = [
        Label(slug(x["code"]), x["code"], x["code"], x.get("definition", ""), tuple(x.get("examples", ())))
        for x in book.get("labels", [{"code": label} for label in found])
    ]
    return Question(
        id=slug(name),
        name=name,
        kind=Kind(book.get("kind", "single")),
        control=Control.CHOICES,
        fields=tuple(Field(f"text{n}", f"text{n}", title) for n, title in enumerate(titles, 1)),
        labels=tuple(labels),
        instruction=book.get("instruction", ""),
    )


def _labelled(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    pair = rows and "text2" in rows[0]
    return [((r["text"], r["text2"]) if pair else (r["text"],), r["label"].casefold()) for r in rows]


def _rated(path: Path, book: dict[str, Any]) -> tuple[list[Row], list[Row]]:
    """Items rated by several coders; the last ones in the file are held out."""
    how = book["ratings"]
    ratings: dict[str, list[float]] = {}
    texts: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for r in csv.DictReader(stream):
            ratings.setdefault(r["item"], []).append(float(r[how["column"]]))
            texts[r["item"]] = r["text"]
    low, high = book["labels"][0]["code"], book["labels"][-1]["code"]
    rows: list[Row] = [
        ((texts[item],), high if sum(given) / len(given) >= how["threshold"] else low)
        for item, given in ratings.items()
    ]
    return rows[: -how["test"]], rows[-how["test"] :]


def smaller(task: Task, test: int) -> Task:
    """The task with at most so many test texts, drawn with a fixed seed."""
    rows = list(task.test)
    random.Random(0).shuffle(rows)
    return replace(task, test=tuple(rows[:test]))
