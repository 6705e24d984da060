from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelstudio_config.ids import LEGAL_ID, fresh_id, slug


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("Not offensive", "not-offensive"),
        ("größer", "grosser"),
        ("Very-intimate!", "very-intimate"),
        ("n/a", "n-a"),
        ("3", "3"),
    ],
)
def test_a_slug_is_readable(text: str, id_: str) -> None:
    assert slug(text) == id_


def test_texts_that_lose_letters_stay_apart() -> None:
    made = {slug(text) for text in ["开心", "难过", "+", "-", "😀", "😡", "a" * 60, "a" * 61, ""]}
    assert len(made) == 9


@given(st.text(), st.lists(st.text(), max_size=6))
def test_ids_are_legal_repeatable_and_fresh(text: str, others: list[str]) -> None:
    assert LEGAL_ID.fullmatch(slug(text))
    assert slug(text) == slug(text)
    taken: set[str] = set()
    for other in [text, *others, text, text]:
        made = fresh_id(other, taken)
        assert LEGAL_ID.fullmatch(made)
        assert made not in taken
        taken.add(made)
