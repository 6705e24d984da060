from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from backend.assist import catalogue as module
from backend.assist.catalogue import Catalogue, NoCodebookError
from backend.assist.order import POLICY
from db import projects, releases, revisions
from db.models import Adapter, Calibration, CodebookRevision, CodebookUse, Pointer, Release, Scorer
from db.store import ProjectNotFoundError, Store, StoreError
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import ConfigError
from labelstudio_config.xml import to_xml
from tests.backend.assist.engines import IDENTITY
from tests.backend.assist.world import BOOK, HUMOR, STARS, World, labels

XML = to_xml(BOOK)
WIDER = replace(BOOK, questions=(replace(HUMOR, labels=labels("no", "yes", "perhaps")), STARS))


def rows(store: Store) -> tuple[int, int, int, int]:
    """Revisions, uses of them, releases, moves of a pointer."""
    with store.reading() as s:
        models = (CodebookRevision, CodebookUse, Release, Pointer)
        found = tuple(int(s.scalar(select(func.count()).select_from(model)) or 0) for model in models)
        return found[0], found[1], found[2], found[3]


def test_a_project_without_a_release_gets_one(world: World) -> None:
    state = Catalogue(world.store, IDENTITY).state(world.key)
    assert (state.project_id, state.project_key) == (world.project_id, world.key)
    assert state.codebook == BOOK
    assert state.question_ids.keys() == {"humor", "topics", "stars", "year"}
    assert (state.adapter, state.temperatures) == (None, {})
    with world.store.reading() as s:
        current = releases.current(s, world.project_id)
        assert current is not None
        assert (current.id, current.name, current.scorer_id) == (state.release_id, state.release, state.scorer_id)
        assert (current.revision_id, current.order_policy) == (state.revision_id, POLICY)


