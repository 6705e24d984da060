from __future__ import annotations

from backend.reports.page import WIDTH, Section, Table, markdown, text

LONG = "a sentence of several words " * 8
PAGE = [
    Section("Page", (("name", "value"), ("a longer name", LONG))),
    Section("Part", (), (Table(("who", "figure"), (("a", "1.0 [0.5, 1.5]"), ("champion", "–")), (LONG,)),)),
]


def test_lines_fit_and_are_aligned() -> None:
    lines = text(PAGE).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[:3] == ["Page", "====", "  name           value"]
    assert lines[4].startswith(" " * 17 + "a sentence") or lines[4].startswith(" " * 17)
    assert "  who       figure" in lines and "  champion  –" in lines
    assert all(line == line.rstrip() for line in lines)


def test_markdown_has_the_same_facts_and_tables() -> None:
    lines = markdown(PAGE).splitlines()
    assert "## Page" in lines and "### Part" in lines and "- name: value" in lines
    at = lines.index("| who | figure |")
    assert lines[at + 1 : at + 4] == ["| --- | --- |", "| a | 1.0 \\[0.5, 1.5] |", "| champion | – |"]


def test_signs_of_markdown_stay_signs() -> None:
    (heading,) = (line for line in markdown([Section("a_b|c*d`e<f")]).splitlines() if line)
    assert heading == "## a\\_b\\|c\\*d\\`e\\<f"
