"""SocKET's files, made here in its layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.engines.protocol import EngineError
from backend.paper.offer import SourceError
from backend.paper.socket_data import DATASET, SocketData, absent
from backend.paper.sources import licences, tasks
from backend.paper.task import SPLITS
from tests.backend.paper.hub_files import cached
from tests.backend.paper.written import sentence

Part = list[tuple[str, object]]  # texts with labels


def files(name: str, train: Part, val: Part, test: Part) -> dict[str, bytes]:
    found = {}
    for split, rows in (("train", train), ("val", val), ("test", test)):
        found[f"SOCKET_DATA/{name}/{split}_text.txt"] = "".join(f"{text}\n" for text, _ in rows).encode()
        found[f"SOCKET_DATA/{name}/{split}_labels.txt"] = "".join(f"{label}\n" for _, label in rows).encode()
    return found


def part(start: int, labels: list[object]) -> Part:
    return [(sentence(start + n), label) for n, label in enumerate(labels)]


def test_numbers_of_classes_in_sockets_order(hub: Path) -> None:
    numbers: list[object] = [0, 1, 2, 3, 4, 5]
    cached(hub, DATASET, files("questionintimacy", part(0, numbers * 2), part(50, numbers), part(90, numbers)))
    said: list[str] = []
    (task,) = tasks(["socket"], "questionintimacy", say=said.append)
    assert [len(task.split(name)) for name in SPLITS] == [12, 6, 6]
    assert [next(iter(answer)) for answer in task.test.answers] == [
        *("very-intimate", "intimate", "somewhat-intimate"),
        *("not-very-intimate", "not-intimate", "not-intimate-at-all"),
    ]
    assert task.source == f"socket ({DATASET}@{'d' * 12}, questionintimacy)"
    assert "MIT" in licences([task])[0]
    assert DATASET in licences([task])[0]
    assert said == [absent()]


def test_tasks_that_socket_does_not_have_are_named(hub: Path) -> None:
    assert hub.is_dir()
    for task in ("FLUTE", "EMPATHYEXPLORATIONS", "HATESPEECH", "OPTIMISM", "AGREEDISAGREE"):
        assert task in absent()
    assert len(SocketData().offers()) == 21
    with pytest.raises(SourceError, match="no task 'flute' in this data"):
        tasks(["socket"], "flute")


def test_names_of_classes_and_pairs(hub: Path) -> None:
    first, second = "the first sentence is biased", "the second sentence is biased"
    rows: Part = [(f"{sentence(n)} [SEP] {sentence(n + 40)}", (first, second)[n % 2]) for n in range(4)]
    cached(hub, DATASET, files("neutralizing-bias-pairs", [], [], [*rows, ("no seam", first)]))
    (task,) = tasks(["socket"], "subjective-bias")
    assert task.test.items[1] == (sentence(1), sentence(41))
    assert task.test.answers[:2] == (frozenset({"first-sentence"}), frozenset({"second-sentence"}))
    assert task.remarks == ("1 of 5 rows cannot be split into two texts and were left out.",)


def test_ratings_are_cut_at_the_median_of_the_training_texts(hub: Path) -> None:
    train = part(0, [1.0, 2.0, 3.0, 3.0, 4.5])
    cached(hub, DATASET, files("emobank#valence", train, part(20, [3.5]), part(40, [3.0, 3.01, "nan", ""])))
    (task,) = tasks(["socket"], "valence")
    assert [next(iter(answer)) for answer in task.train.answers] == [*["low-valence"] * 4, "high-valence"]
    assert [next(iter(answer)) for answer in task.test.answers] == ["low-valence", "high-valence"]
    assert task.remarks == (
        "Its labels are ratings: above 3, the median of 5 training texts, is 'high-valence', the others are "
        "'low-valence'.",
        "2 of 10 rows have no rating and were left out.",
    )


def test_a_carriage_return_inside_of_a_text_moves_no_label(hub: Path) -> None:
    rows = [("one\rtwo", 1), *part(0, [0, 1])]
    cached(hub, DATASET, files("tweet_irony", [], [], rows))
    (task,) = tasks(["socket"], "irony")
    assert task.test.items == (("one\rtwo",), (sentence(0),), (sentence(1),))
    assert task.test.answers[0] == {"ironic"}


def test_texts_without_their_labels_are_refused(hub: Path) -> None:
    broken = files("tweet_irony", [], [], part(0, [0, 1]))
    broken["SOCKET_DATA/tweet_irony/test_labels.txt"] = b"0\n"
    cached(hub, DATASET, broken)
    with pytest.raises(SourceError, match="has 2 texts and 1 labels"):
        tasks(["socket"], "irony")


def test_a_file_that_is_gone_is_said(hub: Path) -> None:
    less = files("tweet_irony", [], [], part(0, [0, 1]))
    del less["SOCKET_DATA/tweet_irony/val_labels.txt"]
    cached(hub, DATASET, less)
    with pytest.raises(SourceError, match=r"has no SOCKET_DATA/tweet_irony/val_text\.txt"):
        tasks(["socket"], "irony")


def test_socket_is_not_here(hub: Path) -> None:
    assert not any(hub.iterdir())
    with pytest.raises(EngineError, match="HF_HUB_OFFLINE forbids a download"):
        tasks(["socket"], "irony")
