"""The whole report."""

from __future__ import annotations

import pytest

from backend.findings.build import build
from backend.findings.facts import PRODUCTION, FindingsError
from backend.findings.report import Report
from db.errors import ProjectNotFoundError
from tests.backend.findings.world import open_test, score
from tests.backend.learning.coding import Coding


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


def test_an_equal_store_gives_an_equal_report_but_for_the_date(coding: Coding) -> None:
    coding.answer(coding.text("first"), 1, humor="yes")
    first, again = report(coding), report(coding)
    assert first.sections == again.sections
    assert dict(first.facts) | {"date": ""} == dict(again.facts) | {"date": ""}
