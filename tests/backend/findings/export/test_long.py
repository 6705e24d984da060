"""The long table: what each coder said to each question about each row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.corpus.long_table import AFTER, BEFORE
from backend.corpus.tables.reading import open_table
from db.models import Unit
from db.predictions import ExposureRow, expose
from labelstudio_config.codebook import Codebook, Label
from tests.backend.assist.world import BOOK, HUMOR, STARS, TOPICS
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.export.written import Row, dictionary, table, write
from tests.backend.learning.coding import Coding


def of(rows: list[Row], question: str) -> list[Row]:
    return [row for row in rows if row["question"] == question]


def test_a_row_is_a_coder_s_answer_to_a_question(coding: Coding, tmp_path: Path) -> None:
    text = coding.text('one, "two"\r\nthree')
    coding.answer(text, 2, humor="yes", topics=("sport", "money"), stars="3", year=1990, lead_time=4.5)
    coding.answer(text, 1, humor="no", topics=(), stars="4")
    rows = table(coding, tmp_path)
    assert [(row["coder"], row["question"], row["label"], row["number"]) for row in rows] == [
        ("coder-1", "humor", "yes", ""), ("coder-1", "topics", "money|sport", ""),
        ("coder-1", "stars", "3", ""), ("coder-1", "year", "", "1990"),
        ("coder-2", "humor", "no", ""), ("coder-2", "topics", "(none)", ""),
        ("coder-2", "stars", "4", ""), ("coder-2", "year", "", ""),
    ]  # fmt: skip
    assert {row["text"] for row in rows} == {'one, "two"\r\nthree'}
    assert rows[0]["lead_time"] == "4.5" and rows[0]["answered_at"] == "2026-03-01T12:00:00Z"
    assert (rows[0]["project"], rows[0]["phase"], rows[0]["origin"], rows[0]["revision"]) == (
        coding.world.key, "production", "human", "1"
    )  # fmt: skip


def test_the_columns_stand_in_their_order(coding: Coding, tmp_path: Path) -> None:
    coding.text("a")
    write(coding, tmp_path / "out.csv")
    assert open_table(tmp_path / "out.csv").columns == (*BEFORE, "text", *AFTER)
    write(coding, tmp_path / "out.csv", without_text=True)
    assert open_table(tmp_path / "out.csv").columns == (*BEFORE, *AFTER)


def test_a_row_that_nobody_answered_is_there_once_or_left_out(coding: Coding, tmp_path: Path) -> None:
    coding.answer(coding.text("coded"), 1, humor="no")
    coding.text("not coded", "control", rank=3)
    rows = table(coding, tmp_path)
    (lonely,) = [row for row in rows if row["text"] == "not coded"]
    assert (lonely["question"], lonely["coder"], lonely["label"], lonely["stream"]) == ("", "", "", "control")
    assert {row["text"] for row in table(coding, tmp_path, only_coded=True)} == {"coded"}


def test_a_skip_says_so_and_a_deleted_answer_is_gone(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("a")
    coding.answer(text, 1, cancelled=True)
    coding.delete(coding.answer(text, 2, humor="no"))
    rows = table(coding, tmp_path)
    assert {(row["coder"], row["skipped"], row["label"]) for row in rows} == {("coder-1", "1", "")}


def test_one_phase_or_all(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("a")
    coding.answer(text, 1, humor="no", phase="training")
    coding.answer(text, 2, humor="yes")
    assert [(r["phase"], r["label"]) for r in of(table(coding, tmp_path), "humor")] == [
        ("training", "no"), ("production", "yes")
    ]  # fmt: skip
    (row,) = of(table(coding, tmp_path, phase="training"), "humor")
    assert (row["coder"], row["accepted"], row["accepted_by"]) == ("coder-1", "no", "single")


def test_what_answers_come_to_and_how(coding: Coding, tmp_path: Path) -> None:
    alike, most, split = coding.text("alike"), coding.text("most"), coding.text("split")
    for text, votes in ((alike, ("no", "no")), (most, ("no", "yes", "yes")), (split, ("no", "yes"))):
        for coder, vote in enumerate(votes, 1):
            coding.answer(text, coder, humor=vote, stars="1", year=2)
    rows = of(table(coding, tmp_path), "humor")
    assert {(row["text"], row["accepted"], row["accepted_by"]) for row in rows} == {
        ("alike", "no", "agreement"), ("most", "yes", "majority"), ("split", "", "tie")
    }  # fmt: skip
    coding.answer(split, 9, humor="yes", origin="adjudicated")
    rows = [row for row in of(table(coding, tmp_path), "humor") if row["text"] == "split"]
    assert [(row["accepted"], row["accepted_by"], row["adjudicated"]) for row in rows] == [
        ("yes", "adjudicated", "0"), ("yes", "adjudicated", "0"), ("yes", "adjudicated", "1")
    ]  # fmt: skip


def test_an_audit_text_needs_all_its_coders(coding: Coding, tmp_path: Path) -> None:
    audit(coding, TWENTY)
    short = coding.text("one coder", "audit", rank=999)
    coding.answer(short, 1, humor="no")
    rows = of(table(coding, tmp_path), "humor")
    assert {row["accepted_by"] for row in rows if row["id"] != rows[-1]["id"]} == {"agreement"}
    assert (rows[-1]["text"], rows[-1]["accepted"], rows[-1]["accepted_by"]) == ("one coder", "", "too few coders")
    assert len({row["sampling_probability"] for row in rows}) == 1 and 0 < float(rows[0]["sampling_probability"]) < 1


def test_what_had_been_shown_before_an_answer(coding: Coding, tmp_path: Path) -> None:
    alone, started, later = coding.text("alone"), coding.text("started"), coding.text("handed")
    release = coding.release()
    coding.answer(alone, 1, humor="no")
    coding.answer(started, 1, humor="no", origin="kept", release_id=release)
    coding.answer(later, 1, humor="no", answered_at=datetime(2100, 1, 1, tzinfo=UTC))
    (task,) = coding.tasks(later)
    with coding.store.writing() as s:
        expose(s, [ExposureRow(later, release, task, "push")])
    shown = {row["text"]: (row["exposure"], row["release"][:7]) for row in table(coding, tmp_path)}
    assert shown == {"alone": ("none", ""), "started": ("assisted", "keyword"), "handed": ("assisted", "keyword")}


def test_of_imported_answers_nobody_knows_what_was_shown(coding: Coding, tmp_path: Path) -> None:
    coding.answer(coding.text("a"), 1, humor="no", origin="imported")
    assert {row["exposure"] for row in table(coding, tmp_path)} == {""}


def test_a_label_made_of_a_prediction_is_withheld_while_its_text_is_blind(coding: Coding, tmp_path: Path) -> None:
    blind, shown = coding.text("blind", "audit"), coding.text("shown")
    for text in (blind, shown):
        coding.answer(text, 1, humor="yes", origin="bulk")
    done = write(coding, tmp_path / "out.csv")
    assert done.withheld["humor"] == 1
    rows = of(table(coding, tmp_path), "humor")
    assert {row["text"]: row["label"] for row in rows} == {"blind": "", "shown": "yes"}
    (told,) = [row for row in dictionary(tmp_path) if row["name"] == "withheld" and row["question"] == "humor"]
    assert told["values"] == "1" and "open-test" in told["meaning"]


def test_an_answer_stands_beside_the_text_it_was_about(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("before")
    coding.answer(text, 1, humor="no")
    new = coding.edit(text, "after")
    coding.answer(new, 2, humor="yes")
    rows = of(table(coding, tmp_path), "humor")
    assert [(row["text"], row["label"]) for row in rows] == [("before", "no"), ("after", "yes")]
    assert len({row["id"] for row in rows}) == 1


def test_a_question_and_a_label_that_are_gone_keep_their_answers(coding: Coding, tmp_path: Path) -> None:
    coding.answer(coding.text("a"), 1, humor="yes", topics=("health",))
    fewer = Label("maybe", "maybe", "maybe")
    humor = replace(HUMOR, labels=(HUMOR.labels[0], fewer))
    coding.revise(Codebook(BOOK.key, BOOK.title, (humor, STARS)))
    rows = table(coding, tmp_path)
    assert [(row["question"], row["label"]) for row in rows] == [
        ("humor", "yes"), ("stars", ""), ("topics", "health"), ("year", "")
    ]  # fmt: skip
    assert {row["revision"] for row in rows} == {"1"}


def test_bars_in_codes_do_not_part_them(coding: Coding, tmp_path: Path) -> None:
    codes = (Label("one", "a|b", "a|b"), Label("two", "(none)", "two"))
    topics = replace(TOPICS, labels=codes)
    coding.revise(Codebook(BOOK.key, BOOK.title, (HUMOR, topics)))
    text = coding.text("a")
    coding.answer(text, 1, topics=("one", "two"))
    coding.answer(text, 2, topics=("two",))
    assert [row["label"] for row in of(table(coding, tmp_path), "topics")] == ["a\\|b|(none)", "\\(none)"]


def test_the_corpus_other_columns_are_numbers_only_where_nothing_gets_lost(coding: Coding, tmp_path: Path) -> None:
    coding.texts(["a", "b"])
    told = [
        {
            "id": "007",
            "n": "12",
            "share": "0.5",
            "mixed": "1",
            "list": ["x", "y|z"],
            "yes": True,
            "日本": "j",
            "2024": "k",
        },
        {"id": "008", "n": "", "share": "2", "mixed": "1.50", "object": {"k": 1}, "empty": None},
    ]
    with coding.store.writing() as s:
        for unit, other in zip(s.scalars(select(Unit).order_by(Unit.id)), told, strict=True):
            unit.other = other
    rows = table(coding, tmp_path)
    kinds = {row["name"]: row["type"] for row in dictionary(tmp_path) if row["name"].startswith("x_")}
    assert kinds == {
        "x_id": "text", "x_n": "integer", "x_share": "number", "x_mixed": "text", "x_list": "text", "x_yes": "integer",
        "x_v": "text", "x_2024": "text", "x_object": "text", "x_empty": "text",
    }  # fmt: skip
    assert [(row["x_id"], row["x_share"], row["x_mixed"]) for row in rows] == [
        ("007", "0.5", "1"),
        ("008", "2", "1.50"),
    ]
    assert (rows[0]["x_list"], rows[0]["x_yes"], rows[1]["x_object"]) == ("x|y\\|z", "1", "k: 1")


@pytest.mark.parametrize("shape", ["long", "wide"])
def test_no_account_of_label_studio_s_is_in_it(coding: Coding, tmp_path: Path, shape: str) -> None:
    coding.answer(coding.text("a"), 987654, humor="no")
    write(coding, tmp_path / "out.csv", shape=shape)
    assert "987654" not in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "987654" not in (tmp_path / "out.dictionary.csv").read_text(encoding="utf-8")


def test_the_release_says_who_made_the_model_s_labels(coding: Coding, tmp_path: Path) -> None:
    says(coding, {coding.text("a"): "yes"})
    table(coding, tmp_path)
    told = {row["name"]: row["meaning"] for row in dictionary(tmp_path) if row["part"] == "table"}
    assert told["release"].startswith("keyword-") and told["test"] == "not open" and told["rule"] == "majority"