def test_what_is_known_writes_nothing(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    first = catalogue.state(world.key, XML)
    before = rows(world.store)
    spaced = XML.replace("\n", "\n\n").replace("<View>", '<View className="wide">')
    for one in (catalogue, Catalogue(world.store, IDENTITY)):
        assert one.state(world.key, XML) == one.state(world.key) == one.state(world.key, spaced) == first
    assert rows(world.store) == before == (1, 1, 1, 1)


def test_a_new_screen_is_a_new_revision_with_a_release(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    first = catalogue.state(world.key, XML)
    second = catalogue.state(world.key, to_xml(WIDER))
    assert [x.code for x in second.codebook.question("humor").labels] == ["no", "yes", "perhaps"]
    assert second.release != first.release
    assert second.scorer_id != first.scorer_id
    assert second.question_ids["humor"] == first.question_ids["humor"]
    assert catalogue.state(world.key) == second
    assert Catalogue(world.store, IDENTITY).state(world.key) == second
    assert rows(world.store) == (2, 2, 2, 2)


def test_going_back_takes_up_the_earlier_revision(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    first = catalogue.state(world.key, XML)
    catalogue.state(world.key, to_xml(WIDER))
    assert catalogue.state(world.key, XML) == first
    assert catalogue.state(world.key) == first
    assert rows(world.store) == (2, 3, 2, 3)


def test_going_back_brings_back_what_the_screen_cannot_say(store: Store, world: World) -> None:
    told = replace(HUMOR, labels=(replace(HUMOR.labels[0], examples=("It rained.",)), HUMOR.labels[1]))
    other = Codebook("posts", "Posts", (STARS,))
    with store.writing() as s:
        first = revisions.register(s, world.project_id, replace(BOOK, questions=(told, STARS)), XML)
        revisions.register(s, world.project_id, other, to_xml(other))
    catalogue = Catalogue(store, IDENTITY)
    assert catalogue.state(world.key).codebook == other
    state = catalogue.state(world.key, XML)
    assert state.revision_id == first.id
    assert state.codebook.question("humor").labels[0].examples == ("It rained.",)


def test_a_release_of_another_order_is_replaced(world: World) -> None:
    first = Catalogue(world.store, IDENTITY).state(world.key)
    with world.store.writing() as s:
        scorer, revision = s.get_one(Scorer, first.scorer_id), s.get_one(CodebookRevision, first.revision_id)
        old = releases.release(s, world.project_id, scorer, revision, order_policy="as they come")
        releases.point(s, world.project_id, old, by="test", reason="an earlier version of the program")
    assert Catalogue(world.store, IDENTITY).state(world.key) == first


def test_a_screen_that_is_not_the_assisted_projects_changes_nothing(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    first = catalogue.state(world.key, XML)
    assert catalogue.state(world.key, to_xml(WIDER), assisted=False) == first
    assert rows(world.store) == (1, 1, 1, 1)


def test_what_a_screen_cannot_say_is_kept(store: Store, world: World) -> None:
    told = replace(BOOK, questions=(replace(HUMOR, instruction="Is it meant to be funny?"), *BOOK.questions[1:]))
    with store.writing() as s:
        revisions.register(s, world.project_id, told, to_xml(told))
    catalogue = Catalogue(store, IDENTITY)
    narrow = to_xml(replace(told, questions=told.questions[:2]))
    assert catalogue.state(world.key, narrow).codebook.question("humor").instruction == "Is it meant to be funny?"


def test_a_pointer_moved_elsewhere_is_seen(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    first = catalogue.state(world.key, XML)
    other = Store(world.store.url)
    with other.writing() as s:
        release = s.get_one(Release, first.release_id)
        calibration = Calibration(scorer_id=release.scorer_id, version=1, parameters={"humor": {"temperature": 2.0}})
        s.add(calibration)
        s.flush()
        revision = s.get_one(CodebookRevision, release.revision_id)
        scorer = s.get_one(Scorer, release.scorer_id)
        new = releases.release(s, world.project_id, scorer, revision, calibration=calibration, order_policy=POLICY)
        releases.point(s, world.project_id, new, by="test", reason="calibrated")
    other.close()
    second = catalogue.state(world.key, XML)
    assert (second.release, second.temperatures) == (new.name, {"humor": 2.0})
    assert second.scorer_id == first.scorer_id
    with world.store.writing() as s:  # and back again
        releases.point(s, world.project_id, s.get_one(Release, first.release_id), by="test", reason="rollback")
    assert catalogue.state(world.key, XML) == first


def test_a_codebook_registered_elsewhere_is_seen(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    catalogue.state(world.key)
    with world.store.writing() as s:
        revisions.register(s, world.project_id, WIDER, to_xml(WIDER))
    assert catalogue.state(world.key).codebook == WIDER


def test_another_engine_gets_a_release_of_its_own(world: World) -> None:
    first = Catalogue(world.store, IDENTITY).state(world.key)
    for other in (replace(IDENTITY, engine="other"), replace(IDENTITY, digest="d2"), replace(IDENTITY, prompt="p2")):
        state = Catalogue(world.store, other).state(world.key)
        assert state.scorer_id != first.scorer_id
        assert state.release.startswith(f"{other.engine}-")
    assert Catalogue(world.store, IDENTITY).state(world.key) == first
    assert Catalogue(world.store, replace(IDENTITY, base="a new name for people")).state(world.key) == first


def tuned(world: World, digest: str, path: str | None) -> Release:
    """A release of an adapter, current from now on."""
    state = Catalogue(world.store, IDENTITY).state(world.key)
    with world.store.writing() as s:
        if path is not None:
            s.add(Adapter(project_id=world.project_id, digest=digest, path=path, manifest={}))
        scorer = releases.scorer(
            s,
            engine=IDENTITY.engine,
            base=IDENTITY.base,
            base_digest=IDENTITY.digest,
            adapter_digest=digest,
            prompt_hash=IDENTITY.prompt,
            scoring_hash=state.codebook.scoring_hash,
            dtype=IDENTITY.dtype,
            method=IDENTITY.method,
        )
        revision = s.get_one(CodebookRevision, state.revision_id)
        release = releases.release(s, world.project_id, scorer, revision, order_policy=POLICY)
        releases.point(s, world.project_id, release, by="test", reason="tuned")
        return release


def test_an_adapter_stays_as_long_as_the_model_is_shown_the_same(world: World) -> None:
    release = tuned(world, "a1", "adapters/humor")
    catalogue = Catalogue(world.store, IDENTITY)
    state = catalogue.state(world.key, XML)
    assert (state.release_id, state.adapter) == (release.id, world.store.folder("adapters/humor"))
    required = replace(BOOK, questions=(replace(HUMOR, required=True), *BOOK.questions[1:]))
    state = catalogue.state(world.key, to_xml(required))
    assert (state.scorer_id, state.adapter) == (release.scorer_id, world.store.folder("adapters/humor"))
    assert state.release != release.name
    state = catalogue.state(world.key, to_xml(WIDER))
    assert state.adapter is None
    assert state.scorer_id != release.scorer_id


def test_an_adapter_that_is_not_in_the_store_is_said(world: World) -> None:
    tuned(world, "a1" * 20, None)
    with pytest.raises(StoreError, match="a1a1a1"):
        Catalogue(world.store, IDENTITY).state(world.key)


def test_who_is_not_there_is_said(world: World) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    with pytest.raises(ProjectNotFoundError, match="posts"):
        catalogue.state("nobody", XML)
    with pytest.raises(ConfigError):
        catalogue.state(world.key, "<View></View>")
    with world.store.writing() as s:
        projects.create(s, "Empty One", "Empty", 1, {})
    with pytest.raises(NoCodebookError, match="Empty One"):
        catalogue.state("Empty One")
    assert catalogue.state("Empty One", XML).codebook.title == "Empty"


def test_at_hand_is_what_was_looked_up_a_moment_ago(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(world.store, IDENTITY)
    assert catalogue.at_hand(world.key, XML) is None
    monkeypatch.setattr(module, "FRESH", 1000.0)
    state = catalogue.state(world.key, XML)
    assert catalogue.at_hand(world.key, XML) is state
    assert catalogue.at_hand(world.key) is None
    monkeypatch.setattr(module, "FRESH", 0.0)
    assert catalogue.at_hand(world.key, XML) is None


def test_not_all_screens_are_kept_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(module, "FRESH", 1000.0)
    catalogue = Catalogue(world.store, IDENTITY)
    screens = [XML + "\n" * i for i in range(4)]
    for screen in screens:
        catalogue.state(world.key, screen)
    assert [catalogue.at_hand(world.key, screen) is not None for screen in screens] == [False, False, True, True]


def test_many_threads_make_one_release(world: World) -> None:
    found: list[str] = []
    catalogues = [Catalogue(world.store, IDENTITY) for _ in range(4)] * 2
    threads = [threading.Thread(target=lambda c=c: found.append(c.state(world.key, XML).release)) for c in catalogues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert rows(world.store) == (1, 1, 1, 1)
