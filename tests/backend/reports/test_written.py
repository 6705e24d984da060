from __future__ import annotations

import re
from dataclasses import replace

import pytest

from backend.findings.report import Column, Report, Section
from backend.learning.estimate import Estimate
from backend.reports.page import WIDTH
from backend.reports.written import markdown, text
from tests.backend.reports import made


def report(*tables: object) -> Report:
    return Report("R", {}, (Section("s", "S", tables=tables),))  # type: ignore[arg-type]


def test_it_fits_a_terminal_with_thirty_labels_and_long_names() -> None:
    told = text(made.thirty())
    assert max(map(len, told.splitlines())) <= WIDTH
    assert sum(line.startswith("  people ") for line in told.splitlines()) > 2  # the columns go on below


def test_numbers_stand_with_interval_and_n_under_their_units() -> None:
    lines = text(made.rich()).splitlines()
    assert "  coder                           texts  blind  median time (s)  since" in lines
    at = next(n for n, line in enumerate(lines) if line.startswith("Prevalence of each label"))
    assert re.split(r"  +", lines[at + 1].strip())[:3] == ["label", "naive (%)", "people only (%)"]
    assert re.split(r"  +", lines[at + 2].strip())[:2] == ["joy", "31.0 [30.6, 31.4]"]
    assert "In brackets: 95 % intervals." in lines


def test_what_is_missing_is_marked_and_explained_below() -> None:
    lines = text(report(made.agreement())).splitlines()
    anger = " ".join(line for line in lines if line.startswith("  anger "))
    assert "75.0 (n = 12) (a)" in anger and "0.41 (n = 12) (a)" in anger
    assert any(line.startswith("  sadness") and "– (n = 6) (b)" in line for line in lines)
    assert f"  (a) {made.WITHHELD}" in lines and f"  (b) {made.FEW}" in lines
    assert f"  Origin: {made.BLIND}" in lines


def test_the_question_is_said_once() -> None:
    table = replace(made.prevalence(), title="Shares of emotion")
    assert "Shares of emotion\n" in text(report(table))
    assert "Prevalence of each label, emotion\n" in text(report(made.prevalence()))


def test_what_a_section_lacks_is_a_sentence() -> None:
    assert "Nobody has coded a text yet." in text(made.no_data())
    assert "Nobody has coded a text yet." in markdown(made.no_data())


def test_markdown_has_the_tables_and_escapes_texts() -> None:
    told = markdown(made.rich())
    assert "#### Answers by coder\n\n| coder | texts | blind | median time (s) | since |\n| --- |" in told
    assert "| joy | 31.0 \\[30.6, 31.4] |" in told
    assert "<script" not in re.sub(r"\\<", "", told)
    assert "\\{{" not in told and "\\*stars\\*" in told and "\\[link](" in told
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in told.splitlines() if line.startswith("|")]
    assert max(widths) == 32 and min(widths) > 2


@pytest.mark.parametrize("words", ["- no item", "1. no item", "# no heading", "> no quote", "+ no item", "=== no line"])
def test_a_sentence_is_no_item_or_heading(words: str) -> None:
    told = markdown(Report("R", {}, (Section("s", "S", (words,)),))).splitlines()
    assert words not in told
    assert words in [line.replace("\\", "") for line in told]


def test_texts_are_shown_with_what_was_said_of_them() -> None:
    told = markdown(made.rich())
    assert "### Texts that people and model see differently, emotion\n\nDrawn by seed 7." in told
    assert "### 1\\. row-17\n" in told and "- coders: joy" in told and "two lines" in told


def test_an_estimate_in_a_column_of_words_is_a_number() -> None:
    table = made.table("t", (Column("what"),), ("r",), ((Estimate(40, 0.25, 0.125, 0.5),),))
    assert "0.25 [0.125, 0.5]" in text(report(table))


def test_a_text_gives_no_orders_to_the_terminal() -> None:
    told = text(Report("R", {"release": "\x1b[31mred"}, (Section("s", "\x9b2J", ("a\tb\x07",)),)))
    assert set(told) & set(map(chr, (*range(10), *range(11, 32), *range(127, 160)))) == set()
    assert "\N{REPLACEMENT CHARACTER}[31mred" in told
