"""The file that Label Studio imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.corpus.annotation import kept, read
from backend.findings.export.label_studio import export
from db.models import LsProject
from tests.backend.assist.world import BOOK
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.export.written import nobody
from tests.backend.findings.world import open_test, score
from tests.backend.learning.coding import Coding


def tasks(coding: Coding, folder: Path) -> list[dict[str, Any]]:
    path = folder / "tasks.json"
    with coding.store.reading() as s:
        n, annotations = export(s, coding.world.key, "all", path, overwrite=True, report=nobody)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert (n, annotations) == (len(found), sum(len(task["annotations"]) for task in found))
    return list(found)


def values(annotation: dict[str, Any]) -> set[tuple[str, str | None, float | None]]:
    """What our own reading makes of an annotation."""
    whole = kept({**annotation, "task": 1})
    assert whole is not None
    return {(question, label, number) for question, label, number, _ in read(whole, BOOK).values}


def test_an_annotation_reads_as_the_answer_it_was(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("one\r\ntwo")
    coding.answer(text, 7, humor="yes", topics=("money", "sport"), stars="3", year=1990, lead_time=4.5)
    coding.answer(text, 8, cancelled=True)
    (task,) = tasks(coding, tmp_path)
    assert task["data"]["text"] == "one\r\ntwo"
    assert task["meta"]["socialite"]["id"] == task["data"]["id"]
    first, second = task["annotations"]
    assert values(first) == {
        ("humor", "yes", None), ("topics", "money", None), ("topics", "sport", None),
        ("stars", "3", None), ("year", None, 1990.0),
    }  # fmt: skip
    assert first["lead_time"] == 4.5 and first["created_at"] == "2026-03-01T12:00:00Z"
    assert {region["meta"]["text"][0] for region in first["result"]} == {"coder-1"}
    assert second["was_cancelled"] and second["result"] == []
    assert "completed_by" not in first and task["predictions"] == []


def test_suggestions_are_there_where_they_may_be_seen(coding: Coding, tmp_path: Path) -> None:
    blind = audit(coding, TWENTY[:2])
    shown = coding.text("shown")
    release = says(coding, blind, {shown: "yes"})
    found = {task["data"]["text"]: task["predictions"] for task in tasks(coding, tmp_path)}
    ((suggestion,),) = [predictions for predictions in found.values() if predictions]
    assert found["shown"] == [suggestion]
    assert suggestion["result"][0]["value"] == {"choices": ["yes"]} and suggestion["model_version"].startswith(
        "keyword-"
    )
    open_test(coding, release)
    assert all(task["predictions"] for task in tasks(coding, tmp_path))


def test_the_answers_of_a_table_make_an_annotation_a_coder(coding: Coding, tmp_path: Path) -> None:
    text = coding.text("a")
    for question, label in (("humor", "no"), ("stars", "2")):
        coding.answer(text, 1, origin="imported", **{question: label})
    coding.answer(text, 2, origin="imported", humor="yes")
    with coding.store.writing() as s:
        s.get_one(LsProject, coding.world.assisted).role = "imported"
    (task,) = tasks(coding, tmp_path)
    assert [values(annotation) for annotation in task["annotations"]] == [
        {("humor", "no", None), ("stars", "2", None)}, {("humor", "yes", None)}
    ]  # fmt: skip


def test_what_was_made_of_predictions_is_no_annotation(coding: Coding, tmp_path: Path) -> None:
    coding.answer(coding.text("a", "audit"), 1, origin="bulk", humor="no")
    (task,) = tasks(coding, tmp_path)
    assert task["annotations"] == []


@pytest.mark.parametrize("probabilities", [(0.1, 0.2, 0.3)])
def test_a_suggestion_of_no_label_is_empty(coding: Coding, tmp_path: Path, probabilities: tuple[float, ...]) -> None:
    score(coding, {coding.text("a"): {"topics": probabilities}})
    (task,) = tasks(coding, tmp_path)
    assert [prediction["result"] for prediction in task["predictions"]] == [[]]
