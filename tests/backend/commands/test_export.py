"""`socialite export`, as its command runs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend import cli
from backend.commands.export import ExportError, Wishes, run
from backend.corpus.tables.table import TableError
from db.errors import ProjectNotFoundError
from tests.backend.learning.coding import Coding


def wishes(output: Path, key: str = "posts", target: str | None = None, *, overwrite: bool = False) -> Wishes:
    return Wishes(key, output, "long", "all", False, False, target, overwrite)


def test_a_table_and_its_dictionary(posts: Coding, tmp_path: Path) -> None:
    posts.answer(posts.text("a"), 1, humor="no")
    answer = CliRunner().invoke(cli.app, ["export", "--project", "posts", "-o", str(tmp_path / "out.tsv")])
    assert answer.exit_code == 0, answer.output
    with (tmp_path / "out.tsv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["label"] for row in csv.DictReader(file, delimiter="\t")] == ["no", "(none)", "", ""]
    assert (tmp_path / "out.dictionary.csv").is_file()


def test_what_was_written_is_said(posts: Coding, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    posts.answer(posts.text("blind", "audit"), 1, humor="no", origin="bulk")
    run(wishes(tmp_path / "out.csv"))
    told = capsys.readouterr().err
    assert "out.csv is written: 4 rows, 25 columns. out.dictionary.csv says what they mean." in told
    assert "1 labels of the model on 'humor' are left out" in told and "open-test" in told
    run(wishes(tmp_path / "tasks.json", target="label-studio"))
    assert "tasks.json is written for Label Studio: 1 tasks, 0 annotations." in capsys.readouterr().err


def test_nothing_is_replaced_unless_it_is_asked_for(posts: Coding, tmp_path: Path) -> None:
    (tmp_path / "out.dictionary.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(TableError, match=r"out\.dictionary\.csv exists already"):
        run(wishes(tmp_path / "out.csv"))
    assert not (tmp_path / "out.csv").exists()
    run(wishes(tmp_path / "out.csv", overwrite=True))
    with pytest.raises(TableError, match=r"tasks\.json exists already"):
        (tmp_path / "tasks.json").touch()
        run(wishes(tmp_path / "tasks.json", target="label-studio"))


def test_what_does_not_go_together_is_said_first(posts: Coding, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"give tasks\.csv the ending \.json"):
        run(wishes(tmp_path / "tasks.csv", target="label-studio"))
    with pytest.raises(ExportError, match="options of a table"):
        run(Wishes("posts", tmp_path / "tasks.json", "wide", "all", False, False, "label-studio", False))
    with pytest.raises(TableError, match="does not say which kind of table"):
        run(wishes(tmp_path / "out.docx"))
    with pytest.raises(ProjectNotFoundError):
        run(wishes(tmp_path / "out.csv", key="nobody"))
    assert list(tmp_path.glob("out*")) == []
