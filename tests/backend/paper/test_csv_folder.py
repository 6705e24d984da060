"""Folders of CSV as coding tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.corpus.tables.table import TableError
from backend.paper.csv_folder import CsvFolder
from backend.paper.known_books import books, named, question_of
from backend.paper.offer import SourceError
from backend.paper.sources import licences, tasks
from backend.paper.task import SPLITS, Task
from labelstudio_config.library import load, to_yaml
from tests.backend.paper.written import labelled, sentence, table

HUMOR = ("humorous", "non-humorous")


def only(folder: Path, chosen: str = "all") -> Task:
    (task,) = tasks([str(folder)], chosen)
    return task


@pytest.mark.parametrize(
    ("folder", "key", "exact"),
    [
        ("humor", "humor", True),
        ("Intent_to_Offend", "intent-to-offend", True),
        ("hahackathon#humor_rating", "humor-rating", True),
        ("emobank_arousal", "arousal", True),  # SocKET's emobank#arousal
        ("AROUSALCLS", "arousal", True),
        ("offensive_olid", "offensive-olid", False),
        ("humor_rating_of_jokes", "humor-rating-of-jokes", False),
    ],
)
def test_a_folders_name_says_the_task(folder: str, key: str, exact: bool) -> None:
    found = named(folder)
    assert found is not None
    assert (found.key, found.exact) == (key, exact)


def test_names_that_say_nothing() -> None:
    assert named("popquorn_offensiveness") is None  # 'offensive' is not one of its words
    assert named("mine") is None


def test_every_published_task_is_found_by_each_of_its_names() -> None:
    for book in books():
        for name in (book.key, book.provenance.task, book.provenance.socket):
            if name:
                found = named(name)
                assert found is not None
                assert found.question == question_of(book)


def test_other_texts_on_a_published_question_are_not_taken_for_seen(tmp_path: Path) -> None:
    table(tmp_path / "offensive_mine" / "train.csv", labelled(0, 20, ("offensive", "not offensive")))
    task = only(tmp_path)
    assert (task.name, task.question.id, task.tuning, task.family) == (
        "offensive-mine",
        "offensive-mine",
        "own",
        "offensiveness",
    )
    assert task.question.instruction == question_of(load("offensive")).instruction
    assert "that the released weights saw these is not assumed" in task.remarks[0]


def test_splits_and_texts_of_a_known_task(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", labelled(0, 40, ("Humor", "not humor")))
    table(tmp_path / "humor" / "valid.csv", labelled(100, 6, HUMOR))
    table(tmp_path / "humor" / "test.csv", [('two\nlines, "quoted" 😀', "humorous"), *labelled(200, 9, HUMOR)])
    task = only(tmp_path)
    assert [len(task.split(name)) for name in SPLITS] == [40, 6, 10]
    assert task.test.items[0] == ('two\nlines, "quoted" 😀',)
    assert task.test.answers[:2] == (frozenset({"humorous"}), frozenset({"humorous"}))
    assert task.train.answers[:2] == (frozenset({"humorous"}), frozenset({"non-humorous"}))
    assert (task.name, task.tuning, task.remarks) == ("humor", "seen", ())


def test_the_columns_of_a_pair_may_be_called_as_the_codebooks(tmp_path: Path) -> None:
    rows = [(sentence(n), sentence(n + 50), "simile") for n in range(12)]
    table(tmp_path / "flute" / "train.csv", rows, ("premise", "hypothesis", "label"))
    table(tmp_path / "flute" / "test.csv", [(sentence(90), "Idiom", sentence(91))], ("text", "label", "text2"))
    task = only(tmp_path)
    assert task.test.items == ((sentence(90), sentence(91)),)
    assert {row for split in (task.train, task.validation) for row in split.items} == {row[:2] for row in rows}


def test_labels_that_the_codebook_lacks_are_counted(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", [*labelled(0, 20, HUMOR), ("x", "bored"), ("", "humor"), ("y", " ")])
    task = only(tmp_path)
    assert len(task.train) + len(task.validation) == 20
    assert "1 of 23 rows have a label that the codebook does not have and were left out: 'bored' (1)." in task.remarks
    assert "1 of 23 rows have an empty text and were left out." in task.remarks
    assert "1 of 23 rows have no label and were left out." in task.remarks


def test_data_whose_labels_are_none_of_the_codebooks_is_refused(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", labelled(0, 20, ("great", "poor", "humor")))
    with pytest.raises(SourceError, match=r"Most labels of 'humor' \(14 of 20 rows.*'great' \(7\).*humorous"):
        only(tmp_path)


def test_an_unknown_folder_gets_a_question_made_of_its_labels(tmp_path: Path) -> None:
    table(tmp_path / "stance" / "train.csv", labelled(0, 30, ("For", "against", "for?")))
    (tmp_path / "stance" / "LICENSE").write_text("mine", encoding="utf-8")
    task = only(tmp_path)
    assert [label.code for label in task.question.labels] == ["For", "against", "for?"]
    assert len(set(task.question.label_ids)) == 3
    assert "the question is made of its labels (For, against, for?)" in task.remarks[0]
    assert licences([task]) == [f"stance: see {tmp_path / 'stance' / 'LICENSE'}"]


def test_too_many_labels_for_a_question(tmp_path: Path) -> None:
    table(tmp_path / "ids" / "train.csv", [(sentence(n), f"label {n}") for n in range(60)])
    with pytest.raises(SourceError, match=r"60 different labels.*codebook\.yaml"):
        only(tmp_path)


def test_a_codebook_in_the_folder_says_what_is_asked(tmp_path: Path) -> None:
    table(tmp_path / "mine" / "test.csv", labelled(0, 4, HUMOR))
    (tmp_path / "mine" / "codebook.yaml").write_text(to_yaml(load("humor")), encoding="utf-8")
    task = only(tmp_path, "mine")
    assert task.question == question_of(load("humor"))
    assert len(task.test) == 4


def test_numbers_of_a_known_task_are_read_in_sockets_order(tmp_path: Path) -> None:
    table(tmp_path / "stanfordpoliteness" / "train.csv", labelled(0, 20, ("0", "1")))
    task = only(tmp_path)
    assert task.train.answers[0] == {"polite"}
    assert "Its labels are numbers, which are read in SocKET's order: 0 = polite, 1 = impolite." in task.remarks


def test_a_folder_without_tables_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(SourceError, match=r"holds no labelled texts.*train\.csv"):
        CsvFolder(tmp_path).offers()


def test_a_table_without_labels_is_said(tmp_path: Path) -> None:
    table(tmp_path / "humor" / "train.csv", [("a", "b")], ("text", "class"))
    with pytest.raises(TableError, match="no column 'label'"):
        only(tmp_path)


COUNTS = {  # folder of ../shared/data -> texts of train and test
    "emotion": (3257, 1421),
    "irony": (2862, 784),
    "offensive-olid": (11916, 860),
    "intent-to-offend": (1600, 400),
    "humor": (8000, 1000),
    "flute": (7534, 1498),
    "hyperbole": (2580, 323),
    "subjective-bias": (996, 99),
    "politeness-stanford": (10386, 570),
    "intimacy": (1797, 225),
    "empathy-explorations": (2467, 617),
    "complaints": (2759, 345),
    "arousal": (8062, 1000),
}


def test_real_texts(shared: Path) -> None:
    from backend.paper.offer import How

    source = CsvFolder(shared / "data")
    gathered = source.read(source.offers(), How())
    assert {one.name: (len(one.rows["train"]), len(one.rows["test"])) for one in gathered} == COUNTS
    assert [one.remarks for one in gathered if one.name != "offensive-olid"] == [[]] * 12  # every label is mapped
    assert len(next(one for one in gathered if one.name == "flute").rows["test"][0][0]) == 2


def test_real_splits_are_apart(shared: Path) -> None:
    task = only(shared / "data" / "complaints")
    assert [len(task.split(name)) for name in SPLITS] == [2469, 275, 345]
    assert "15 train texts are the same as test texts, or nearly, and were left out." in task.remarks
