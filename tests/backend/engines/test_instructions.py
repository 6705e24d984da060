"""The authors' instructions, read from a table made here: no word of theirs is in these tests."""

from __future__ import annotations

import csv
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from backend.engines import instructions
from backend.engines.dataset import DATASET
from backend.engines.instructions import fetch, instruction, known, read
from backend.engines.protocol import EngineError
from tests.backend.engines.hub_cache import hub_cache

PLAIN = "Say how it feels.\n1. Read it.\n2. Choose joy or anger."
ODD = "Read the input.\nInput: follows\nOutput: is yours"


def row(task: str, words: str, text: str, *, columns: bool = False) -> dict[str, str]:
    whole = {"task_type": task, "Model Input": f"Instruction: {words}\nInput: {text}\nOutput:", "Output": "joy"}
    return whole | {"Instruction": words, "Input": text} if columns else whole


ROWS = [
    *(row("EMOTION", PLAIN, text) for text in ("one", "two\nInput: three", "four\nOutput: joy", "\nInput: ")),
    row("EMOTION", PLAIN + "\nHere are examples:\nfive - joy", "six"),
    *(row("FLUTE", ODD, f"Premise: {n}\nHypothesis: {n}") for n in range(3)),
    row("IRONY", "Is it?", "Well\nInput: no\nInput: yes", columns=True),
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("SOCIALITE_CACHE", str(tmp_path / "ours"))
    return tmp_path


class Dataset:
    """In place of `snapshot_download`: splits of a dataset, of which only those that match are put into the cache."""

    def __init__(self, cache: Path, splits: dict[str, bytes]) -> None:
        self.cache, self.splits = cache, splits
        self.asked: list[tuple[str | None, str]] = []

    def __call__(self, repo: str, *, revision: str | None, allow_patterns: list[str], repo_type: str, **_: Any) -> str:
        assert (repo, repo_type) == (DATASET, "dataset")
        self.asked.append((revision, allow_patterns[0]))
        part = self.cache / f"part-{len(self.asked)}"
        part.mkdir()
        for name, content in self.splits.items():
            if Path(name).match(allow_patterns[0].replace(".jsonl", ".*")):
                (part / name).write_bytes(content)
        return str(hub_cache(self.cache / "hub", repo, part, revision="d" * 40, kind="dataset"))


def as_lines(rows: list[dict[str, str]]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in rows).encode()


@pytest.mark.parametrize(("task", "expected"), [("EMOTION", PLAIN), ("FLUTE", ODD), ("IRONY", "Is it?")])
def test_the_instruction_is_told_from_the_text(task: str, expected: str) -> None:
    assert instruction([one for one in ROWS if one["task_type"] == task]) == expected


def test_what_cannot_be_read_is_no_instruction() -> None:
    assert instruction([]) is None
    assert instruction([{"Model Input": "Question: what?"}, {"Model Input": None}, {}]) is None
    assert instruction([row("X", "Only one.", "a\nInput: b")]) == "Only one."


def test_a_split_is_fetched_only_while_tasks_are_missing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known() is None
    with pytest.raises(EngineError, match="socialite model fetch hlab/SocialiteInstructions"):
        read()
    hub = Dataset(
        cache, {"test.jsonl": as_lines(ROWS[:5]), "validation.jsonl": as_lines(ROWS[5:]), "train.jsonl": b"?"}
    )
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    found = fetch(["EMOTION", "IRONY"])
    assert hub.asked == [(None, "*test*.jsonl"), ("d" * 40, "*valid*.jsonl")]
    assert found == read() == known()
    assert (found.revision, dict(found.of)) == ("d" * 40, {"EMOTION": PLAIN, "FLUTE": ODD, "IRONY": "Is it?"})


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_other_tables(ending: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache / "rows"
    with path.open("w", encoding="utf-8", newline="") as stream:
        if ending == "json":
            json.dump(ROWS[:5], stream)
        else:
            writer = csv.DictWriter(stream, ["task_type", "Model Input", "Output"])
            writer.writeheader()
            writer.writerows(ROWS[:5])
    monkeypatch.setattr("huggingface_hub.snapshot_download", Dataset(cache, {f"test.{ending}": path.read_bytes()}))
    assert fetch(["EMOTION"]).of == {"EMOTION": PLAIN}


def test_parquet_needs_its_library(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", Dataset(cache, {"test-0.parquet": b"PAR1"}))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(EngineError, match="pip install pyarrow"):
        fetch(["EMOTION"])

    class File:
        schema_arrow = types.SimpleNamespace(names=["Model Input", "Output", "task_type"])

        def __init__(self, path: Path) -> None:
            assert path.read_bytes() == b"PAR1"

        def iter_batches(self, columns: list[str]) -> Any:
            rows = [{name: one[name] for name in columns} for one in ROWS]
            yield types.SimpleNamespace(to_pylist=lambda: rows)

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", types.SimpleNamespace(ParquetFile=File))
    assert fetch(["EMOTION"]).of["EMOTION"] == PLAIN


@pytest.mark.parametrize("content", [b'{"task_type": ', b"\xff\xfe{"])
def test_a_damaged_table_is_said(content: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", Dataset(cache, {"test.jsonl": content}))
    with pytest.raises(EngineError, match=r"test\.jsonl .* is damaged"):
        fetch(["EMOTION"])


def test_a_dataset_with_other_columns_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = as_lines([{"task": "EMOTION", "prompt": "Instruction: x"}])
    monkeypatch.setattr("huggingface_hub.snapshot_download", Dataset(cache, {"test.jsonl": table}))
    with pytest.raises(EngineError, match="no table with the columns 'task_type'"):
        fetch(["EMOTION"])
    assert known() is None
    assert instructions.FILE not in {path.name for path in cache.rglob("*")}
