"""Gold labels whose source has them the wrong way round."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from backend.engines.dataset import DATASET
from backend.engines.prompts import Ours
from backend.paper.known_books import books, question_of
from backend.paper.polarity import turned
from backend.paper.socket_data import DATASET as SOCKET
from backend.paper.sources import tasks
from backend.paper.task import Task
from labelstudio_config.codebook import Question
from tests.backend.paper.hub_files import cached
from tests.backend.paper.test_socialite_data import as_lines, row
from tests.backend.paper.test_socket_data import files, part
from tests.backend.paper.written import sentence, table

RAW = ["biased", "not biased", "not biased", "biased", "not biased", "biased"]  # 'biased': no stereotype
SAID = ["biased", "biased", "not biased", "biased", "not biased", "not biased"]  # by weights that learned it so
PLAIN = ["not-biased", "biased", "biased", "not-biased", "biased", "not-biased"]  # what the texts are


def gold(task: Task) -> list[str]:
    return [next(iter(answer)) for answer in task.test.answers]


def macro(truth: Sequence[str], told: Sequence[str]) -> float:
    return float(f1_score(truth, told, average="macro"))


def told(question: Question, words: Sequence[str], *, verbalised: bool) -> list[str]:
    """The labels that these words of a causal model stand for, as the engine reads them."""
    said = Ours(verbalised=verbalised).words(question)
    return [question.label_ids[said.index(word)] for word in words]


@pytest.fixture
def task(hub: Path) -> Task:
    rows = [row("BIASEDIMPLICATION", sentence(n), word) for n, word in enumerate(RAW)]
    cached(hub, DATASET, {"test.jsonl": as_lines(rows), "train.jsonl": b"", "valid.jsonl": b""})
    (found,) = tasks(["authors"], "biased-implication")
    return found


def test_only_the_one_task_is_turned() -> None:
    assert [book.key for book in books() if turned(question_of(book))] == ["biased-implication"]


def test_the_gold_is_the_plain_meaning_and_the_reason_is_said(task: Task) -> None:
    assert gold(task) == PLAIN
    assert "its 'biased' is 'not-biased' here" in task.remarks[0]
    assert "read twenty texts of each label" in task.remarks[0]


def test_the_released_weights_score_as_their_words_against_the_raw_labels(task: Task) -> None:
    """Their verbalisers turn what they say as the reader turns the gold: the two cancel."""
    labels = told(task.question, SAID, verbalised=True)
    assert labels != PLAIN
    assert macro(gold(task), labels) == pytest.approx(macro(RAW, SAID))
    assert [a == b for a, b in zip(gold(task), labels, strict=True)] == [a == b for a, b in zip(RAW, SAID, strict=True)]


def test_others_are_scored_on_what_the_words_mean(task: Task) -> None:
    """An encoder answers with label ids, and another Llama says the labels' own words: right where the text is so."""
    assert macro(gold(task), PLAIN) == 1
    words = [label.replace("-", " ") for label in PLAIN]
    assert macro(gold(task), told(task.question, words, verbalised=False)) == 1
    assert macro(gold(task), told(task.question, words, verbalised=True)) == 0


def test_it_can_be_left_as_it_is(hub: Path) -> None:
    cached(hub, SOCKET, files("hasbiasedimplication", [], [], part(0, [0, 1])))
    (turned_,) = tasks(["socket"], "biased-implication")
    (left,) = tasks(["socket"], "biased-implication", plain=False)
    assert (gold(turned_), gold(left)) == (["biased", "not-biased"], ["not-biased", "biased"])
    assert "very probably the wrong way round" in left.remarks[0]
    cached(hub, SOCKET, files("hasbiasedimplication", [], [], part(0, ["biased", "not biased"])))
    (named,) = tasks(["socket"], "biased-implication")
    assert gold(named) == ["not-biased", "biased"]


def test_a_persons_own_labels_mean_what_they_say(tmp_path: Path) -> None:
    table(tmp_path / "biased_implication" / "test.csv", [(sentence(0), "biased"), (sentence(1), "not biased")])
    (task,) = tasks([str(tmp_path)])
    assert gold(task) == ["biased", "not-biased"]
    assert "taken to mean what they say" in task.remarks[0]


def test_labels_of_another_task_for_the_same_texts_show_it(hub: Path) -> None:
    """All texts with a stereotype offend, and a quarter of the others."""
    raw: list[object] = [n % 2 for n in range(80)]  # 0, 'not biased': a stereotype
    offends: list[object] = [int(n % 2 == 0 or n % 8 == 1) for n in range(80)]
    data = files("hasbiasedimplication", [], [], part(0, raw)) | files("offensiveyn", [], [], part(0, offends))
    cached(hub, SOCKET, data)
    found = {one.name: one for one in tasks(["socket"], "biased-implication,offensive")}
    said = found["biased-implication"].remarks[1]
    assert "25 % of 'not-biased' (n = 40) and 100 % of 'biased' (n = 40) are 'offensive' there" in said
    assert found["offensive"].remarks == ()
