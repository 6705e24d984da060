from __future__ import annotations

import re
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from db.content import content_hash, normalised

FIELDS = st.lists(st.text(), min_size=1, max_size=3)


def test_composed_and_decomposed_letters_are_one_text() -> None:
    composed, decomposed = "Café Ångström", normalize("NFD", "Café Ångström")
    assert composed != decomposed
    assert normalised([decomposed]) == (composed,)
    assert content_hash([composed]) == content_hash([decomposed])


def test_case_spaces_and_compatible_characters_still_differ() -> None:
    assert len({content_hash([text]) for text in ("fool", "Fool", "fool ", "ﬁ", "fi", "")}) == 6


def test_fields_are_not_run_together() -> None:
    assert len({content_hash(fields) for fields in (["ab"], ["a", "b"], ["b", "a"], ["", "ab"], ['a","b'])}) == 5


def test_half_a_surrogate_pair_has_a_hash() -> None:
    assert content_hash(["\ud83d"]) != content_hash(["?"])


@given(FIELDS, FIELDS)
def test_equal_hashes_are_equal_normalised_fields(a: list[str], b: list[str]) -> None:
    assert (content_hash(a) == content_hash(b)) == (normalised(a) == normalised(b))
    assert content_hash(a) == content_hash(normalised(a))
    assert re.fullmatch("[0-9a-f]{64}", content_hash(a))
