from __future__ import annotations

import pytest

from labelstudio_config.hint import read, written


@pytest.mark.parametrize(
    "parts",
    [
        ("", "", ""),
        ("A joke.", "", ""),
        ("A joke.", "puns", "irony"),
        ("", "puns", ""),
        ("", "", "irony"),
        ("Two\nlines\n", "puns\n\nand more", " irony "),
        ("It says Include: in its midst", "Exclude: at the start", ""),
    ],
)
def test_what_is_written_is_read(parts: tuple[str, str, str]) -> None:
    assert read(written(*parts)) == parts


def test_a_person_may_write_rules_in_any_order_and_number() -> None:
    assert read("A joke.\nExclude: irony\nInclude: puns\nInclude: riddles") == ("A joke.", "puns\nriddles", "irony")
