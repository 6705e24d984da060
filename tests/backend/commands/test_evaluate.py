"""`socialite evaluate` from what is typed to the files, on published tasks and on a project's own test."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sqlalchemy import select
from typer.testing import CliRunner, Result

from backend.cli import app
from backend.commands.evaluate import EvaluateError, _numbers
from backend.engines.keyword import KeywordEngine
from backend.findings.build import build
from backend.paper.named import SystemsError
from backend.paper.own import OwnError, own
from backend.reports.comparison import FILES
from backend.reports.written import text
from db import looks, releases
from db.models import Look, Prediction, Release
from scripts.bench.tiny_llama import make
from tests.backend.findings.audited import TWENTY, audit, says, work
from tests.backend.learning.coding import Coding
from tests.backend.paper.small import split

LABELS = {"humor": ("humorous", "non-humorous"), "irony": ("ironic", "not ironic")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two published tasks with texts written for the tests."""
    folder = tmp_path_factory.mktemp("data")
    for n, (name, labels) in enumerate(LABELS.items()):
        (folder / name).mkdir()
        for part, texts in (("train", split(10 * n + 1, 40)), ("test", split(10 * n + 2, 24))):
            with (folder / name / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["text", "label"])
                pairs = zip(texts.items, texts.answers, strict=True)
                writer.writerows([item[0], labels[int(min(answer)[1:])]] for item, answer in pairs)
    return folder


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    make(folder, [item[0] for item in split(1, 40).items], seed=1, words=400, width=32)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALITE_CACHE", str(tmp_path / "cache"))


def typed(*words: object) -> Result:
    """The command as a shell gives it; an error of ours is raised."""
    return CliRunner().invoke(app, ["evaluate", *map(str, words)], catch_exceptions=False)


