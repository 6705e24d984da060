"""Where an answer comes from: a person, a kept or changed suggestion, a bulk action, an import."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.corpus.annotation import Reading, kept, moment, read
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import from_xml
from tests.payloads import CONFIG, EMAIL, annotation, choice

BOOK = from_xml(CONFIG, key="tones")


def reading(given: dict[str, Any], book: Codebook = BOOK, **how: Any) -> Reading:
    cut = kept(given)
    assert cut is not None
    return read(cut, book, **how)


@pytest.mark.parametrize(
    ("result", "parent", "suggested", "origin"),
    [
        ([choice("Kind")], None, None, "human"),
        ([choice("Kind", origin=None)], None, None, "human"),
        ([], None, None, "human"),
        ([choice("Kind", origin="prediction")], 5, None, "kept"),
        ([choice("Kind", origin="prediction-changed")], 5, None, "changed"),
        ([choice("Kind", origin="prediction"), choice("Food", "topics", "prediction-changed")], 5, None, "changed"),
        ([choice("Kind", origin="prediction"), choice("Food", "topics", "manual")], 5, None, "changed"),
        ([], 5, None, "changed"),
        ([choice("Kind")], 5, None, "changed"),
        ([choice("Kind")], 5, [], "human"),  # an empty suggestion only orders the tasks
        ([], 5, ["tone"], "changed"),
        ([choice("Kind", origin="prediction")], 5, ["tone", "topics"], "changed"),  # one was taken away
        ([choice("Kind", origin="prediction"), choice("Food", "topics", "manual")], 5, ["tone"], "kept"),
        ([choice("Kind", origin="prediction-changed")], 5, ["tone"], "changed"),
    ],
)
def test_origin_of_an_answer(result: list[Any], parent: int | None, suggested: list[str] | None, origin: str) -> None:
    assert reading(annotation(1, 2, result, parent_prediction=parent), suggested=suggested).origin == origin


def test_the_words_of_a_suggestion_are_neither_an_answer_nor_a_note() -> None:
    words = {
        "type": "textarea",
        "from_name": "suggestion_tone",
        "value": {"text": ["Suggested: Kind (70 %)"]},
        "origin": "prediction",
    }
    nothing = reading(annotation(1, 2, [words], parent_prediction=5), suggested=[])
    assert nothing == Reading("human"), "submitted without a choice"
    chosen = reading(annotation(1, 2, [words, choice("Kind")], parent_prediction=5), suggested=[])
    assert (chosen.origin, chosen.values) == ("human", (("tone", "kind", None, "human"),))
    assert (chosen.notes, chosen.problems) == (None, ())


def test_each_value_has_its_own_origin() -> None:
    result = [
        choice("Harsh", origin="prediction-changed"),
        {"type": "choices", "from_name": "topics", "value": {"choices": ["Food", "Work"]}, "origin": "prediction"},
        {"type": "number", "from_name": "year", "value": {"number": 1999}},
        {"type": "textarea", "from_name": "note", "value": {"text": ["a note"]}, "origin": "manual"},
    ]
    found = reading(annotation(1, 2, result, parent_prediction=5))
    assert found.values == (
        ("tone", "harsh", None, "changed"),
        ("topics", "food", None, "kept"),
        ("topics", "work", None, "kept"),
        ("year", None, 1999.0, "human"),
    )
    assert found.notes == {"note": "a note"}


@pytest.mark.parametrize(
    ("more", "bulk", "origin"),
    [
        ({}, True, "bulk"),
        ({"bulk_created": True}, False, "bulk"),
        ({"updated_by": None, "lead_time": None, "parent_prediction": 9}, False, "bulk"),  # as an export shows it
        ({"updated_by": None, "lead_time": None}, False, "imported"),
        ({"import_id": 12}, False, "imported"),
        ({"updated_by": None, "lead_time": None, "parent_annotation": 4}, False, "human"),
        ({"updated_by": None, "lead_time": 3.0}, False, "human"),
    ],
)
def test_answers_that_no_person_gave(more: dict[str, Any], bulk: bool, origin: str) -> None:
    given = annotation(1, 2, [choice("Kind", origin=None)], **more)
    assert reading(given, bulk=bulk).origin == origin


def test_a_skip_says_nothing() -> None:
    cut = kept(annotation(1, 2, [choice("Kind")], was_cancelled=True))
    assert cut is not None
    assert cut["was_cancelled"]
    assert read(cut, BOOK) == Reading("human")


def test_a_code_that_is_not_in_the_codebook_is_a_problem_not_a_value() -> None:
    found = reading(annotation(1, 2, [choice("Sarcastic")]))
    assert found.values == ()
    assert len(found.problems) == 1


def test_scores_people_and_spans_are_not_kept() -> None:
    span = {"type": "labels", "from_name": "ner", "value": {"start": 0, "end": 5, "text": "Alice", "labels": ["PER"]}}
    given = annotation(1, 2, [choice("Kind"), span], completed_by={"id": 3, "email": EMAIL}, draft_created_at="x")
    cut = kept(given)
    assert cut is not None
    assert cut["completed_by"] == 3
    assert [set(region) for region in cut["result"]] == [{"type", "from_name", "value", "origin"}]
    text = json.dumps(cut)
    assert EMAIL not in text
    assert "Alice" not in text
    assert "unique_id" not in text


@pytest.mark.parametrize("lacking", ["id", "task", "created_at"])
def test_an_annotation_that_cannot_be_told_apart_is_none(lacking: str) -> None:
    assert kept(annotation(1, 2) | {lacking: None}) is None
    assert kept({k: v for k, v in annotation(1, 2).items() if k != lacking}) is None


def test_times_are_utc() -> None:
    assert moment("2026-11-22T21:47:52.516314Z") == datetime(2026, 11, 22, 21, 47, 52, 516314, tzinfo=UTC)
    assert moment("2026-11-22T22:47:52+01:00") == datetime(2026, 11, 22, 21, 47, 52, tzinfo=UTC)
    assert moment("2026-11-22T21:47:52") == datetime(2026, 11, 22, 21, 47, 52, tzinfo=UTC)
    assert [moment(x) for x in (None, 5, "yesterday", "0001-01-01T00:00:00+05:00")] == [None] * 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)


@given(json_values, st.sampled_from(list(annotation(1, 2))))
def test_any_json_in_any_field_is_read_or_refused(value: Any, field: str) -> None:
    cut = kept(annotation(1, 2) | {field: value})
    if cut is not None:
        json.dumps(cut)
        assert read(cut, BOOK).origin in {"human", "kept", "changed", "bulk", "imported"}


@given(st.lists(json_values | st.dictionaries(st.sampled_from(["type", "from_name", "value", "origin"]), json_values)))
def test_any_regions_are_read(result: list[Any]) -> None:
    cut = kept(annotation(1, 2, result))
    assert cut is not None
    read(cut, BOOK)


def test_a_real_correction(shared: Path) -> None:
    """Recorded in the browser: the sentiment was changed, everything else kept."""
    folder = shared / "labelstudio" / "fixtures"
    body = json.loads((folder / "webhook_ANNOTATION_CREATED_real_UI_corrected.json").read_text("utf-8"))["body"]
    found = reading(body["annotation"], from_xml(body["project"]["label_config"], key="recorded"))
    assert found.origin == "changed"
    assert found.values == (
        ("sentiment", "negative", None, "changed"),
        ("topics", "economy", None, "kept"),
        ("topics", "health", None, "kept"),
        ("stars", "4", None, "kept"),
        ("year", None, 1999.0, "kept"),
    )
    assert found.notes == {"note": "model rationale"}


def test_an_export_says_the_same_as_the_webhook(shared: Path) -> None:
    folder = shared / "labelstudio" / "fixtures"
    body = json.loads((folder / "webhook_ANNOTATION_CREATED_real_UI_corrected.json").read_text("utf-8"))["body"]
    tasks = json.loads((folder / "export_JSON.txt").read_text("utf-8"))
    exported = [a for t in tasks for a in t["annotations"] if a["id"] == body["annotation"]["id"]]
    assert [kept(a) for a in exported] == [kept(body["annotation"])]
