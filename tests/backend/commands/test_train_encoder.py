"""`socialite train-encoder` from a folder of CSV to labels in a table, as a person types it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend import cli
from backend.commands.errors import sentence
from tests.backend.engines.questions import tiny_encoder

EMOTIONS = {"anger": "kkk", "joy": "aaa", "optimism": "ooo", "sadness": "xxx"}
FIGURES = {"idiom": "iii", "metaphor": "mmm", "sarcasm": "zzz", "simile": "www"}
QUICK = ["--epochs", "6", "--rate", "0.003", "--batch", "8", "--device", "cpu"]
NOISE = "cdefgh"


def texts(n: int, start: int = 0) -> Iterator[str]:
    yield from (" ".join(NOISE[(k * step) % 6] for step in (1, 2, 5, 7)) + f" {k}" for k in range(start, start + n))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks as CSV, one of them about pairs."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, words, pair in (("emotion", EMOTIONS, False), ("flute", FIGURES, True)):
        (folder / name).mkdir()
        for split, n, start in (("train", 80, 0), ("test", 8, 500)):
            with (folder / name / f"{split}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["text", "label", *(["text2"] if pair else [])])
                for k, text in enumerate(texts(n, start)):
                    label = list(words)[k % 4]
                    writer.writerow([f"{words[label]} {text}", label, *([f"{words[label]} {k} b"] if pair else [])])
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("base") / "tiny", hidden=32)


def told(*words: str | Path) -> str:
    """What the command printed; it must end well."""
    done = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def refused(*words: str | Path) -> str:
    """What a person reads when the command ends with an error."""
    done = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert done.exit_code != 0
    return sentence(done.exception) if isinstance(done.exception, Exception) else done.output


def test_from_labelled_tables_to_a_labelled_table(data: Path, base: Path, tmp_path: Path) -> None:
    out = tmp_path / "encoder"
    said = told("train-encoder", "--data", data, "--model", base, "-o", out, *QUICK)
    assert "million weights learn from" in said
    assert f"--engine encoder --model {out}" in said
    assert "emotion" in said
    about = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert [(task["question"], task["fields"]) for task in about["tasks"]] == [("emotion", 1), ("flute", 2)]
    assert about["base"] == str(base)
    assert not (tmp_path / ".encoder.work").exists()
    table, labelled = tmp_path / "new.csv", tmp_path / "labelled.csv"
    rows = [f"{word} {text}" for word, text in zip(EMOTIONS.values(), texts(4, 900), strict=True)]
    table.write_text("\n".join(["text", *rows]) + "\n", encoding="utf-8")
    scored = ["--engine", "encoder", "--model", out, "--device", "cpu"]
    told("predict", table, "--codebook", "emotion", *scored, "-o", labelled)
    with labelled.open(encoding="utf-8-sig", newline="") as stream:
        assert [row["label"] for row in csv.DictReader(stream)] == list(EMOTIONS)
    said = refused("predict", table, "--codebook", "irony", *scored, "-o", tmp_path / "none.csv")
    assert "not trained on the question 'irony'; it answers: emotion, flute" in said
    assert "exists already" in refused("train-encoder", "--data", data, "--model", base, "-o", out)


def test_an_estimate_is_all_that_is_asked_for(data: Path, base: Path, tmp_path: Path) -> None:
    said = told("train-encoder", "--data", data, "--tasks", "emotion", "--cap", "20", "--model", base, "--estimate")
    assert re.search(r"million weights learn from 1\d texts: about .* GB of memory .* on this machine\.", said)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_said(data: Path, base: Path, tmp_path: Path) -> None:
    assert "name a new folder" in refused("train-encoder", "--data", data, "--model", base)
    out = tmp_path / "out"
    assert "no source" in refused("train-encoder", "--data", tmp_path / "nowhere", "--model", base, "-o", out)
    wrong = refused("train-encoder", "--data", data, "--model", base, "--pooling", "max", "-o", out)
    assert wrong == "Tokens are pooled by one of: mean, first."
    assert "neither a folder here nor" in refused("train-encoder", "--data", data, "--model", "no/such", "-o", out)
    assert list(tmp_path.iterdir()) == []
