"""The authors' dataset, as tables made here: no word of theirs is in these tests."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from backend.engines.dataset import DATASET
from backend.engines.protocol import EngineError
from backend.paper import socialite_data
from backend.paper.offer import Caps, SourceError
from backend.paper.sources import licences, tasks
from tests.backend.paper.hub_files import cached
from tests.backend.paper.written import sentence

Row = dict[str, str]


def row(task: str, text: str, output: str, **more: str) -> Row:
    whole = f"Instruction: Say it.\nInput: {text}\nOutput:"
    return {"Model Input": whole, "task_type": task, "Instruction": "Say it.", "Input": text, "Output": output} | more


def emotions(start: int, n: int) -> list[Row]:
    return [row("EMOTION", sentence(start + k), ("Joy", "anger", "sadness", "optimism")[k % 4]) for k in range(n)]


def as_lines(rows: list[Row]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in rows).encode()


def as_csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: list[Row]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


@pytest.mark.parametrize(("ending", "written"), [("jsonl", as_lines), ("csv", as_csv), ("parquet", as_parquet)])
def test_every_sort_of_table(ending: str, written: object, hub: Path) -> None:
    assert callable(written)
    splits = {"train": emotions(0, 40), "validation": emotions(100, 8), "test": emotions(200, 12)}
    cached(hub, DATASET, {f"data/{name}-00000.{ending}": written(rows) for name, rows in splits.items()})
    (task,) = tasks(["authors"], "EMOTION")
    assert (len(task.train), len(task.validation), len(task.test)) == (40, 8, 12)
    assert task.train.items[0] == (sentence(0),)
    assert [sorted(answer) for answer in task.test.answers[:4]] == [["joy"], ["anger"], ["sadness"], ["optimism"]]
    assert (task.name, task.tuning, task.remarks) == ("emotion", "seen", ())
    assert task.source == f"authors ({DATASET}@{'d' * 12})"
    assert licences([task])[0].endswith(f"https://huggingface.co/datasets/{DATASET}")


def test_pairs_are_taken_apart_in_every_form(hub: Path) -> None:
    texts = [(sentence(n), sentence(n + 100)) for n in range(4)]
    rows = [
        row("FLUTE", f"Premise: {texts[0][0]}\nHypothesis: {texts[0][1]}", "Simile"),
        row("FLUTE", "", "Idiom", Premise=texts[1][0], Hypothesis=texts[1][1]),
        row("FLUTE", "", "Metaphor")
        | {"Model Input": f"Instruction: Say it.\nInput: Premise: {texts[2][0]}\nHypothesis: {texts[2][1]}\nOutput:"},
        row("FLUTE", "Premise: a\nHypothesis: b\nHypothesis: c", "Sarcasm"),
        row("SAMESIDESTANCE", f"{texts[3][0]} [SEP] {texts[3][1]}", "not same side"),
        row("SAMESIDESTANCE", "one [SEP] two [SEP] three", "same side"),
    ]
    cached(hub, DATASET, {"test.jsonl": as_lines(rows), "train.jsonl": b"", "valid.jsonl": b""})
    flute, stance = tasks(["authors"], "flute,same-side-stance")
    assert flute.test.items == tuple(texts[:3])
    assert flute.remarks == ("1 of 4 rows cannot be split into two texts and were left out.",)
    assert stance.test.items == (texts[3],)


def test_a_text_that_speaks_of_inputs_and_outputs_stays_whole(hub: Path) -> None:
    text = "My code says\nInput: 3\nOutput: 4\nand I am glad"
    cached(
        hub, DATASET, {"test.jsonl": as_lines([row("EMOTION", text, "joy")]), "train.jsonl": b"", "valid.jsonl": b""}
    )
    (task,) = tasks(["authors"], "emotion")
    assert task.test.items == ((text,),)


def test_labels_that_are_none_are_counted(hub: Path) -> None:
    rows = [*emotions(0, 10), row("EMOTION", sentence(50), "boredom"), row("EMOTION", sentence(51), "")]
    cached(hub, DATASET, {"test.jsonl": as_lines(rows), "train.jsonl": b"", "valid.jsonl": b""})
    (task,) = tasks(["authors"], "emotion")
    assert len(task.test) == 10
    assert "'boredom' (1)" in task.remarks[0]
    assert task.remarks[1] == "1 of 12 rows have no label and were left out."


def test_no_more_is_kept_than_is_wanted(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is never held whole: while a row streams by, at most the caps are kept of its task."""
    kept: list[int] = []
    add = socialite_data.Gathering.add

    def watched(self: socialite_data.Gathering, *row: object, **more: object) -> None:
        add(self, *row, **more)  # type: ignore[arg-type]
        kept.append(sum(len(rows) for rows in self._kept.values()))

    monkeypatch.setattr(socialite_data.Gathering, "add", watched)
    parts = {"train.csv": as_csv(emotions(0, 400)), "valid.csv": as_csv(emotions(600, 40))}
    cached(hub, DATASET, parts | {"test.csv": as_csv(emotions(800, 100))})
    (task,) = tasks(["authors"], "emotion", caps=Caps(train=80, validation=10, test=30))
    assert (len(task.train), len(task.validation), len(task.test)) == (80, 10, 30)
    assert len(kept) == 540
    assert max(kept) == 120
    assert min(Counter(sorted(x)[0] for x in task.train.answers).values()) > 8  # of all four, hence of all the table


def test_what_the_dataset_lacks_is_said(hub: Path) -> None:
    cached(hub, DATASET, {"test.jsonl": as_lines(emotions(0, 9)), "train.jsonl": b"", "valid.jsonl": b""})
    said: list[str] = []
    assert [task.name for task in tasks(["authors"], "emotion,irony", say=said.append)] == ["emotion"]
    assert said == [f"Left out: '{DATASET}' has no rows of 'irony' (IRONY)."]
    with pytest.raises(SourceError, match="holds no rows of IRONY with the columns 'task_type'"):
        tasks(["authors"], "irony")


def test_a_task_of_which_nothing_can_be_used_is_said_beside_the_others(hub: Path) -> None:
    rows = [*emotions(0, 9), row("AGREEDISAGREE", "two posts without any mark", "agree")]
    cached(hub, DATASET, {"test.jsonl": as_lines(rows), "train.jsonl": b"", "valid.jsonl": b""})
    said: list[str] = []
    assert [task.name for task in tasks(["authors"], "emotion,agree-disagree", say=said.append)] == ["emotion"]
    assert "No row of 'agree-disagree'" in said[0] and "1 cannot be split into two texts" in said[0]
    with pytest.raises(SourceError, match="No row of 'agree-disagree'"):
        tasks(["authors"], "agree-disagree")


def test_a_dataset_that_is_not_here(hub: Path) -> None:
    assert not any(hub.iterdir())
    with pytest.raises(EngineError, match=r"HF_HUB_OFFLINE forbids a download.*HF_HOME"):
        tasks(["authors"], "emotion")
