"""Tasks by what a person types."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backend.paper.chosen import chosen_of
from backend.paper.known_books import books, names_of, question_of
from backend.paper.offer import Caps, Offer, SourceError
from backend.paper.sources import tasks
from tests.backend.paper.written import labelled, sentence, table

HUMOR, IRONY = ("humorous", "non-humorous"), ("ironic", "not ironic")
OFFERS = [Offer(book.key, question_of(book), names_of(book)) for book in books()]


def names(chosen: str) -> list[str]:
    return [offer.name for offer in chosen_of(OFFERS, chosen)]


def test_groups_of_tasks() -> None:
    assert len(names("all")) == 26
    assert len(names("SEEN")) == 20
    assert set(names("related")) == {
        *("hate-speech", "irony", "politeness-stanford", "optimism", "complaints", "agree-disagree"),
    }
    assert names("offens") == names("offensiveness")
    assert set(names("offensiveness")) >= {"sexist", "offensive"}


def test_names_of_tasks() -> None:
    assert names("irony, HUMOURRATING,emobank#valence") == ["humor-rating", "irony", "valence"]
    assert names("intent_to_offend") == ["intent-to-offend"]
    assert names("humor") == ["humor"]  # the task, which has its family's name
    assert set(names("family:humor")) == {"humor", "humor-rating", "flute", "irony"}
    assert set(names("humor,related")) == {"humor", *names("related")}


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(SourceError, match=r"no task 'humour' in this data.*humor-rating.*all, seen, related"):
        chosen_of(OFFERS, "irony,humour")
    with pytest.raises(SourceError, match="no task 'o'"):
        chosen_of(OFFERS, "o")


def test_an_unknown_source_lists_what_there_is() -> None:
    with pytest.raises(SourceError, match=r"'nowhere' is no source.*authors.*socket.*TABLE\.csv=CODEBOOK.*project:KEY"):
        tasks(["nowhere"])
    with pytest.raises(SourceError, match="No source"):
        tasks([])


def test_only_what_is_chosen_is_read(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", labelled(0, 20, HUMOR))
    table(tmp_path / "irony" / "train.csv", labelled(50, 20, ("what", "ever")))  # refused, if it were read
    assert [task.name for task in tasks([str(tmp_path)], "seen")] == ["humor"]


def test_a_part_of_train_is_held_out_with_each_label_and_near_duplicates_together(tmp_path: Path) -> None:
    rows = [*labelled(0, 100, HUMOR), *((f"{sentence(200 + n // 2)}{'!' * (n % 2)}", "humor") for n in range(100))]
    table(tmp_path / "humor" / "train.csv", rows)
    (task,) = tasks([str(tmp_path)])
    assert Counter(label for answer in task.validation.answers for label in answer) == {
        "humorous": 15,
        "non-humorous": 5,
    }
    held = {text.rstrip("!") for (text,) in task.validation.items}
    assert held.isdisjoint({text.rstrip("!") for (text,) in task.train.items})
    assert len(task.train) + len(task.validation) == 200
    assert "held out with seed 0" in task.remarks[-1]
    assert tasks([str(tmp_path)]) == [task]
    assert tasks([str(tmp_path)], seed=1) != [task]


def test_training_texts_that_are_nearly_test_texts_are_left_out(tmp_path: Path) -> None:
    test = labelled(0, 10, HUMOR)
    near = [(f"  {test[0][0].upper()}!! ", "humor"), (f"{test[1][0]} today", "humor"), (test[2][0], "not humor")]
    table(tmp_path / "humor" / "test.csv", test)
    table(tmp_path / "humor" / "validation.csv", [*labelled(20, 4, HUMOR), (test[3][0], "humor")])
    table(tmp_path / "humor" / "train.csv", [*labelled(40, 30, HUMOR), *near, (sentence(20), "humor")])
    (task,) = tasks([str(tmp_path)])
    assert (len(task.train), len(task.validation), len(task.test)) == (30, 4, 10)
    assert set(task.remarks) == {
        "3 train texts are the same as test texts, or nearly, and were left out.",
        "1 train texts are the same as validation texts, or nearly, and were left out.",
        "1 validation texts are the same as test texts, or nearly, and were left out.",
    }


def test_caps_are_samples_of_the_seed(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", labelled(0, 200, HUMOR))
    table(tmp_path / "humor" / "test.csv", labelled(500, 50, HUMOR))
    caps = Caps(train=60, validation=3, test=20)
    (task,) = tasks([str(tmp_path)], caps=caps)
    (again,) = tasks([str(tmp_path)], caps=caps)
    (other,) = tasks([str(tmp_path)], caps=caps, seed=1)
    assert (len(task.train), len(task.validation), len(task.test)) == (54, 3, 20)
    assert task == again
    assert task.test != other.test
    places = [int(text.split(" while ")[1].split()[0]) for (text,) in task.test.items]
    assert places == sorted(places) and places != list(range(500, 520))
    assert "60 of 200 train texts were drawn with seed 0." in task.remarks


def test_two_sources_of_one_question_are_joined(tmp_path: Path) -> None:
    table(tmp_path / "a" / "humor" / "train.csv", labelled(0, 20, HUMOR))
    table(tmp_path / "a" / "humor" / "test.csv", labelled(100, 10, HUMOR))
    table(tmp_path / "b" / "HUMOR" / "train.csv", [*labelled(30, 20, HUMOR), labelled(100, 1, HUMOR)[0]])
    table(tmp_path / "b" / "HUMOR" / "test.csv", [*labelled(200, 5, HUMOR), *labelled(100, 2, HUMOR)])
    table(tmp_path / "b" / "irony" / "test.csv", labelled(300, 5, IRONY))
    found = tasks([str(tmp_path / "a"), str(tmp_path / "b")])
    assert [task.name for task in found] == ["humor", "irony"]
    humor = found[0]
    assert (len(humor.train) + len(humor.validation), len(humor.test)) == (40, 15)
    assert str(tmp_path / "a" / "humor") in humor.source and str(tmp_path / "b" / "HUMOR") in humor.source
    assert "2 texts came from a second source too, or nearly so, and were counted once." in humor.remarks


def test_a_task_without_training_texts_is_only_measured_on(tmp_path: Path) -> None:
    table(tmp_path / "irony" / "test.csv", labelled(0, 5, IRONY))
    (task,) = tasks([str(tmp_path / "irony")])
    assert (len(task.train), len(task.validation), len(task.test), task.remarks) == (0, 0, 5, ())