def test_models_side_by_side_and_a_second_time_from_what_is_kept(
    data: Path, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    order = ["--data", data, "--model", "most=majority", "--model", "tfidf", "--model", "keyword"]
    order += ["--model", f"tiny={llama}", "--shots", "0,2", "--seeds", "0,1", "--device", "cpu", "-o", out]
    first = typed(*order)
    assert first.exit_code == 0
    assert "| humor (humor) | 24 |" in first.stdout
    assert "most (reference)" in first.stdout
    assert {path.name for path in out.iterdir()} == {*FILES, "answers"}

    def never(*_: object) -> None:
        raise AssertionError("It was asked again.")

    monkeypatch.setattr("backend.engines.causal.CausalEngine.score", never)
    monkeypatch.setattr(KeywordEngine, "score", never)
    monkeypatch.setattr("backend.paper.systems.tfidf", never)
    again = typed(*order, "--json")
    told = json.loads(again.stdout)
    table = {(row["system"], row["shots"], row["task"]): row for row in told["rows"]}
    assert table["tiny", 2, "humor"]["seeds"] == "0 1"
    assert table["tiny", 0, "irony"]["saw"] == "unknown"
    assert table["tfidf", None, "irony"]["macro_f1"] > table["most", None, "irony"]["macro_f1"] + 0.15
    assert table["tfidf", None, "irony"]["reference"] == "most"
    with (out / "table.csv").open(encoding="utf-8", newline="") as file:
        kept = {(row["system"], row["shots"], row["task"]): row for row in csv.DictReader(file)}
    assert float(kept["tfidf", "", "humor"]["macro_f1"]) == table["tfidf", None, "humor"]["macro_f1"]


def test_figures_are_of_the_texts_that_were_given(data: Path, tmp_path: Path) -> None:
    told = json.loads(typed("--data", data / "irony", "--model", "keyword", "-o", tmp_path / "out", "--json").stdout)
    with (data / "irony" / "test.csv").open(encoding="utf-8", newline="") as file:
        truth = [row["label"] for row in csv.DictReader(file)]
    (figure,) = [row for row in told["rows"] if row["of"] == "task"]
    by_label = {row["label"]: row for row in told["labels"]}
    assert figure["n"] == len(truth) == 24
    assert sorted(row["support"] for row in by_label.values()) == sorted(truth.count(x) for x in LABELS["irony"])
    assert figure["macro_f1"] == pytest.approx(np.mean([row["f1"] for row in by_label.values()]))


def test_paraphrases_and_written_answers(data: Path, llama: Path, tmp_path: Path) -> None:
    order = [
        "--data",
        data / "irony",
        "--model",
        f"tiny={llama}",
        "--device",
        "cpu",
        "--limit",
        6,
        "-o",
        tmp_path / "out",
    ]
    assert "wordings of the same instruction" in typed(*order, "--paraphrases").stdout
    written = typed(*order, "--decode", "authors")
    assert "Answers that were none of the labels" in written.stdout
    assert "of 6 (" in written.stdout


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--shots", "0,x"], EvaluateError, "--shots takes whole numbers"),
        (["--reference", "nobody"], EvaluateError, "'nobody' is none of the models: majority"),
        (["--project", "posts"], EvaluateError, "either data with --data, or a project"),
        (["--level", "95"], EvaluateError, "a share such as .95"),
        (["--model", "socialite"], SystemsError, "socialite model fetch"),
    ],
)
def test_what_is_wrong_is_said_first(
    data: Path, tmp_path: Path, words: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        typed("--data", data, "--model", "majority", "-o", tmp_path / "out", *words)
    assert not (tmp_path / "out" / "table.md").exists()


def test_a_folder_of_other_files_is_left_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(EvaluateError, match="holds other files"):
        typed("--data", data, "--model", "majority", "-o", tmp_path)


def test_numbers_are_each_taken_once() -> None:
    assert _numbers("--shots", "0, 3,3,5") == (0, 3, 5)


@pytest.fixture
def coded(posts: Coding) -> Iterator[Coding]:
    """A project whose test was coded by two people, with coded texts to learn from and a release that answers."""
    tested = audit(posts, [*TWENTY, *TWENTY], "test")
    shown = work(posts, TWENTY)
    says(posts, tested, shown)
    yield posts


def opened(coding: Coding) -> list[Look]:
    with coding.store.reading() as s:
        return looks.of(s, coding.world.project_id)


ORDER = ("--project", "posts", "--model", "most=majority", "--model", "keyword")
WHO = ("--by", "Ada", "--reason", "The paper is ready.")


def test_each_model_is_an_opening_of_the_projects_test(coded: Coding, tmp_path: Path) -> None:
    out = typed(*ORDER, *WHO, "--yes", "-o", tmp_path / "out")
    assert "Models side by side on the test of posts" in out.stdout
    assert "| humor | 40 |" in out.stdout
    found = opened(coded)
    assert [look.by for look in found] == ["Ada", "Ada"]
    assert [look.reason for look in found] == [
        "The paper is ready. (evaluate: most = majority)",
        "The paper is ready. (evaluate: keyword)",
    ]
    with coded.store.reading() as s:
        report = text(build(s, "posts"))
        served = releases.current(s, coded.world.project_id)
        names = {look.id: s.get_one(Release, look.release_id).name for look in found}
        assert served is not None
        assert served.id not in {look.release_id for look in found}
    assert "2 times" in report
    assert all(name in report for name in names.values())
    assert "most = majority" in report
    typed(*ORDER, *WHO, "--yes", "-o", tmp_path / "out")
    assert len(opened(coded)) == 2  # the same again tells nothing new
    typed(*ORDER, "--model", "tfidf", *WHO, "--yes", "-o", tmp_path / "out")
    assert len(opened(coded)) == 3


def test_the_figures_are_those_of_blind_answers_to_test_texts(coded: Coding, tmp_path: Path) -> None:
    told = json.loads(typed(*ORDER, *WHO, "--yes", "--json", "-o", tmp_path / "out").stdout)
    mine = own(coded.store, "posts")
    (task,) = [one for one in mine.tasks if one.task.name == "humor"]
    assert len(task.items) == 40
    assert all(item[0].startswith("SECRET test") for item in task.items)
    assert all(item[0].startswith("shown work") for item in task.task.train.items)
    said = KeywordEngine().score(task.task.question, task.items).log_probabilities.argmax(axis=1)
    expected = f1_score(task.truth.argmax(axis=1), said, average="macro")
    figure = next(row for row in told["rows"] if (row["system"], row["task"]) == ("keyword", "humor"))
    assert figure["macro_f1"] == pytest.approx(expected, abs=1e-6)
    files = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"SECRET" not in files
    with coded.store.reading() as s:
        assert not s.scalars(
            select(Prediction)
            .join(Release, Release.scorer_id == Prediction.scorer_id)
            .where(Release.id.in_([look.release_id for look in opened(coded)]))
        ).all()


def test_the_test_stays_closed_until_a_person_says_so(
    coded: Coding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EvaluateError, match="--by and a sentence with --reason"):
        typed(*ORDER, "--yes", "-o", tmp_path / "out")
    with pytest.raises(EvaluateError, match="--yes"):
        typed(*ORDER, *WHO, "-o", tmp_path / "out")
    with pytest.raises(EvaluateError, match="leave out --split"):
        typed(*ORDER, *WHO, "--yes", "--limit", 5, "-o", tmp_path / "out")
    assert opened(coded) == []
    assert not (tmp_path / "out" / "table.md").exists()

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KeywordEngine, "score", broken)
    CliRunner().invoke(app, ["evaluate", *ORDER, *WHO, "--yes", "-o", str(tmp_path / "out")])
    assert opened(coded) == []
    assert not (tmp_path / "out" / "table.md").exists()


def test_examples_and_training_texts_are_of_the_work_only(coded: Coding, llama: Path, tmp_path: Path) -> None:
    order = ["--project", "posts", "--model", f"tiny={llama}", "--shots", "0,2", "--device", "cpu", *WHO, "--yes"]
    typed(*order, "-o", tmp_path / "out")
    assert [look.reason.partition("evaluate: ")[2] for look in opened(coded)] == [
        f"tiny = {llama})",
        f"tiny = {llama}, 2 random examples)",
    ]
    assert len({look.release_id for look in opened(coded)}) == 2


def test_a_project_without_test_labels_has_nothing_to_open(posts: Coding, tmp_path: Path) -> None:
    says(posts, audit(posts, TWENTY, "gate"))
    with pytest.raises(OwnError, match="No test text of 'posts' has an accepted value"):
        typed(*ORDER, *WHO, "--yes", "-o", tmp_path / "out")
    assert opened(posts) == []
