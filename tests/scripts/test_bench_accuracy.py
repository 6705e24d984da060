from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from scripts import bench_accuracy
from scripts.bench.baselines import from_codebook, majority, tfidf
from scripts.bench.coding_tasks import tasks


def written(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two folders of labelled texts, one of pairs, and one folder that is no task."""
    said = [
        ("love it", "Glad"),
        ("what a great day", "Glad"),
        ("I hate this", "Cross"),
        ("this is outrageous", "Cross"),
    ]
    rows = [[f"{text} {n}", label] for n in range(8) for text, label in said]
    for part in ("train", "test"):
        written(tmp_path / "data" / "moods" / f"{part}.csv", [["text", "label"], *rows])
        pairs = [[text, label, "an answer"] for text, label in rows]
        written(tmp_path / "data" / "pairs" / f"{part}.csv", [["text", "label", "text2"], *pairs])
    (tmp_path / "data" / "notes").mkdir()
    return tmp_path / "data"


def test_folders_become_tasks(data: Path) -> None:
    moods, pairs = tasks(data)
    assert (moods.name, moods.question.label_ids) == ("moods", ("cross", "glad"))
    assert moods.train[0] == (("love it 0",), "glad")
    assert len(pairs.question.fields) == 2
    assert pairs.test[-1] == (("this is outrageous 7", "an answer"), "cross")


def test_a_task_with_a_codebook_takes_its_definitions(data: Path) -> None:
    (data / "moods").rename(data / "complaints")
    for part in ("train", "test"):
        path = data / "complaints" / f"{part}.csv"
        text = path.read_text(encoding="utf-8").replace("Glad", "Not complaint").replace("Cross", "complaint")
        path.write_text(text, encoding="utf-8")
    complaints, _ = tasks(data)
    assert complaints.question.label_ids == ("not-complaint", "complaint")
    assert all(label.definition and label.examples for label in complaints.question.labels)
    assert len(from_codebook(complaints.question)) == 10


def test_a_label_that_the_codebook_lacks_is_named(data: Path) -> None:
    (data / "moods").rename(data / "complaints")
    with pytest.raises(SystemExit, match="complaints has no label 'cross'"):
        list(tasks(data))


def test_ratings_become_labels(tmp_path: Path) -> None:
    header = ["item", "coder", "text", "offensiveness"]
    rows = [[str(n), coder, f"text {n}", str(1 + 3 * (n % 2))] for n in range(450) for coder in ("a", "b")]
    written(tmp_path / "popquorn_offensiveness" / "annotations.csv", [header, *rows])
    (task,) = tasks(tmp_path)
    assert (len(task.train), len(task.test)) == (50, 400)
    assert task.train[:2] == ((("text 0",), "not-offensive"), (("text 1",), "offensive"))


def test_baselines(data: Path) -> None:
    question = next(tasks(data)).question
    rows = [((f"good {n}",), "glad") for n in range(6)] + [((f"bad {n}",), "cross") for n in range(4)]
    assert majority(rows, 2) == ["glad", "glad"]
    assert tfidf(question, rows, [("so bad",), ("so good",)]) == ["cross", "glad"]
    assert tfidf(question, rows[:3], [("so bad",)]) == ["glad"]


def test_the_benchmark_reports_every_task_and_says_so_in_json(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(data), "--quick", "--json", "--cache", str(tmp_path / "cache")]
    assert bench_accuracy.main(arguments) == 0
    out = capsys.readouterr().out
    report = json.loads(out.splitlines()[-1])
    assert report["macro_f1"].keys() == {"moods", "pairs"}
    ours = report["macro_f1"]["moods"]["socialite"]
    assert ours.keys() == {"0", "16", "64", "256"}
    assert ours["256"] > 0.9
    assert report["macro_f1"]["moods"]["majority"]["0"] == pytest.approx(1 / 3, abs=1e-4)
    assert report["beats_tfidf"].keys() == {"16", "64", "256"}
    assert "| moods | 32 |" in out


def test_a_folder_without_tasks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_accuracy.main(["--data", str(tmp_path)]) == 2
    assert "holds no folder" in capsys.readouterr().err
