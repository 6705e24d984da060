"""`socialite card` and `socialite curve`, as their commands run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from backend.commands import cards, curve
from backend.commands.curve import CurveError
from backend.corpus.tables.table import TableError
from backend.learning.card import Card, CardError, from_plain
from db import projects
from db.errors import ProjectNotFoundError
from db.models import Run
from db.store import open_store, sqlite_url
from tests.backend.learning.cards import card, learned


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that keeps the cards of finished runs of 'posts', in the store that commands open."""
    url = sqlite_url(tmp_path)
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", url)
    store = open_store(url)
    with store.writing() as s:
        project = projects.create(s, "posts", "Posts", 1, {"audit": 1, "control": 1, "coders": 2})

    def keep(*made: Card) -> None:
        with store.writing() as s:
            for one in made:
                metrics = {"card": one.plain()}
                s.add(Run(project_id=project.id, tuner="head", seed=1, parameters={}, metrics=metrics, state="done"))

    yield keep
    store.close()


def test_the_last_card_is_printed_or_that_of_a_run(keep: Any, capsys: pytest.CaptureFixture[str]) -> None:
    keep(card(run=1), card(run=2))
    cards.run("posts", None, False)
    assert capsys.readouterr().out.startswith("Run 2 of posts: ")
    cards.run("posts", 1, False)
    assert capsys.readouterr().out.startswith("Run 1 of posts: ")


def test_programs_get_the_card_itself(keep: Any, capsys: pytest.CaptureFixture[str]) -> None:
    keep(card(run=1))
    cards.run("posts", None, True)
    assert from_plain(json.loads(capsys.readouterr().out)) == card(run=1)


def test_a_project_without_cards_says_what_to_do(keep: Any) -> None:
    with pytest.raises(CardError, match="`socialite retrain --project posts` starts one"):
        cards.run("posts", None, False)
    with pytest.raises(CurveError, match="`socialite retrain --project posts` starts one"):
        curve.run("posts", None, False, False)
    with pytest.raises(ProjectNotFoundError):
        cards.run("letters", None, False)


def test_the_curve_is_a_table_and_a_picture(keep: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(learned(1, 40), learned(2, 90))
    curve.run("posts", tmp_path / "curve.svg", False, False)
    told = capsys.readouterr()
    assert told.out.startswith("posts: humor\n")
    assert [line.split()[0] for line in told.out.splitlines() if re.match(r"  \d ", line)] == ["1", "2"]
    assert told.err == f"{tmp_path / 'curve.svg'} is written.\n"
    assert ElementTree.parse(tmp_path / "curve.svg").getroot().tag.endswith("svg")


def test_the_curve_is_a_csv_file_whose_rows_are_those_of_json(
    keep: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(learned(1, 40), learned(2, 90))
    curve.run("posts", tmp_path / "curve.csv", True, False)
    found = json.loads(capsys.readouterr().out)["curve"]
    with (tmp_path / "curve.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert written == [{name: "" if value is None else str(value) for name, value in row.items()} for row in found]
    assert len(written) == 10


def test_programs_get_an_empty_list_of_no_runs(keep: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve.run("posts", None, True, False)
    assert json.loads(capsys.readouterr().out) == {"curve": []}
    with pytest.raises(CurveError, match="No run of 'posts' has finished yet"):
        curve.run("posts", tmp_path / "curve.svg", True, False)
    assert not (tmp_path / "curve.svg").exists()


def test_a_file_is_replaced_only_on_demand(keep: Any, tmp_path: Path) -> None:
    keep(learned(1, 40))
    path = tmp_path / "curve.png"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(TableError, match="exists already"):
        curve.run("posts", path, False, False)
    assert path.read_text(encoding="utf-8") == "mine"
    curve.run("posts", path, False, True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_an_ending_that_is_not_known_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(CurveError, match=r"Take one of: \.svg, \.png, \.csv"):
        curve.run("posts", tmp_path / "curve.docx", False, False)
