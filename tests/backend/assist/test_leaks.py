"""Examples of the codebook that the audit holds are not shown to a model, and what it is not shown has its own hash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backend.assist import catalogue as module
from backend.assist.catalogue import Catalogue
from backend.assist.leaks import cleared, without
from backend.assist.streams import draw
from backend.engines.protocol import Item, Scores
from db import releases, revisions
from db.models import Project
from db.store import Store
from labelstudio_config.codebook import Codebook, Question
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.world import HUMOR, World, make_world, serving

JOKE = "Why did the chicken cross the road? To get to the other side of the street."
PLAIN = "The meeting of the parish council was moved to the small hall."
OTHER = "A horse walks into a bar, and the barman says: why the long face?"


def book(no: tuple[str, ...] = (PLAIN,), yes: tuple[str, ...] = (JOKE, OTHER)) -> Codebook:
    first, second = HUMOR.labels
    labels = (replace(first, examples=no), replace(second, examples=yes))
    return Codebook("posts", "Posts", (replace(HUMOR, labels=labels),))


@pytest.mark.parametrize(
    "held",
    [
        JOKE,
        JOKE.upper().replace("?", " ?!"),
        JOKE.replace("street", "Street, see https://example.org/a"),
        JOKE + " Ha.",
    ],
)
def test_the_same_text_and_nearly_the_same_are_left_out(held: str) -> None:
    found = without(book(), [("Nothing of the kind.",), (held,)])
    assert found.codebook == book(yes=(OTHER,))
    assert found.left_out == Counter({"yes": 1})
    assert "1 examples" in found.sentence and "'yes' 1" in found.sentence
    assert "chicken" not in found.sentence


def test_either_text_of_a_pair_counts() -> None:
    assert without(book(), [(PLAIN, JOKE)]).codebook == book(no=(), yes=(OTHER,))


@pytest.mark.parametrize("texts", [[], [("",)], [("A chicken crosses a road.",), (OTHER[:30],)]])
def test_what_is_merely_about_the_same_stays(texts: list[tuple[str, ...]]) -> None:
    found = without(book(), texts)
    assert found.codebook == book()
    assert found.sentence == ""


def drawn(world: World, *bodies: str, audit: int) -> None:
    ids = world.remember(*bodies)
    with world.store.writing() as s:
        draw(s, s.get_one(Project, world.project_id), ids, audit=audit, control=0, seed=3)


@pytest.fixture
def leaking(store: Store) -> World:
    """A project whose codebook's examples will be in the corpus."""
    return make_world(store, "leaking", book())


def test_a_draw_takes_the_examples_from_the_engine_and_makes_another_release(leaking: World) -> None:
    engine = FakeEngine()
    catalogue = Catalogue(leaking.store, engine.identity)
    before = catalogue.state(leaking.key)
    assert before.codebook == book()
    drawn(leaking, JOKE, PLAIN, audit=2)
    after = catalogue.state(leaking.key)
    assert after.codebook == book(no=(), yes=(OTHER,))
    assert after.release != before.release
    assert after.scorer_id != before.scorer_id
    with leaking.store.reading() as s:
        revision = revisions.current(s, leaking.project_id)
        assert revision is not None and revision.id == before.revision_id == after.revision_id
        assert revisions.codebook(revision) == book(), "people keep their examples"
        assert cleared(s, leaking.project_id, book()).left_out == Counter({"no": 1, "yes": 1})
        names = releases.names(s, leaking.project_id)
    assert Catalogue(leaking.store, engine.identity).state(leaking.key) == after
    assert names == [after.release, before.release]


def test_texts_of_other_streams_leave_the_examples_alone(leaking: World) -> None:
    catalogue = Catalogue(leaking.store, FakeEngine().identity)
    before = catalogue.state(leaking.key)
    drawn(leaking, JOKE, audit=0)
    assert catalogue.state(leaking.key) == before


class Recorder(FakeEngine):
    """Keeps the examples that it was shown of the label 'yes'."""

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        self.shown = question.labels[1].examples
        return super().score(question, items, adapter, shown)


def test_the_running_service_asks_without_them(leaking: World) -> None:
    engine = Recorder()
    with serving(leaking, engine) as service:
        service.ask(leaking.task(1, "one"))
        assert engine.shown == (JOKE, OTHER)
        drawn(leaking, JOKE, audit=1)
        answer = asyncio.run(service.suggester.suggest(leaking.state(engine), [leaking.task(2, "two")], "predict"))
        assert answer[0].result is not None
        assert engine.shown == (OTHER,)


def test_the_audit_is_searched_once_a_draw_not_once_a_request(leaking: World, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    real = cleared

    def counted(*given: object) -> object:
        searched.append(1)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "cleared", counted)
    catalogue = Catalogue(leaking.store, FakeEngine().identity)
    for _ in range(5):
        catalogue.state(leaking.key)
    with leaking.store.writing() as s:
        release = releases.current(s, leaking.project_id)
        assert release is not None
        revision = revisions.current(s, leaking.project_id)
        assert revision is not None
        scorer = catalogue._scorer(s, book())
        other = releases.release(s, leaking.project_id, scorer, revision, order_policy="another")
        releases.point(s, leaking.project_id, other, by="test", reason="A move.")
    catalogue.state(leaking.key)
    assert len(searched) == 1
    drawn(leaking, "something", audit=1)
    catalogue.state(leaking.key)
    assert len(searched) == 2
