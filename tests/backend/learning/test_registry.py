"""The registry: which adapter answers, going to another and back, and what is deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.assist.catalogue import Catalogue
from backend.engines.adapter import digest
from backend.learning import registry
from backend.learning.registry import RegistryError
from db import runs
from db.models import Job, Pointer, Run, Snapshot
from tests.backend.assist.engines import FakeEngine
from tests.backend.engines.bundles import bundle
from tests.backend.learning.coding import Coding

ENGINE = FakeEngine()


@pytest.fixture
def made(coding: Coding, tmp_path: Path) -> list[int]:
    """Numbers of three adapters, each tuned against the one before; none of them answers."""
    Catalogue(coding.store, ENGINE.identity).state(coding.world.key)
    numbers, parent = [], ""
    for n in range(3):
        folder = bundle(tmp_path, "humor", name=f"run-{n}", seed=n, examples={"no": 4, "yes": n})
        with coding.store.writing() as s:
            numbers.append(registry.remember(s, coding.store, coding.project.id, folder, parent).id)
        parent = digest(folder)
    return numbers


def listed(coding: Coding) -> list[registry.Entry]:
    with coding.store.reading() as s:
        return registry.listed(s, coding.project)


def states(coding: Coding) -> dict[int, str]:
    return {one.number: one.state for one in listed(coding)}


def activate(coding: Coding, number: int) -> str:
    return registry.activate(coding.store, ENGINE, coding.project, number, by="ana", reason="A try.")


def test_what_there_is_is_listed_newest_first_and_zero_shot_last(coding: Coding, made: list[int]) -> None:
    found = listed(coding)
    assert [one.number for one in found] == [*reversed(made), 0]
    assert [one.state for one in found] == ["kept", "kept", "kept", "active"]
    assert [dict(one.texts) for one in found] == [{"humor": 6}, {"humor": 5}, {"humor": 4}, {}]
    assert found[0].base == "fake-1" and found[0].outcome is None


def test_one_is_activated_by_hand_and_it_is_logged(coding: Coding, made: list[int]) -> None:
    release = activate(coding, made[1])
    state = Catalogue(coding.store, ENGINE.identity).state(coding.world.key)
    assert state.release == release
    assert state.adapter is not None and state.adapter.name == "run-1"
    assert states(coding) == {made[2]: "kept", made[1]: "active", made[0]: "kept", 0: "kept"}
    with coding.store.reading() as s:
        last = s.scalars(select(Pointer).order_by(Pointer.id.desc())).first()
        assert last is not None and (last.by, last.reason) == ("ana", "A try.")
        assert s.scalars(select(Job.kind)).all() == ["push"]  # Label Studio gets its suggestions


def test_back_is_to_what_answered_before_and_forth_again(coding: Coding, made: list[int]) -> None:
    first, second = activate(coding, made[0]), activate(coding, made[2])
    assert registry.rollback(coding.store, ENGINE, coding.project, by="ana") == first
    assert registry.rollback(coding.store, ENGINE, coding.project, by="ana") == second


def test_back_to_zero_shot(coding: Coding, made: list[int]) -> None:
    activate(coding, made[0])
    registry.rollback(coding.store, ENGINE, coding.project, by="ana")
    assert Catalogue(coding.store, ENGINE.identity).state(coding.world.key).adapter is None
    assert states(coding)[0] == "active"


def test_where_nothing_answered_before_there_is_no_way_back(coding: Coding, made: list[int]) -> None:
    with pytest.raises(RegistryError, match="never served by another adapter"):
        registry.rollback(coding.store, ENGINE, coding.project, by="ana")


def test_an_adapter_of_another_codebook_or_base_is_refused(coding: Coding, made: list[int], tmp_path: Path) -> None:
    for name, more, why in (
        ("labels", {"labels": ("no", "maybe")}, "was trained on the labels no, maybe"),
        ("base", {"base_digest": "d2"}, "was trained on the base"),
    ):
        folder = bundle(tmp_path, "humor", name=name, **more)
        with coding.store.writing() as s:
            number = registry.remember(s, coding.store, coding.project.id, folder, "").id
        with pytest.raises(RegistryError, match=why):
            activate(coding, number)
    with coding.store.writing() as s:
        number = registry.remember(s, coding.store, coding.project.id, bundle(tmp_path, "trust", name="trust"), "").id
    with pytest.raises(RegistryError, match="The codebook has no question 'trust'"):
        activate(coding, number)
    assert states(coding)[0] == "active"


def test_a_number_that_is_not_there_is_said(coding: Coding, made: list[int]) -> None:
    with pytest.raises(RegistryError, match="has no adapter 99"):
        activate(coding, 99)


def test_one_is_retired_for_ever(coding: Coding, made: list[int], tmp_path: Path) -> None:
    assert registry.retire(coding.store, coding.project, made[0]) > 0
    assert not (tmp_path / "run-0").exists()
    assert states(coding)[made[0]] == "retired"
    with pytest.raises(RegistryError, match="are gone"):
        activate(coding, made[0])


def test_what_answers_and_its_parent_are_never_retired(coding: Coding, made: list[int], tmp_path: Path) -> None:
    activate(coding, made[2])
    for number in (made[2], made[1], 0):
        with pytest.raises(RegistryError, match="stay"):
            registry.retire(coding.store, coding.project, number)
    assert registry.keep(coding.store, coding.project.id, 0) > 0
    assert {path.name for path in tmp_path.glob("run-?")} == {"run-1", "run-2"}
    assert states(coding) == {made[2]: "active", made[1]: "kept", made[0]: "retired", 0: "kept"}


def test_the_newest_are_kept(coding: Coding, made: list[int], tmp_path: Path) -> None:
    assert registry.keep(coding.store, coding.project.id, 3) == 0
    registry.keep(coding.store, coding.project.id, 1)
    assert {path.name for path in tmp_path.glob("run-?")} == {"run-2"}


def test_that_of_a_run_in_progress_is_kept(coding: Coding, made: list[int], tmp_path: Path) -> None:
    with coding.store.writing() as s:
        run, _ = runs.begin(s, coding.project.id, None, tuner="fake", seed=0, parameters={})
        run.adapter_id = made[0]
    registry.keep(coding.store, coding.project.id, 1)
    assert {path.name for path in tmp_path.glob("run-?")} == {"run-0", "run-2"}


def test_files_that_a_person_deleted_are_said(coding: Coding, made: list[int], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "run-0")
    with pytest.raises(RegistryError, match="are gone"):
        activate(coding, made[0])


def test_what_runs_left_behind_is_tidied(coding: Coding, made: list[int], tmp_path: Path) -> None:
    key = coding.world.key
    left = tmp_path / "runs" / key / "1"
    going = tmp_path / "runs" / key / "2"
    unknown = tmp_path / "adapters" / key / "run-1"
    part = tmp_path / "adapters" / key / ".run-2.abc.part"
    for folder in (left, going, unknown, part):
        folder.mkdir(parents=True)
    known = bundle(tmp_path / "adapters" / key, "humor", name="run-9")
    with coding.store.writing() as s:
        registry.remember(s, coding.store, coding.project.id, known, "")
    registry.tidy(coding.store, tmp_path, coding.project, 2)
    assert [folder.exists() for folder in (left, going, unknown, part, known)] == [False, True, False, False, True]


def test_a_bundle_tuned_on_unknown_labels_is_refused(coding: Coding, tmp_path: Path) -> None:
    Catalogue(coding.store, ENGINE.identity).state(coding.world.key)
    stranger = bundle(tmp_path, "humor", name="stranger", snapshot="f" * 64)
    with pytest.raises(RegistryError, match="texts of the audit may be among them"):
        registry.snapshot_of(coding.store, coding.project, stranger)
    with coding.store.writing() as s:
        revision = Catalogue(coding.store, ENGINE.identity).state(coding.world.key).revision_id
        s.add(Snapshot(project_id=coding.project.id, hash="f" * 64, revision_id=revision, rule={}))
    with coding.store.reading() as s:
        mine = s.scalars(select(Snapshot.id)).one()
    assert registry.snapshot_of(coding.store, coding.project, stranger) == mine


def test_an_engine_changed_and_back_finds_the_adapter_again(coding: Coding, made: list[int]) -> None:
    release = activate(coding, made[0])
    other = FakeEngine()
    other.identity = type(ENGINE.identity)("other", "other-1", "d9", "p9", "float64", "hash")
    assert Catalogue(coding.store, other.identity).state(coding.world.key).adapter is None
    assert Catalogue(coding.store, ENGINE.identity).state(coding.world.key).release == release


def test_runs_that_broke_off_have_failed_when_another_begins(coding: Coding) -> None:
    with coding.store.writing() as s:
        first, again = runs.begin(s, coding.project.id, None, tuner="fake", seed=0, parameters={"a": 1})
        assert not again
        same, again = runs.begin(s, coding.project.id, None, tuner="fake", seed=0, parameters={"a": 1})
        assert again and same.id == first.id
        runs.begin(s, coding.project.id, None, tuner="fake", seed=0, parameters={"a": 2})
    with coding.store.reading() as s:
        assert [run.state for run in s.scalars(select(Run).order_by(Run.id))] == ["failed", "running"]
