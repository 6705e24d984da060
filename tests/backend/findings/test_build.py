"""The whole report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from backend.findings.build import build
from backend.findings.facts import PRODUCTION, FindingsError
from backend.findings.report import Report
from backend.learning.estimate import Estimate
from backend.learning.recode import say_same
from db.errors import ProjectNotFoundError
from db.store import Store
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import BOOK, HUMOR, TEXT, labels, make_world
from tests.backend.findings.audited import TWENTY, audit, says, work
from tests.backend.findings.world import open_test, score
from tests.backend.learning.coding import Coding, coded


def report(coding: Coding, phase: str = PRODUCTION) -> Report:
    with coding.store.reading() as s:
        return build(s, coding.world.key, phase)


def test_a_project_without_data_is_told_what_is_missing(coding: Coding) -> None:
    found = report(coding)
    assert found.facts["project"] == "posts"
    assert found.facts["release"] == "none yet"
    assert found.facts["sampling"] == "nothing was drawn: no text is in the audit"
    assert all(one.missing for one in found.sections)


def test_a_project_or_a_phase_that_is_none_is_refused(coding: Coding) -> None:
    with coding.store.reading() as s:
        with pytest.raises(ProjectNotFoundError):
            build(s, "nobody")
        with pytest.raises(FindingsError, match="There is no phase 'trial'"):
            build(s, "posts", "trial")


def test_the_head_says_what_the_numbers_come_from(coding: Coding) -> None:
    text = coding.text("first", "audit", rank=0, role="gate")
    open_test(coding, score(coding, {text: {"humor": (0.3, 0.7)}}))
    facts = report(coding).facts
    assert facts["model"] == "keyword (keyword)"
    assert facts["adapter digest"] == "none: the model is not tuned"
    assert facts["rule of gold"] == "majority" and facts["coders a text"] == "2"
    assert facts["sampling"].startswith("draw 1, seed 1: audit 100, control 0 of 100 texts")
    assert facts["test opened"] == "once" and facts["gate looked at"] == "never"
    assert facts["opening 1"].endswith(f"UTC by test, for {facts['release']}: test")
    assert "same meaning 1" not in facts
    coding.revise(replace(BOOK, questions=(replace(HUMOR, wording="Funny?"), *BOOK.questions[1:])))
    with coding.store.writing() as s:
        say_same(s, coding.project, "humor", 1, 2, unchanged=True, by="Ada", reason="A heading.")
    same = report(coding).facts["same meaning 1"]
    assert same.startswith("'humor' under revisions 1 and 2, said by Ada on 20") and same.endswith(": A heading.")


def test_an_equal_store_gives_an_equal_report_but_for_the_date(coding: Coding) -> None:
    coding.answer(coding.text("first"), 1, humor="yes")
    first, again = report(coding), report(coding)
    assert first.sections == again.sections
    assert dict(first.facts) | {"date": ""} == dict(again.facts) | {"date": ""}


def project(store: Store, *questions: Question) -> Coding:
    book = Codebook("odd", "Odd", questions)
    return Coding(make_world(store, codebook=book), book)


def choice(kind: Kind, *codes: str) -> Question:
    return Question("odd", "odd", kind, Control.CHOICES, (TEXT,), labels(*codes))


def whole(found: Report) -> list[str]:
    """Keys of the sections; each has something to tell, or says what is missing."""
    for one in found.sections:
        assert one.missing or one.tables, one.key
        assert all(table.rows and table.columns and table.origin for table in one.tables), one.key
    return [one.key for one in found.sections]


ALL = ["summary", "coders", "agreement", "model", "labels", "confusion", "suspects", "calibration", "releases"]
ALL += ["anchoring", "prevalence", "nonresponse", "shares"]


def test_sections_are_in_the_order_in_which_they_are_read(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY), work(coding, [("no", "yes")]))
    assert whole(report(coding)) == ALL


@pytest.mark.parametrize("phase", ["training", "pilot"])
def test_a_phase_before_production_has_neither_a_model_nor_a_sample(coding: Coding, phase: str) -> None:
    text = coding.text("first", "audit", rank=0)
    coded(coding, text, "yes", "no", phase=phase)
    says(coding, {text: "yes"})
    found = report(coding, phase)
    assert whole(found) == ["summary", "coders", "agreement", "shares"]
    assert "those sections are left out here" in found.sections[0].text[1]
    assert whole(report(coding)) == ALL


def test_a_project_with_one_coder_says_what_a_second_would_give(coding: Coding) -> None:
    coding.change(sampling_design={"audit": 20, "control": 0, "coders": 1})
    said = {}
    for n in range(20):
        text = coding.text(f"gate {n}", "audit", rank=n)
        coded(coding, text, "yes" if n % 2 else "no")
        said[text] = "yes"
    says(coding, said)
    found = report(coding)
    assert whole(found) == ALL
    assert "Let two coders or more code the same audit texts" in found.sections[2].missing


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE])
def test_a_question_with_thirty_labels(store: Store, kind: Kind) -> None:
    coding = project(store, choice(kind, *(f"label-{n}" for n in range(30))))
    fill(coding, [f"label-{n % 30}" for n in range(60)])
    found = report(coding)
    assert whole(found) == ALL
    (by_label,) = [table for one in found.sections for table in one.tables if table.key == "labels-gate"]
    assert len(by_label.rows) == 30


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL])
def test_a_question_of_which_one_label_is_ever_given(store: Store, kind: Kind) -> None:
    coding = project(store, choice(kind, "only", "never"))
    fill(coding, ["only"] * 40)
    found = report(coding)
    assert whole(found) == ALL
    (alpha,) = [table.cells[0][3] for table in found.sections[2].tables if table.key == "agreement"]
    assert isinstance(alpha, Estimate) and alpha.value is None and "alike" in alpha.missing


def test_a_question_of_one_label(store: Store) -> None:
    coding = project(store, choice(Kind.MULTIPLE, "only"))
    fill(coding, ["only"] * 40)
    assert whole(report(coding)) == ALL


def test_a_question_that_is_answered_with_a_number(store: Store) -> None:
    coding = project(store, Question("odd", "odd", Kind.NUMBER, Control.NUMBER, (TEXT,)))
    for n in range(40):
        text = coding.text(f"gate {n}", "audit", rank=n)
        for coder in (1, 2):
            coding.answer(text, coder, odd=1900.0 + n + coder % 2)
    says(coding)
    found = report(coding)
    assert whole(found) == ALL
    assert "answered with a number" in found.sections[3].missing


def fill(coding: Coding, given: Sequence[str]) -> None:
    """Gate texts that two coders and the model give these labels, and work texts that the model is wrong on."""
    question = coding.book.question("odd")
    said = {}
    for n, label in enumerate(given):
        text = coding.text(f"gate {n}", "audit", rank=n)
        for coder in (1, 2):
            coding.answer(text, coder, odd=label)
        said[text] = {"odd": [0.9 if one == label else 0.01 for one in question.label_ids]}
    text = coding.text("<b>work</b> & \u202eright to left")
    coding.answer(text, 1, odd=given[0])
    said[text] = {"odd": [0.01 if one == given[0] else 0.9 for one in question.label_ids]}
    score(coding, said)
