"""A snapshot as a folder, and back."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.learning import export as module
from backend.learning.export import export, read
from backend.learning.snapshot import Frozen, SnapshotError, freeze
from db.store import Store, sqlite_url
from tests.backend.assist.world import make_world
from tests.backend.learning.coding import Coding
from tests.backend.learning.test_snapshot import body

ODD = 'A line\nof U+2028\u2028, a quote " and \ud800 half a character'


@pytest.fixture(scope="module")
def coding(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coding]:
    home = tmp_path_factory.mktemp("exporting")
    shutil.copy(empty_store, home / empty_store.name)
    store = Store(sqlite_url(home))
    coding = Coding(make_world(store))
    for number in range(60):
        text = coding.text(body(number))
        for coder in range(1 + number % 3):
            coding.answer(text, coder, humor=("yes", "no")[(number + coder) % 2], topics=("sport", "money")[:coder])
    coding.answer(coding.text(ODD), 1, humor="yes")
    yield coding
    store.close()


@pytest.fixture(scope="module")
def frozen(coding: Coding) -> Frozen:
    return freeze(coding.store, coding.project, seed=3)


@pytest.fixture(scope="module")
def written(coding: Coding, frozen: Frozen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "out"
    export(coding.store, frozen, folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be changed."""
    return shutil.copytree(written, tmp_path / "out")


def test_what_is_read_is_what_was_frozen(frozen: Frozen, folder: Path) -> None:
    found = read(folder)
    assert (found.hash, found.project, found.codebook) == (frozen.hash, "posts", frozen.codebook)
    assert list(found.questions) == list(frozen.questions) == ["humor", "topics"]
    for one, other in zip(found.questions.values(), frozen.questions.values(), strict=True):
        assert (list(one.items), list(one.answers)) == (list(other.items), list(other.answers))
        for name in ("shares", "held", "clusters"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    assert (ODD,) in found.questions["humor"].items
    assert found.questions["humor"].held.any()


def test_the_folder_says_what_it_is_and_names_nobody(folder: Path, frozen: Frozen) -> None:
    about = json.loads((folder / "snapshot.json").read_text())
    assert about["hash"] == frozen.hash and about["project"] == "posts"
    assert about["terms"] == {"rule": "majority", "seed": 3, "validation": 0.15}
    assert about["codebook"]["scoring_hash"] == frozen.codebook.scoring_hash
    humor = about["counts"]["humor"]
    assert humor["train"] + humor["validation"] == len(frozen.questions["humor"]) and humor["validation"] > 0
    assert about["empty"] == frozen.empty and {"python", "torch"} <= about["versions"].keys()
    lines = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    assert len(lines) == 41, "two coders never agree here"
    assert all(line.keys() == {"fields", "questions"} for line in lines)
    kept = {key for line in lines for one in line["questions"].values() for key in one}
    assert kept == {"labels", "shares", "split", "cluster"}


def test_texts_are_for_their_owner_alone(written: Path) -> None:
    assert [path.name for path in written.parent.iterdir()] == ["out"]
    if os.name == "posix":
        assert written.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in written.iterdir()} == {0o600}


def test_nothing_is_overwritten(coding: Coding, frozen: Frozen, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SnapshotError, match="exists already"):
        export(coding.store, frozen, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_broken_off_export_leaves_nothing(
    coding: Coding, frozen: Frozen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    real = module._write

    def full(path: Path, text: str) -> None:
        if path.name == "labels.jsonl":
            raise OSError(28, "No space left on device")
        real(path, text)

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(SnapshotError, match="No space left on device"):
        export(coding.store, frozen, tmp_path / "other")
    assert sorted(tmp_path.iterdir()) == before


def test_the_same_snapshot_is_the_same_labels_file(coding: Coding, frozen: Frozen, folder: Path) -> None:
    export(coding.store, frozen, folder.with_name("again"))
    for name in ("labels.jsonl", "codebook.yaml", "snapshot.json"):
        assert (folder / name).read_bytes() == (folder.with_name("again") / name).read_bytes()


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def first_line(**change: Any) -> Callable[[str], str]:
    """Change the first text's labels on humor."""

    def changed(text: str) -> str:
        line, _, rest = text.partition("\n")
        content = json.loads(line)
        content["questions"]["humor"] |= change
        return json.dumps(content) + "\n" + rest

    return changed


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("labels.jsonl", first_line(labels=["yes", "no"])),
        ("labels.jsonl", first_line(labels=["maybe"])),
        ("labels.jsonl", first_line(labels=None)),
        ("labels.jsonl", first_line(shares={"yes": 0.25, "no": 0.75})),
        ("labels.jsonl", first_line(shares={"yes": "much", "no": "little"})),
        ("labels.jsonl", first_line(shares={"yes": 1})),
        ("labels.jsonl", first_line(split="validation", cluster="x")),
        ("labels.jsonl", first_line(cluster=3)),
        ("labels.jsonl", replaced('"fields": ["', '"fields": ["x')),
        ("labels.jsonl", replaced('"fields": ["', '"fields": [" ", "')),
        ("labels.jsonl", replaced('"fields": [', '"fields": [3, ')),
        ("labels.jsonl", replaced('"humor"', '"moods"')),
        ("labels.jsonl", lambda text: text + text.partition("\n")[0] + "\n"),
        ("labels.jsonl", lambda text: text.partition("\n")[2]),
        ("labels.jsonl", lambda text: text[:-20]),
        ("labels.jsonl", lambda text: ""),
        ("labels.jsonl", lambda text: "[]\n" + text),
        ("codebook.yaml", replaced("title: Posts", "title: Boasts")),
        ("codebook.yaml", lambda text: text + "\n["),
        ("snapshot.json", replaced('"rule": "majority"', '"rule": "unanimous"')),
        ("snapshot.json", replaced('"seed": 3', '"seed": 4')),
        ("snapshot.json", replaced('"seed": 3', '"sead": 3')),
        ("snapshot.json", replaced('"validation": 0.15', '"validation": 0.1')),
        ("snapshot.json", lambda text: re.sub(r'"train": \d+', '"train": 1', text)),
        ("snapshot.json", lambda text: re.sub(r'"hash": "\w', '"hash": "x', text)),
        ("snapshot.json", lambda text: re.sub(r'"scoring_hash": "\w', '"scoring_hash": "x', text)),
        ("snapshot.json", lambda text: "[]"),
        ("snapshot.json", lambda text: text[:-5]),
    ],
)
def test_an_edited_file_is_refused(folder: Path, name: str, change: Callable[[str], str]) -> None:
    path = folder / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(SnapshotError, match="not what was exported"):
        read(folder)


def test_the_order_of_lines_is_no_matter(folder: Path) -> None:
    path = folder / "labels.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    read(folder)


def test_another_format_a_missing_file_and_no_text(folder: Path) -> None:
    path = folder / "snapshot.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(SnapshotError, match="format 2, but this program reads 1"):
        read(folder)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SnapshotError, match="not what was exported"):
        read(folder)
    path.unlink()
    with pytest.raises(SnapshotError, match="cannot be read"):
        read(folder)
