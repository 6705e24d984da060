"""Coded tables with their codebook."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backend.paper.offer import Caps, SourceError
from backend.paper.sources import licences, tasks
from labelstudio_config.errors import UnknownCodebookError
from labelstudio_config.library import load, load_many, to_yaml
from tests.backend.paper.written import labelled, sentence, table

HUMOR = ("humorous", "non-humorous")


def test_a_part_of_the_table_is_the_test(tmp_path: Path) -> None:
    rows = [*labelled(0, 100, HUMOR), *((f"{sentence(300)} {mark}", "humorous") for mark in "abcdefghij")]
    path = tmp_path / "coded.csv"
    table(path, rows, ("text", "humor"))
    (task,) = tasks([f"{path}=humor"])
    sizes = (len(task.train), len(task.validation), len(task.test))
    assert sum(sizes) == 110
    assert sizes[2] == 22 and sizes[1] in (8, 9)
    assert Counter(label for answer in task.test.answers for label in answer) == {"humorous": 12, "non-humorous": 10}
    near = [sum(text.startswith(sentence(300)) for (text,) in part.items) for part in (task.train, task.test)]
    assert 0 in near  # near-duplicates are together
    assert "22 of 110 texts, near-duplicates together, were held out as the test with seed 0." in task.remarks
    assert licences([task]) == ["humor: the table's own"]
    assert tasks([f"{path}=humor"]) == [task]
    (less,) = tasks([f"{path}=humor"], caps=Caps(train=20, test=5))
    assert (len(less.train), len(less.test)) == (20, 5)


def test_other_formats_and_a_column_called_label(tmp_path: Path) -> None:
    lines = [f'{{"text": "{text}", "label": "{label}"}}' for text, label in labelled(0, 20, HUMOR)]
    (tmp_path / "coded.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(to_yaml(load("humor")), encoding="utf-8")
    (task,) = tasks([f"{tmp_path / 'coded.jsonl'}={tmp_path / 'mine.yaml'}"])
    assert (task.name, len(task.test)) == ("humor", 4)


def test_a_task_for_each_question_that_has_a_column(tmp_path: Path) -> None:
    book = load_many("humor,irony,emotion")
    (tmp_path / "three.yaml").write_text(to_yaml(book), encoding="utf-8")
    rows = [(sentence(n), HUMOR[n % 2], ("ironic", "not ironic")[n % 2]) for n in range(20)]
    table(tmp_path / "coded.csv", rows, ("text", "humor", "irony"))
    found = tasks([f"{tmp_path / 'coded.csv'}={tmp_path / 'three.yaml'}"])
    assert [(task.name, task.question.id) for task in found] == [
        (f"{book.key}-humor", "humor"),
        (f"{book.key}-irony", "irony"),
    ]
    assert found[1].question.provenance.task == "IRONY"


def test_a_table_without_labels_is_said(tmp_path: Path) -> None:
    table(tmp_path / "coded.csv", labelled(0, 5, HUMOR), ("text", "code"))
    with pytest.raises(SourceError, match=r"no column with labels.*'humor'.*text, code.*or 'label'"):
        tasks([f"{tmp_path / 'coded.csv'}=humor"])


def test_a_codebook_that_there_is_not(tmp_path: Path) -> None:
    table(tmp_path / "coded.csv", labelled(0, 5, HUMOR))
    with pytest.raises(UnknownCodebookError, match="Did you mean 'humor'"):
        tasks([f"{tmp_path / 'coded.csv'}=humour"])
