"""Names of variables."""

from __future__ import annotations

import pytest

from backend.corpus.tables.names import Names, slug


@pytest.mark.parametrize(
    ("words", "name"),
    [("Party (2024)", "party_2024"), ("Größe", "grosse"), ("2nd", "v_2nd"), ("日本", "v"), ("", "v"), ("__a__", "a")],
)
def test_a_name_has_small_letters_digits_and_underscores(words: str, name: str) -> None:
    assert slug(words) == name


def test_no_name_is_given_twice_or_too_long() -> None:
    names = Names(room=5)
    given = [names.fresh("a" * 40, str(n % 2)) for n in range(12)]
    assert len(set(given)) == 12
    assert max(map(len, given)) == 27
