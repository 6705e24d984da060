from __future__ import annotations

from sqlalchemy import select

from backend.assist.catalogue import Catalogue
from backend.assist.manner import Manner, manner, manner_of, settle
from backend.assist.order import POLICY
from db.models import Project, Release
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.world import World, serving

ALL = [Manner(ticked, diverse) for ticked in (True, False) for diverse in (True, False)]


def test_a_release_remembers_its_manner() -> None:
    assert [manner_of(one.policy) for one in ALL] == ALL
    assert len({one.policy for one in ALL}) == 4
    assert Manner().policy == POLICY, "releases from before there was a choice keep their names"
    assert manner_of("found") == Manner()


def test_another_manner_is_another_release_and_the_old_one_comes_back(world: World) -> None:
    engine = FakeEngine()
    catalogue = Catalogue(world.store, engine.identity)
    server = Catalogue(world.store, engine.identity)
    first = catalogue.state(world.key)
    assert first.manner == Manner()
    with world.store.writing() as s:
        assert settle(s, world.project_id, ticked=False) == Manner(ticked=False)
        assert settle(s, world.project_id, diverse=True) == Manner(ticked=False, diverse=True)
        assert settle(s, world.project_id) == Manner(ticked=False, diverse=True)
    with world.store.reading() as s:
        project = s.get_one(Project, world.project_id)
        assert manner(project) == Manner(ticked=False, diverse=True)
        assert project.sampling_design == {"audit": 1, "control": 1, "coders": 2, "ticked": False, "diverse": True}
    second = Catalogue(world.store, engine.identity).state(world.key)  # as another process does
    assert (second.manner, second.scorer_id) == (Manner(ticked=False, diverse=True), first.scorer_id)
    assert second.release != first.release
    assert server.state(world.key).release == second.release, "a server that runs hears of it"
    with world.store.writing() as s:
        settle(s, world.project_id, ticked=True, diverse=False)
    assert Catalogue(world.store, engine.identity).state(world.key).release == first.release
    with world.store.reading() as s:
        assert set(s.scalars(select(Release.name))) == {first.release, second.release}


def test_predict_says_what_it_does_not_tick(world: World) -> None:
    with world.store.writing() as s:
        settle(s, world.project_id, ticked=False)
    world.place("work", "a text")
    with serving(world, FakeEngine()) as service:
        (suggestion,) = service.ask(world.task(1, "a text"))
    assert suggestion.result
    assert {region["type"] for region in suggestion.result} == {"textarea"}
    assert {region["from_name"] for region in suggestion.result} <= {
        "suggestion_humor",
        "suggestion_topics",
        "suggestion_stars",
    }
    assert all(region["value"]["text"][0].startswith("Suggested: ") for region in suggestion.result)
