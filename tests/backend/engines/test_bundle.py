"""A bundle: an adapter for each question, under a digest of all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.engines.adapter import MANIFEST, digest
from backend.engines.bundle import is_bundle, part, parts
from backend.engines.protocol import EngineError
from backend.tuners.bundle import gather
from backend.tuners.targets import TrainingError
from tests.backend.engines.bundles import adapter, bundle


def test_parts_are_copies_that_keep_their_digests(tmp_path: Path) -> None:
    made = bundle(tmp_path, "humor", "offense")
    found = parts(made)
    assert is_bundle(made) and sorted(found) == ["humor", "offense"]
    assert {one: digest(place) for one, place in found.items()} == {
        one: digest(tmp_path / f"bundle-{one}") for one in found
    }
    assert part(made, "humor") == found["humor"]
    assert part(made, "trust") is None
    assert part(None, "humor") is None


def test_an_adapter_by_itself_is_a_bundle_of_one(tmp_path: Path) -> None:
    alone = adapter(tmp_path / "one", "humor")
    assert not is_bundle(alone)
    assert part(alone, "humor") == alone


def test_the_digest_is_that_of_the_parts(tmp_path: Path) -> None:
    one, other = adapter(tmp_path / "a", "humor"), adapter(tmp_path / "b", "humor", seed=1)
    same = gather(tmp_path / "first", {"humor": one})
    assert gather(tmp_path / "second", {"humor": one}) == same
    assert gather(tmp_path / "third", {"humor": other}) != same


def test_a_bundle_is_never_overwritten(tmp_path: Path) -> None:
    made = bundle(tmp_path, "humor")
    with pytest.raises(TrainingError, match="never overwritten"):
        gather(made, {})
    assert sorted(parts(made)) == ["humor"]


def test_a_part_that_was_changed_is_refused(tmp_path: Path) -> None:
    made = bundle(tmp_path, "humor", "offense")
    place = parts(made)["humor"]
    shutil.copyfile(parts(made)["offense"] / MANIFEST, place / MANIFEST)
    with pytest.raises(EngineError, match="The adapter of the question 'humor' in bundle was changed"):
        parts(made)


def test_what_is_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"its manifest\.json cannot be read"):
        is_bundle(tmp_path)
    with pytest.raises(EngineError, match="holds no bundle"):
        parts(adapter(tmp_path / "one", "humor"))
