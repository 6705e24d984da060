from __future__ import annotations

import random
import string
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.assist.near_duplicates import SIMILAR, WIDTH, clusters

LONG = "The council voted last night to close the only library in town, and nobody was told beforehand."


def together(*texts: str) -> bool:
    return len(set(clusters({i: (text,) for i, text in enumerate(texts)}).values())) == 1


@pytest.mark.parametrize(
    "edited",
    [
        LONG.upper(),
        LONG.replace(",", " -").replace(".", "!!"),
        LONG.replace("library", "libary"),
        LONG.replace("last night", "yesterday"),
        "RT @somebody " + LONG[3:],
        LONG + " https://t.co/abc123",
        "  " + LONG.replace(" ", "\n"),
        LONG + " Shame.",
    ],
)
def test_small_edits_stay_together(edited: str) -> None:
    assert together(LONG, edited)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LONG, "The council voted last night to open a second school, and everybody had been told."),
        ("I feel so happy today", "I feel so tired today"),
        ("yes", "no"),
        ("\U0001f600", "\U0001f622"),
        ("https://a.example/1", "https://b.example/2"),
        ("@anna", "@bert"),
        ("", "a"),
    ],
)
def test_different_texts_do_not(one: str, other: str) -> None:
    assert not together(one, other)


def test_the_number_of_a_cluster_is_its_smallest_id() -> None:
    texts = {30: LONG, 7: "something else entirely", 12: LONG + "!", 20: LONG.lower()}
    assert clusters({i: (text,) for i, text in texts.items()}) == {30: 12, 12: 12, 20: 12, 7: 7}
    assert clusters({}) == {}
    assert clusters({3: (LONG,)}) == {3: 3}


def test_a_chain_of_near_duplicates_is_one_cluster() -> None:
    words = LONG.split()
    chain = []
    for i in range(len(words)):
        words[i] = f"w{i}w"
        chain.append(" ".join(words))
    assert not together(chain[0], chain[-1])
    assert together(*chain)


def test_every_field_of_a_pair_has_to_be_similar() -> None:
    other = "Entirely different words that have nothing at all in common with those."
    pairs = {1: (LONG, "yes"), 2: (LONG + "!", "no"), 3: (LONG.upper(), "Yes."), 4: (other, "yes"), 5: ("yes", LONG)}
    assert clusters(pairs) == {1: 1, 2: 2, 3: 1, 4: 4, 5: 5}
    assert clusters({1: (LONG, ""), 2: (LONG.upper(), "")}) == {1: 1, 2: 1}


def index(one: str, other: str) -> float:
    a, b = ({t[i : i + WIDTH] for i in range(max(1, len(t) - WIDTH + 1))} for t in (one, other))
    return len(a & b) / len(a | b)


def closure(texts: Sequence[str]) -> dict[int, int]:
    """The clusters by comparing all with all."""
    roots = list(range(len(texts)))
    for i in range(len(texts)):
        for k in range(i):
            if index(texts[i], texts[k]) >= SIMILAR and roots[i] != roots[k]:
                low, high = sorted((roots[i], roots[k]))
                roots = [low if root == high else root for root in roots]
    return dict(enumerate(roots))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_bands_find_what_comparing_all_with_all_finds(seed: int) -> None:
    """Texts made so that no pair lies close to the limit, where the bands miss one pair in a thousand."""
    random_ = random.Random(seed)
    texts: list[str] = []
    for _ in range(40):
        text = random_.choice(texts) if texts and random_.random() < 0.7 else "".join(random_.choices("abcdefgh", k=80))
        for _ in range(random_.randrange(3)):
            at = random_.randrange(len(text))
            text = text[:at] + random_.choice(string.ascii_lowercase) + text[at + 1 :]
        if all(not 0.6 < index(text, other) < 0.8 for other in texts):
            texts.append(text)
    assert clusters({i: (text,) for i, text in enumerate(texts)}) == closure(texts)


def test_a_corpus_of_one_template_is_done_and_is_one_cluster() -> None:
    random_ = random.Random(1)
    words = ["".join(random_.choices(string.ascii_lowercase, k=6)) for _ in range(500)]
    template = "The respondent from household {} said that the weather in the region had been {} during the whole year"
    texts = {i: (template.format(random_.choice(words), random_.choice(words)),) for i in range(3000)}
    assert set(clusters(texts).values()) == {0}
