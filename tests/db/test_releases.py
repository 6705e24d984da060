from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from db import releases, revisions
from db.models import Calibration, Pointer
from db.releases import release_name
from tests.db.world import World, codebook

IDENTITY = {
    "engine": "keyword",
    "base_digest": "0",
    "adapter_digest": "",
    "prompt_hash": "0",
    "scoring_hash": "1",
    "dtype": "float64",
    "method": "count",
}
PARTS: dict[str, Any] = {**IDENTITY, "content_hash": "2", "order_policy": "margin", "calibration": {"humor": 1.5}}


@given(st.sampled_from(sorted(PARTS)))
def test_a_release_name_changes_with_each_of_its_parts(part: str) -> None:
    name = release_name(**PARTS)
    assert name == release_name(**dict(reversed(PARTS.items())))
    assert name.startswith("keyword-")
    assert len(name) == len("keyword-") + 10
    assert release_name(**PARTS | {part: {"humor": 2} if part == "calibration" else "x"}) != name


def test_a_scorer_is_its_identity(world: World) -> None:
    with world.store.writing() as s:
        first = releases.scorer(s, base="one name", **IDENTITY)
        assert releases.scorer(s, base="another name", **IDENTITY).id == first.id
        others = [releases.scorer(s, base="x", **IDENTITY | {part: "9"}).id for part in IDENTITY]
    assert len({first.id, *others}) == len(IDENTITY) + 1


def test_a_release_has_the_name_that_its_parts_give(world: World) -> None:
    with world.store.writing() as s:
        revision = revisions.current(s, world.project.id)
        assert revision is not None
        first = releases.release(s, world.project.id, world.scorer, revision, order_policy="margin")
        assert first.id == world.release.id
        identity = {part: getattr(world.scorer, part) for part in IDENTITY}
        assert first.name == release_name(**identity, content_hash=revision.content_hash, order_policy="margin")
        calibration = Calibration(scorer_id=world.scorer.id, version=1, parameters={"humor": {"temperature": 2.0}})
        s.add(calibration)
        s.flush()
        second = releases.release(
            s, world.project.id, world.scorer, revision, calibration=calibration, order_policy="margin"
        )
        assert second.id != first.id
    with world.store.reading() as s:
        assert releases.names(s, world.project.id) == [second.name, first.name]


def test_another_wording_of_the_codebook_is_another_release(world: World) -> None:
    renamed = replace(codebook(), title="Other")
    assert renamed.scoring_hash == codebook().scoring_hash
    with world.store.writing() as s:
        revision = revisions.register(s, world.project.id, renamed, "")
        release = releases.release(s, world.project.id, world.scorer, revision, order_policy="margin")
    assert release.name != world.release.name


def test_the_pointer_is_a_log_and_a_rollback_a_new_row(world: World) -> None:
    with world.store.writing() as s:
        revision = revisions.current(s, world.project.id)
        assert revision is not None
        second = releases.release(s, world.project.id, world.scorer, revision, order_policy="random")
        for release, reason in [(second, "better"), (second, "again"), (world.release, "rollback")]:
            releases.point(s, world.project.id, release, by="ada", reason=reason)
    with world.store.reading() as s:
        current = releases.current(s, world.project.id)
        assert current is not None
        assert current.id == world.release.id
        log = s.scalars(select(Pointer).order_by(Pointer.id)).all()
        assert [row.reason for row in log] == ["first", "better", "rollback"]
        assert releases.current(s, 999) is None
