"""Cells that hold answers: by code, id or wording, several of them, none of them, and numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.corpus.labels import LabelError, reader
from backend.corpus.long_table import joined
from labelstudio_config.codebook import Label
from tests.backend.assist.world import HUMOR, STARS, TOPICS, YEAR

NAMED = replace(
    HUMOR, labels=(Label("l1", "NO", "not at all"), Label("l2", "yes", "Very much"), Label("no", "x", "l1"))
)


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("NO", "l1"), ("yes", "l2"), (" YES ", "l2"), ("l1", "l1"), ("very MUCH", "l2"), ("not at all", "l1"),
        ("no", "no"), ("No", "l1"), ("x", "no"),
    ],
)  # fmt: skip
def test_a_label_may_be_called_by_code_id_or_wording(cell: str, label: str) -> None:
    assert reader(NAMED)(cell) == {(label, None)}


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("money|sport", {("money", None), ("sport", None)}),
        (" Sport | MONEY |", {("money", None), ("sport", None)}),
        ("(none)", {(None, None)}),
        ("", set()),
    ],
)
def test_several_labels_and_none_of_them(cell: str, found: set[tuple[str | None, None]]) -> None:
    assert reader(TOPICS)(cell) == found


@given(st.lists(st.sampled_from(["a|b", "\\", "(none)", "=x", "ä"]), unique=True))
def test_what_an_export_writes_is_read_back(codes: list[str]) -> None:
    labels = tuple(Label(f"l{n}", code, f"w{n}") for n, code in enumerate(["a|b", "\\", "(none)", "=x", "ä"]))
    ids = {label.code: label.id for label in labels}
    found = reader(replace(TOPICS, labels=labels))(joined(codes))
    assert found == ({(ids[code], None) for code in codes} or {(None, None)})


def test_numbers_and_whole_numbers_as_statistics_programs_write_them() -> None:
    assert reader(YEAR)("1990.5") == {(None, 1990.5)}
    assert reader(YEAR)("") == set()
    assert reader(STARS)("3.0") == reader(STARS)("3") == {("3", None)}


@pytest.mark.parametrize(
    ("question", "cell", "sentence"),
    [
        (HUMOR, "perhaps", r"has the label 'perhaps', which 'humor' does not have; its labels are: no, yes"),
        (HUMOR, "(none)", "does not have"),
        (TOPICS, "money|love", r"has the label 'love'.*several separated by '\|', or \(none\)"),
        (STARS, "3.5", "has the label '3.5'"),
        (YEAR, "soon", "has 'soon' where 'year' wants a number"),
        (YEAR, "inf", "wants a number"),
        (
            replace(YEAR, minimum=1900, maximum=2000),
            "1899",
            "has 1899 where 'year' wants .* from 1900 up to 2000",
        ),
        (replace(YEAR, maximum=2000), "2001", "wants a number up to 2000"),
    ],
)
def test_what_is_no_answer_is_said_with_what_would_be_one(question: object, cell: str, sentence: str) -> None:
    with pytest.raises(LabelError, match=sentence):
        reader(question)(cell)  # type: ignore[arg-type]
