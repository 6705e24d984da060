"""`socialite instruct-tune`: from folders of texts to an adapter or a model with its card, in one process or two."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from backend import cli
from backend.commands.instruct import Wishes, run
from backend.engines.adapter import LORA_TENSORS, read
from backend.paper.model_card import HEADER
from backend.tuners import answers
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.paper.labelled_folders import folders

FEW: dict[str, Any] = {"epochs": 2, "batch": 8, "together": 4, "rate": 0.01, "dropout": 0.0, "patience": 2, "rank": 2}
TYPED = [f"--{name}={value}" for name, value in FEW.items()]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(
        tmp_path_factory.mktemp("llama") / "base", tiny_tokenizer(), key_values=2, max_position_embeddings=1600
    ).folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path / "home"))


def wishes(model: Path, data: Path, output: Path, **more: Any) -> Wishes:
    values: dict[str, Any] = {
        "base": str(model),
        "data": [str(data)],
        "tasks": "all",
        "held_out": "irony",
        "preset": "packed",
        "recipe": FEW,
        "merge": False,
        "four_bit": None,
        "device": "cpu",
        "estimate": False,
        "output": output,
    }
    return Wishes(**values | more)


def header(card: str) -> dict[str, Any]:
    found = HEADER.match(card)
    assert found
    return dict(yaml.safe_load(found[1]))


@pytest.fixture(scope="module")
def adapter(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "many"
    run(wishes(model, data, folder))
    return folder


def test_the_adapter_has_a_card_that_is_filled_from_the_run(adapter: Path, model: Path, data: Path) -> None:
    manifest, card = read(adapter), (adapter / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in adapter.iterdir()) == sorted(
        ["README.md", "adapter_config.json", LORA_TENSORS, "manifest.json"]
    )
    assert header(card) | {"tags": []} == {
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "base_model": str(model),
        "base_model_relation": "adapter",
        "license": "other",
        "tags": [],
    }
    found = manifest.metrics
    assert len(found["tasks"]) == 3 and len(found["held_out_tasks"]) == 1
    for one in found["data"]:
        assert f"| {one['name']} | {one['texts']:,} |" in card
        for label, n in one["labels"].items():
            assert f"{label} {n}" in card
    assert "| rate | 0.01 |" in card and "| preset" not in card and "Preset `packed`" in card
    assert f"| 2 | {found['losses'][1]:.4f} | {found['validation_losses'][1]:.4f} |" in card
    assert f"{found['held_out_tasks'][0]} (held out)" in card
    assert "licence is not stated" in card and "was not tested on" in card
    assert f"adapter=Path('{adapter.name}')" in card
    assert found["sources"] == [str(data)]


def test_a_model_is_written_that_predict_takes(model: Path, data: Path, tmp_path: Path) -> None:
    (model / "README.md").write_text("---\nlicense: apache-2.0\n---\n", encoding="utf-8")
    try:
        run(wishes(model, data, tmp_path / "whole", recipe=FEW | {"weights": "all", "epochs": 1}))
    finally:
        (model / "README.md").unlink()
    card = (tmp_path / "whole" / "README.md").read_text(encoding="utf-8")
    assert header(card)["license"] == "apache-2.0" and header(card)["library_name"] == "transformers"
    assert "--engine causal --model whole --instructions ours" in card and "| rank |" not in card
    command = ["predict", str(data / "humor" / "test.csv"), "--codebook", "humor", "--engine", "causal"]
    command += ["--model", str(tmp_path / "whole"), "--instructions", "ours", "--device", "cpu"]
    done = CliRunner().invoke(cli.app, [*command, "-o", str(tmp_path / "labelled.csv")])
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "labelled.csv").read_text(encoding="utf-8").splitlines()) == 9


def test_an_estimate_is_said_and_nothing_is_made(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(wishes(model, data, tmp_path / "many", preset="authors", estimate=True))
    said = capsys.readouterr().err
    assert "Memory: about" in said and "Time: about" in said and "Terms of" in said
    assert "The authors' instructions are not on this machine: our own wording is learned." in said
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_command_goes_on_and_ends_the_same(
    model: Path, data: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "EVERY", 2)
    real, done = answers._Run._step, []

    def step(self: Any, *given: Any) -> None:
        real(self, *given)
        done.append(1)
        if len(done) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(answers._Run, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        run(wishes(model, data, tmp_path / "many"))
    assert [path.name for path in tmp_path.iterdir()] == [".many.work"]
    run(wishes(model, data, tmp_path / "many"))
    assert [path.name for path in tmp_path.iterdir()] == ["many"]
    assert (tmp_path / "many" / LORA_TENSORS).read_bytes() == (adapter / LORA_TENSORS).read_bytes()
    assert read(tmp_path / "many").metrics["losses"] == read(adapter).metrics["losses"]


def test_two_processes_come_to_what_one_comes_to(
    model: Path, data: Path, adapter: Path, tmp_path: Path, checkout: Path
) -> None:
    from safetensors.numpy import load_file

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", str(port), "-m", "backend.cli", "instruct-tune"]
    done = subprocess.run(
        [
            *launch,
            *("--base", str(model), "--data", str(data), "--held-out-tasks", "irony", "--preset", "packed"),
            *(*TYPED, "--device", "cpu", "-o", str(tmp_path / "both")),
        ],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("Its README.md is the model card.") == 1, "the main process alone speaks"
    assert [path.name for path in tmp_path.iterdir()] == ["both"]
    one, two = read(adapter).metrics, read(tmp_path / "both").metrics
    assert (one["processes"], two["processes"]) == (1, 2)
    for name in ("losses", "validation_losses"):
        assert two[name] == pytest.approx(one[name], rel=1e-3)
    for name, row in one["losses_of_tasks"].items():
        assert two["losses_of_tasks"][name] == pytest.approx(row, rel=1e-3)
    assert two["tokens"] == one["tokens"]
    a, b = (load_file(folder / LORA_TENSORS) for folder in (adapter, tmp_path / "both"))
    assert a.keys() == b.keys()
    largest = max(float(np.abs(value).max()) for value in a.values())
    assert max(float(np.abs(a[name] - b[name]).max()) for name in a) < 0.01 * largest
