"""Cards as the store keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from backend.learning.card import Card, CardError
from backend.learning.cards import card_of, kept
from db import releases
from db.models import GateDecision, Project, Run
from tests.backend.learning.cards import card
from tests.backend.learning.coding import Coding


def ran(coding: Coding, made: Card | None, state: str = "done") -> int:
    """A run of the project; its challenger is a release that is never pointed at."""
    metrics: dict[str, Any] | None = {"loss": 0.1, "card": made.plain()} if made else None
    with coding.store.writing() as s:
        run = Run(project_id=coding.world.project_id, tuner="head", seed=1, parameters={}, metrics=metrics, state=state)
        s.add(run)
        s.flush()
        return run.id


def decided(coding: Coding, run: int, challenger: int, look: int) -> None:
    figures = {"n": 40, "delta": 0.1, "lower": 0.0, "upper": 0.2, "outcome": "undecided", "details": {}}
    with coding.store.writing() as s:
        ids = {"project_id": coding.world.project_id, "run_id": run, "challenger_id": challenger}
        s.add(GateDecision(**ids, champion_id=challenger, look_number=look, **figures))


def project(coding: Coding) -> Project:
    return coding.project


def read(coding: Coding) -> Sequence[tuple[int, bool]]:
    with coding.store.reading() as s:
        return [(one.card.facts.run, one.served) for one in kept(s, coding.project)]


def test_only_finished_runs_with_a_card_have_one(coding: Coding) -> None:
    ran(coding, card(run=1))
    ran(coding, None)
    ran(coding, card(run=3), state="failed")
    ran(coding, card(run=4))
    assert read(coding) == [(1, False), (4, False)]


def test_a_challenger_that_was_pointed_at_was_served_whoever_did_it(coding: Coding) -> None:
    first, second = ran(coding, card(run=1)), ran(coding, card(run=2))
    release = coding.release()
    decided(coding, first, release, 1)
    assert read(coding) == [(1, False), (2, False)]
    with coding.store.writing() as s:
        from db.models import Release

        releases.point(s, coding.world.project_id, s.get_one(Release, release), by="a person", reason="by hand")
    assert read(coding) == [(1, True), (2, False)]
    assert second


def test_the_last_card_or_that_of_a_run(coding: Coding) -> None:
    first, last = ran(coding, card(run=1)), ran(coding, card(run=2))
    ran(coding, None, state="running")
    with coding.store.reading() as s:
        assert card_of(s, coding.project) == card(run=2)
        assert card_of(s, coding.project, first) == card(run=1)
        assert card_of(s, coding.project, last) == card(run=2)


def test_why_there_is_no_card_is_said(coding: Coding) -> None:
    with coding.store.reading() as s, pytest.raises(CardError, match="No run of 'posts' has finished yet"):
        card_of(s, coding.project)
    done, failed = ran(coding, card(run=1)), ran(coding, None, state="failed")
    with coding.store.reading() as s:
        with pytest.raises(CardError, match=f"'posts' has no run 99. Runs with a card: {done}."):
            card_of(s, coding.project, 99)
        with pytest.raises(CardError, match=f"Run {failed} of 'posts' has no card: it is failed. Runs with a card"):
            card_of(s, coding.project, failed)
