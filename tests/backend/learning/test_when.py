"""The clock: enough newly coded texts, and long enough since the last run."""

from __future__ import annotations

from datetime import timedelta

from backend.learning.when import due
from db import runs
from db.base import now
from db.models import Run
from tests.backend.learning.coding import Coding


def is_due(coding: Coding, *, every: float = 3600, least: int = 2) -> bool:
    with coding.store.reading() as s:
        return due(s, every, least) == [coding.project.id]


def run(coding: Coding, *, hours_ago: float) -> None:
    """A run that began so long ago."""
    with coding.store.writing() as s:
        made, _ = runs.begin(s, coding.project.id, None, tuner="fake", seed=0, parameters={})
        runs.finish(s, made.id, None)
        s.get_one(Run, made.id).created_at = now() - timedelta(hours=hours_ago)


def test_enough_texts_are_coded(coding: Coding) -> None:
    texts = [coding.text(body) for body in ("one", "two", "three")]
    coding.answer(texts[0], 1, humor="yes")
    coding.answer(texts[0], 2, humor="no")
    assert not is_due(coding)  # one text, coded twice
    coding.answer(texts[1], 1, humor="no")
    assert is_due(coding)
    assert not is_due(coding, least=3)


def test_skips_copied_predictions_and_the_audit_do_not_count(coding: Coding) -> None:
    for body, given in (("one", {"cancelled": True}), ("two", {"origin": "bulk"})):
        coding.answer(coding.text(body), 1, **({"humor": "yes"} | given))
    coding.answer(coding.text("three", "audit"), 1, humor="yes")
    coding.answer(coding.text("four", "control"), 1, humor="yes")
    assert not is_due(coding, least=1)


def test_a_run_is_not_followed_too_soon(coding: Coding) -> None:
    run(coding, hours_ago=0.5)
    coding.answer(coding.text("one"), 1, humor="yes")
    coding.answer(coding.text("two"), 1, humor="yes")
    assert not is_due(coding, every=3600)
    assert is_due(coding, every=1700)


def test_only_what_was_coded_since_the_last_run_counts(coding: Coding) -> None:
    coding.answer(coding.text("one"), 1, humor="yes")
    coding.answer(coding.text("two"), 1, humor="yes")
    run(coding, hours_ago=0)
    assert not is_due(coding, every=0)
    coding.answer(coding.text("three"), 1, humor="yes")
    coding.answer(coding.text("four"), 1, humor="yes")
    assert is_due(coding, every=0)


def test_an_archived_project_rests(coding: Coding) -> None:
    coding.answer(coding.text("one"), 1, humor="yes")
    coding.answer(coding.text("two"), 1, humor="yes")
    coding.change(archived_at=now())
    assert not is_due(coding)
