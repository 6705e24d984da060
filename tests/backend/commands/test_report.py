"""`socialite report`, as its command runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from backend.commands import report
from backend.commands.report import ReportError
from backend.corpus.tables.table import TableError
from backend.findings.facts import FindingsError
from db import projects, revisions
from db.errors import ProjectNotFoundError
from db.store import open_store, sqlite_url
from labelstudio_config.xml import to_xml
from tests.backend.assist.world import BOOK


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with a project that has a codebook, and one that has none."""
    url = sqlite_url(tmp_path)
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", url)
    opened = open_store(url)
    with opened.writing() as s:
        for key in ("posts", "bare"):
            project = projects.create(s, key, key.title(), 1, {"audit": 1, "control": 1, "coders": 2})
            if key == "posts":
                revisions.register(s, project.id, BOOK, to_xml(BOOK))
    opened.close()


def run(output: Path | None = None, *, as_json: bool = False, overwrite: bool = False, key: str = "posts") -> None:
    report.run(key, "production", [], output, as_json, overwrite)


def test_without_a_file_it_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    told = capsys.readouterr()
    assert told.out.startswith("Posts: what was found\n=====") and told.err == ""


def test_programs_get_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    run(as_json=True)
    assert json.loads(capsys.readouterr().out)["facts"]["project"] == "posts"


@pytest.mark.parametrize(
    ("ending", "begins"), [("html", "<!doctype html>"), ("md", "## Posts"), ("json", "{"), ("csv", "section,table,")]
)
def test_the_ending_says_the_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, begins: str
) -> None:
    path = tmp_path / f"report.{ending}"
    run(path)
    assert path.read_text(encoding="utf-8").startswith(begins)
    assert capsys.readouterr() == ("", f"{path} is written.\n")


def test_a_csv_file_has_whole_lines(tmp_path: Path) -> None:
    run(tmp_path / "report.csv")
    assert b"\r\r" not in (tmp_path / "report.csv").read_bytes()
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        assert all(None not in row for row in csv.DictReader(file))


def test_a_file_and_json_can_be_had_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "report.md", as_json=True)
    assert json.loads(capsys.readouterr().out)["format"] == 1


def test_a_file_is_replaced_only_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(TableError, match="exists already"):
        run(path)
    assert path.read_text(encoding="utf-8") == "mine"
    run(path, overwrite=True)
    assert path.read_text(encoding="utf-8") != "mine"


def test_an_ending_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"Take one of: \.html, \.json, \.md, \.csv"):
        run(tmp_path / "report.docx")


def test_what_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFoundError):
        run(key="letters")
    with pytest.raises(FindingsError, match="has no codebook yet"):
        run(tmp_path / "report.html", key="bare")
    with pytest.raises(FindingsError, match="There is no phase 'trial'"):
        report.run("posts", "trial", [], None, False, False)
    assert not (tmp_path / "report.html").exists()
