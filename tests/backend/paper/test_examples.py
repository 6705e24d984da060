"""What is shown to a model: balanced, seeded, and never what it is scored on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.assist.near_duplicates import clusters
from backend.engines.protocol import Item
from backend.paper.examples import LONG, ExamplesError, Nearest, Pool, pool, random, scored_clusters
from backend.paper.task import Split
from labelstudio_config.codebook import Kind
from tests.backend.paper.small import question, split, task

SENTENCE = "The committee will publish its report on the harbour wall before the winter storms arrive"


def labelled(items: list[Item], labels: int = 2) -> Split:
    return Split(tuple(items), tuple(frozenset([f"l{i % labels}"]) for i in range(len(items))))


def test_a_scored_text_and_what_nearly_is_one_are_never_shown() -> None:
    scored = [(f"{SENTENCE} this year.",), ("Nothing of the kind was said by anyone in the room.",)]
    near = [
        scored[0],
        (f"{SENTENCE.upper()} THIS YEAR!!!",),
        (f"@somebody {SENTENCE} this year https://example.org/x",),
        (f"{SENTENCE} this year, they said.",),
    ]
    other = [("A cat sat on the mat and watched the rain.",), ("Bread is sold at seven in the morning here.",)]
    made = replace(task("mood"), train=labelled([*near, *other]), test=labelled(scored))
    found = pool(made, "test")
    assert set(found.items) == set(other)
    assert found.near == 4
    for k in (1, 2, 5):
        assert {item for item, _ in random(made.question, found, k, 0)} <= set(other)
        assert all(item in other for shown in Nearest(found).of(scored, k) for item, _ in shown)


def test_of_a_pair_each_text_counts() -> None:
    scored = (f"{SENTENCE} this year.", "They had better hurry with the masonry then.")
    mixed = ("A claim about the price of bread in the town.", f"{SENTENCE} this very year.")
    other = ("A claim about the price of bread in the town.", "The reply to it was long and rather dull.")
    made = replace(task("mood"), train=labelled([mixed, other]), test=labelled([scored]))
    assert pool(made, "test").items == (other,)


def test_a_text_tied_to_a_scored_one_by_a_third_is_left_out_too() -> None:
    """A chain: the second is nearly the first, the third nearly the second."""
    words = [f"word{i:02d}" for i in range(40)]
    first, second, third = (" ".join(words[i : i + 30]) for i in (0, 3, 6))
    made = replace(task("mood"), train=labelled([(second,), (third,), ("Quite another thing.",)]))
    found = pool(replace(made, test=labelled([(first,)])), "test")
    assert found.items == (("Quite another thing.",),)


@settings(max_examples=25)
@given(
    st.integers(0, 50), st.lists(st.integers(0, 29), max_size=6), st.integers(1, 12), st.sampled_from(["", "!", " x"])
)
def test_whatever_leaks_into_train_is_not_shown(seed: int, leaked: list[int], k: int, edit: str) -> None:
    made = task("mood", seed)
    copies = labelled([(made.test.items[i][0] + edit,) for i in leaked])
    train = Split(made.train.items + copies.items, made.train.answers + copies.answers)
    made = replace(made, train=train)
    found = pool(made, "test")
    shown = [item for item, _ in random(made.question, found, k, seed)]
    shown += [item for one in Nearest(found).of(made.test.items[:5], k) for item, _ in one]
    texts = dict(enumerate([*made.test.items, *dict.fromkeys(shown)]))
    roots = clusters(texts)
    assert all(roots[n] >= len(made.test.items) for n in texts if n >= len(made.test.items))


def test_train_cannot_be_scored_with_its_own_texts() -> None:
    with pytest.raises(ExamplesError, match="Score another split"):
        pool(task("mood"), "train")


def test_nothing_left_is_said() -> None:
    made = task("mood")
    with pytest.raises(ExamplesError, match="'mood' has no training text"):
        pool(replace(made, train=made.test), "test")


@pytest.mark.parametrize(("k", "most", "least"), [(2, 1, 0), (3, 1, 1), (6, 2, 2), (7, 3, 2)])
def test_labels_take_turns(k: int, most: int, least: int) -> None:
    made = task("mood", labels=3)
    found = pool(made, "test")
    for seed in range(6):
        shown = random(made.question, found, k, seed)
        times = Counter(label for _, labels in shown for label in labels)
        counts = [times[label] for label in made.question.label_ids]
        assert len(shown) == len(set(shown)) == k
        assert (max(counts), min(counts)) == (most, least)


def test_a_seed_is_a_draw_and_the_next_seed_another() -> None:
    made = task("mood")
    found = pool(made, "test")
    assert random(made.question, found, 4, 1) == random(made.question, found, 4, 1)
    assert len({tuple(random(made.question, found, 4, seed)) for seed in range(5)}) == 5
    assert set(random(made.question, found, 3, 2)) <= set(random(made.question, found, 5, 2))


def test_a_rare_label_gives_its_turn_to_the_others() -> None:
    items = [
        (f"A text about number {['one', 'two', 'three', 'four', 'five', 'six', 'seven'][i]} of them.",)
        for i in range(7)
    ]
    known = Pool(tuple(items), tuple(frozenset(["l1" if i == 0 else "l0"]) for i in range(7)), 0)
    shown = random(question("mood"), known, 5, 0)
    assert Counter(label for _, labels in shown for label in labels) == {"l0": 4, "l1": 1}
    assert len(random(question("mood"), known, 50, 0)) == 7


def test_several_labels_and_none() -> None:
    answers = (frozenset({"l0", "l1"}), frozenset({"l0"}), frozenset(), frozenset({"l1"}), frozenset())
    known = Pool(tuple((f"text {i}",) for i in range(5)), answers, 0)
    shown = random(question("mood", kind=Kind.MULTIPLE), known, 3, 0)
    assert len(set(shown)) == 3
    assert any(not labels for _, labels in shown)


def test_a_long_text_is_shown_only_where_its_label_has_no_other() -> None:
    long = "x" * (LONG + 1)
    known = Pool(((long,), ("short",), (long + "y",)), (frozenset({"l0"}), frozenset({"l0"}), frozenset({"l1"})), 0)
    shown = random(question("mood"), known, 2, 0)
    assert {item for item, _ in shown} == {("short",), (long + "y",)}


def test_the_nearest_come_last() -> None:
    items = [
        ("the garden wall is green",),
        ("stocks fell on monday",),
        ("the green garden gate",),
        ("a wall of noise",),
    ]
    known = Pool(tuple(items), tuple(frozenset({f"l{i % 2}"}) for i in range(4)), 0)
    (shown,) = Nearest(known).of([("the green garden gate is open",)], 2)
    assert [item for item, _ in shown] == [items[0], items[2]]
    assert [labels for _, labels in shown] == [frozenset({"l0"}), frozenset({"l0"})]
    assert len(next(Nearest(known).of([("unheard of",)], 9))) == 4


def test_only_so_many_training_texts_are_looked_through() -> None:
    assert len(pool(task("mood"), "test", most=10).items) == 10


def test_near_duplicates_of_the_scored_texts_are_one_cluster() -> None:
    first, second = split(5, 2).items
    found = scored_clusters(labelled([first, second, (first[0] + "!",)]))
    assert found[0] == found[2] != found[1]
