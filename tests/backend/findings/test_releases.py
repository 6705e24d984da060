"""Releases over time."""

from __future__ import annotations

from dataclasses import replace

from backend.findings.releases import section
from backend.findings.report import Section
from backend.learning.card import CHALLENGER, CHAMPION
from backend.learning.measured import MACRO
from db import releases, revisions
from db.models import Release, Run
from tests.backend.findings.told import column, table
from tests.backend.findings.world import read
from tests.backend.learning.cards import learned
from tests.backend.learning.coding import Coding


def release(coding: Coding, base: str) -> int:
    """A release of another model; it is not pointed at."""
    with coding.store.writing() as s:
        revision = revisions.current(s, coding.world.project_id)
        assert revision is not None
        same = {"engine": "keyword", "adapter_digest": "", "dtype": "", "prompt_hash": "", "method": "count"}
        scorer = releases.scorer(s, **same, base=base, base_digest=base, scoring_hash=revision.scoring_hash)
        return releases.release(s, coding.world.project_id, scorer, revision, order_policy="margin").id


def point(coding: Coding, release_id: int, by: str, reason: str) -> str:
    with coding.store.writing() as s:
        made = s.get_one(Release, release_id)
        releases.point(s, coding.world.project_id, made, by=by, reason=reason)
        return made.name


def ran(coding: Coding, champion: str, challenger: str) -> None:
    card = learned(1, 40, "promote")
    card = replace(card, facts=replace(card.facts, champion=champion, challenger=challenger))
    same = {"tuner": "head", "seed": 1, "parameters": {}, "state": "done", "metrics": {"card": card.plain()}}
    with coding.store.writing() as s:
        s.add(Run(project_id=coding.world.project_id, **same))


def found(coding: Coding) -> Section:
    with coding.store.reading() as s:
        return section(s, read(coding))


def test_each_change_says_what_by_whom_and_why_and_a_rollback_is_one(coding: Coding) -> None:
    first, second = release(coding, "plain"), release(coding, "tuned")
    point(coding, first, "connect", "the first")
    point(coding, second, "gate", "promoted")
    point(coding, first, "a person", "the new one was odd")
    log = table(found(coding), "releases")
    assert [one[0] for one in log.cells] == ["plain", "tuned", "plain"]
    assert [one[2] for one in log.cells] == ["the first one", "a new one", "back to an earlier one"]
    assert log.cells[2][3:] == ("a person", "the new one was odd")


def test_the_figure_of_a_release_is_that_of_the_gate_texts_of_then(coding: Coding) -> None:
    old, new, other = (release(coding, base) for base in ("plain", "tuned", "other"))
    champion = point(coding, old, "connect", "the first")
    challenger = point(coding, new, "gate", "promoted")
    point(coding, other, "a person", "by hand")
    ran(coding, champion, challenger)
    scores = learned(1, 40).questions[0].measures[0].scores
    told = table(found(coding), "releases-figures", "humor")
    assert told.drawn == "time" and MACRO in told.title
    figures = [row[0] for row in told.cells]
    assert figures[:2] == [scores[CHAMPION], scores[CHALLENGER]] and scores[CHAMPION] != scores[CHALLENGER]
    assert getattr(figures[2], "missing", "") == "never compared with people on gate texts"


def test_each_run_is_told_with_the_labels_that_it_learned_from(coding: Coding) -> None:
    point(coding, release(coding, "plain"), "connect", "the first")
    ran(coding, "encoder-old", "encoder-new")
    told = table(found(coding), "runs", "humor")
    assert column(told, "labels learned from") == {"1": 40} and column(told, "outcome") == {"1": "promote"}


def test_a_card_that_cannot_be_read_leaves_the_log(coding: Coding) -> None:
    point(coding, release(coding, "plain"), "connect", "the first")
    with coding.store.writing() as s:
        same = {"tuner": "head", "seed": 1, "parameters": {}, "state": "done", "metrics": {"card": {"format": 99}}}
        s.add(Run(project_id=coding.world.project_id, **same))
    told = found(coding)
    assert [one.key for one in told.tables] == ["releases"]
    assert told.text[-1].startswith("What the runs came to cannot be told: This card has the format 99")


def test_without_a_release_it_is_said_how_to_get_one(coding: Coding) -> None:
    assert "`socialite push --project posts`" in found(coding).missing
