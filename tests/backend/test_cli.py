"""The command `socialite` as a person types it: help at once, sentences instead of tracebacks, and what it prints."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from backend import cli
from backend.corpus.tables.reading import open_table
from db import projects
from db.store import open_store, sqlite_url

HEAVY = (
    "torch", "transformers", "sklearn", "pandas", "numpy", "scipy", "sqlalchemy",
    "alembic", "pydantic", "httpx", "label_studio_sdk", "fastapi", "rich", "tqdm",
)  # fmt: skip


def socialite(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m backend.cli ...` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", *words],
        env={**os.environ, "SOCIALITE_HOME": str(home), **environment},
        cwd=Path(cli.__file__).parent.parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def commands() -> list[tuple[str, Any]]:
    group: Any = typer.main.get_command(cli.app)
    deeper = [
        (f"{name} {below}", command)
        for name, one in group.commands.items()
        for below, command in getattr(one, "commands", {}).items()
    ]
    return [("socialite", group), *group.commands.items(), *deeper]


def test_help_loads_nothing_heavy(checkout: Path) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom backend import cli\n"
        "answer = CliRunner().invoke(cli.app, ['--help'])\nassert answer.exit_code == 0, answer.output\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_and_option_has_a_help_text(name: str, command: Any) -> None:
    assert (command.help or "").strip(), name
    for parameter in command.params:
        assert (getattr(parameter, "help", "") or "").strip(), f"{name} {parameter.name}"


def test_the_commands_are_these() -> None:
    assert [name for name, _ in commands()] == [
        "socialite", "serve", "predict", "tasks", "config", "connect", "sync", "status", "doctor", "import", "export",
        "prelabel", "push", "retrain", "tune", "card", "curve", "phase", "open-test", "report", "methods", "design",
        "disagreements", "evaluate", "instruct-tune", "train-encoder", "model", "codebook", "adapters", "snapshot",
        "project", "model fetch", "model list", "model remove", "codebook import", "codebook export", "codebook diff",
        "codebook same", "codebook test",
        "adapters list", "adapters activate", "adapters rollback", "adapters retire", "adapters register",
        "snapshot export", "project list", "project archive", "project unarchive", "project delete", "project backup",
        "project restore",
    ]  # fmt: skip


def test_version_and_help_from_the_module(tmp_path: Path) -> None:
    version, usage = socialite("--version", home=tmp_path), socialite("--help", home=tmp_path)
    assert version.stdout.strip()[0].isdigit()
    assert "predict" in usage.stdout
    assert version.returncode == usage.returncode == 0


def test_predict_from_end_to_end(tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes('tweet;id\r\n"Ça alors;\r\nwhat ""joy""";1\r\n;2\r\n'.encode("cp1252"))
    words = ["predict", str(source), "--codebook", "emotion", "--text-column", "tweet", "-o", str(output)]
    done = socialite(*words, "--engine", "keyword", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "read as cp1252" in done.stderr
    assert "1 rows have no text" in done.stderr
    assert "2/2" in done.stderr
    assert done.stdout == ""
    with output.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["tweet"], first["id"]) == ('Ça alors;\r\nwhat "joy"', "1")
    assert first["label"]
    assert first["release"].startswith("keyword-")
    assert (second["id"], second["label"]) == ("2", "")
    again = socialite(*words, "--engine", "keyword", home=tmp_path)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_predict_says_which_rows_are_bad_and_labels_the_others(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_bytes(b'{"text": "so happy"}\n{"text": "SECRET"\n{"text": "sad"}\n')
    words = ["predict", str(source), "--codebook", "emotion", "-o", str(output), "--engine", "keyword"]
    done = socialite(*words, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "in.jsonl, line 2, left out: It is no JSON" in done.stderr
    assert "SECRET" not in done.stderr
    table = open_table(output)
    assert [row[0] for row in table.rows()] == ["so happy", "sad"]
    assert all(row[table.column("label")] for row in table.rows())


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["predict", "IN", "--codebook", "emotion", "-o", "o.docx"], 1, "Let it end in .csv, .tsv"),
        (["predict", "absent.csv", "--codebook", "emotion", "-o", "o.csv"], 1, "There is no file absent.csv"),
        (["predict", "IN", "--codebook", "emotoin", "-o", "o.csv"], 1, "Did you mean 'emotion'?"),
        (["predict", "IN", "--codebook", "emotion", "--text-column", "x", "-o", "o.csv"], 1, "columns are: text, n"),
        (["predict", "IN", "--codebook", "emotion", "-o", "absent/o.csv"], 1, "There is no folder absent"),
        (["predict", "IN", "--codebook", "absent.xml", "-o", "o.csv"], 1, "cannot be read"),
        (["predict", "IN", "--codebook", "emotion"], 2, "Missing option '-o' / '--output'"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--limit", "0"], 2, "--limit"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--engine", "x"], 1, "SOCIALITE_ENGINE"),
        (["status", "--project", "absent"], 1, "There is no project 'absent'"),
        (["push", "--project", "absent"], 1, "There is no project 'absent'"),
        (["prelabel", "--project", "absent"], 1, "There is no project 'absent'"),
        (["prelabel", "--project", "absent", "--limit", "0"], 2, "--limit"),
        (["sync", "--project", "absent"], 1, "There is no project 'absent'"),
        (["doctor", "--project", "absent"], 1, "There is no project 'absent'"),
        (["connect", "--project", "k"], 1, "--label-studio"),
        (["connect", "--project", "k", "--label-studio", "http://127.0.0.1:9"], 1, "LABEL_STUDIO_API_KEY"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--shots", "-1"], 1, "SOCIALITE_SHOTS"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--device", "tpu"], 1, "SOCIALITE_DEVICE"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--engine", "causal"], 1, "socialite model fetch"),
        (["predict", "IN", "--codebook", "emotion", "-o", "o.csv", "--engine", "remote"], 1, "SOCIALITE_REMOTE_URL"),
        (["model", "fetch", "somebody/tiny"], 1, "HF_HUB_OFFLINE"),
        (["model", "remove", "somebody/tiny"], 1, "socialite model list"),
        (["model", "nonsense"], 2, "No such command"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    words: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in.csv").write_text("text,n\nhello,1\n", encoding="utf-8")
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOCIALITE_ENGINE", "keyword")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["socialite", *("in.csv" if word == "IN" else word for word in words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == code
    assert sentence in said
    assert "Traceback" not in said
    assert not (tmp_path / "o.csv").exists()


def test_the_message_of_a_foreign_error_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("the words of a respondent")

    monkeypatch.setattr("backend.commands.status.run", fail)
    monkeypatch.setattr(sys, "argv", ["socialite", "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "ValueError" in said
    assert "respondent" not in said
    monkeypatch.setenv("SOCIALITE_DEBUG", "1")
    with pytest.raises(ValueError, match="respondent"):
        cli.main()


def test_ctrl_c_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.commands.status.run", stop)
    monkeypatch.setattr(sys, "argv", ["socialite", "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 3])
def test_the_end_keeps_exit_code_output_and_what_is_left_to_do(code: int) -> None:
    lines = [
        "import atexit, sys, types",
        "sys.modules['torch'] = types.ModuleType('torch')",
        "from backend import cli",
        "atexit.register(print, 'tidied')",
        f"cli.main = lambda: (print('result'), sys.exit({code}))",
        "cli.start()",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout.split()) == (code, ["result", "tidied"])


def test_status_for_people_and_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path))
    runner = CliRunner()
    assert "There is no project yet" in runner.invoke(cli.app, ["status"]).stdout
    store = open_store(sqlite_url(tmp_path))
    with store.writing() as s:
        projects.create(s, "moods", "Moods in posts", 1, {"audit": 10, "control": 5, "coders": 2})
    store.close()
    table = runner.invoke(cli.app, ["status"]).stdout
    assert "moods – Moods in posts" in table
    assert "nothing yet" in table
    (one,) = json.loads(runner.invoke(cli.app, ["status", "--json"]).stdout)["projects"]
    assert (one["key"], one["texts"], one["release"], one["last_event_at"]) == ("moods", {}, None, None)


def test_doctor_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path))
    monkeypatch.setenv("SOCIALITE_ENGINE", "keyword")
    runner = CliRunner()
    done = runner.invoke(cli.app, ["doctor"])
    assert done.exit_code == 0
    assert "Nothing is wrong" in done.stdout
    monkeypatch.setenv("SOCIALITE_HOST", "0.0.0.0")
    failed = runner.invoke(cli.app, ["doctor", "--json"])
    assert failed.exit_code == 1
    found = {f["check"]: f for f in json.loads(failed.stdout)["findings"]}
    assert (found["access"]["level"], found["store"]["level"]) == ("fail", "ok")
    assert "SOCIALITE_BASIC_USER" in found["access"]["cure"]
