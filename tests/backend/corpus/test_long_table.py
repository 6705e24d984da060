"""The columns of a long table, and the labels in one of its cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.corpus.long_table import AFTER, BEFORE, MARKS, NONE, joined, names, parted, text_names
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Question
from tests.backend.assist.world import labels

codes = st.lists(st.text(alphabet="|\\a( n)oe\n", min_size=1).filter(str.strip) | st.just(NONE), unique=True)


@given(codes)
def test_the_labels_of_a_cell_are_those_that_were_put_into_it(given: list[str]) -> None:
    assert list(parted(joined(given))) == given


@pytest.mark.parametrize(
    ("given", "cell"), [([], "(none)"), (["a"], "a"), (["a", "b"], "a|b"), (["a|b"], "a\\|b"), ([NONE], "\\(none)")]
)
def test_a_cell_of_labels_reads_as_expected(given: list[str], cell: str) -> None:
    assert joined(given) == cell


def test_a_cell_that_was_written_by_hand_is_read_as_far_as_it_goes() -> None:
    assert parted("") == ()
    assert parted("a|b\\") == ("a", "b\\")
    assert parted("a||b|") == ("a", "b")


def test_a_text_whose_column_is_called_as_one_of_the_table_s_own_gets_another_name() -> None:
    fields = (Field("one", "label"), Field("two", "Zweiter Text"))
    book = Codebook(
        "pair", "Pair", (Question("humor", "humor", Kind.SINGLE, Control.CHOICES, fields, labels("no", "yes")),)
    )
    assert text_names(book) == ("label_2", "zweiter_text")


def test_no_column_is_there_twice_and_the_marks_are_columns() -> None:
    every = (*BEFORE, *AFTER)
    assert len(set(every)) == len(every) and set(every) >= MARKS
    assert all(names().fresh(name) == f"{name}_2" for name in every)
