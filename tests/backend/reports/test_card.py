from __future__ import annotations

import re
from dataclasses import replace

import pytest

from backend.reports.card import text
from backend.reports.page import WIDTH
from tests.backend.learning.cards import card


def part(name: str) -> list[str]:
    """The lines of a question's part of the card."""
    found = re.search(rf"^{name} \(.*?(?=\n\n\w|\Z)", text(card()), re.M | re.S)
    assert found
    return found[0].splitlines()


def cells(line: str) -> list[str]:
    return re.split(r"  +", line.strip())


def test_it_fits_a_terminal() -> None:
    lines = text(card(base="a/very-long-name-of-a-model" * 3, tuner="lora")).splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_the_head_says_what_was_decided_about_what() -> None:
    lines = text(card()).splitlines()
    assert lines[0].startswith("Run 7 of posts: ")
    head = dict(cells(line)[:2] for line in lines[2:14] if len(cells(line)) > 1)
    assert head["date"] == "2026-03-02 14:05 UTC"
    assert head["tuner"] == "head on all-MiniLM-L6-v2, seed 3"
    assert (head["snapshot"], head["codebook"]) == ("5a5a5a5a5a5a", "revision 2 (c0c0c0c0c0c0)")
    assert re.fullmatch(
        r"\+[\d.]+ \[[+-]?[\d.]+, \+[\d.]+\] points, 90 % interval, n = 40, look 2 .*", head["difference"]
    )


def test_every_figure_of_a_question_stands_beside_its_n_and_interval() -> None:
    rows = {cells(line)[0]: cells(line)[1:] for line in part("humor")}
    interval = r"\d+\.\d \[\d+\.\d, \d+\.\d\]"
    for who in ("zero-shot", "TF-IDF + logistic regression", "champion", "a coder, by the others"):
        figure, n = rows[who]
        assert re.fullmatch(interval, figure) and n == "40", who
    assert rows["challenger"] == ["100.0", "40"]
    told = " ".join(part("humor"))
    assert "challenger: 40 texts" in told and "no, yes: 40 texts" in told
    assert rows["labels used"] == ["40 texts: 34 to learn from, 6 to choose by; coders: 3"]
    assert rows["by label"] == ["no 28, yes 12"]
    assert rows["yes"][0] == "10" and re.fullmatch(interval, rows["yes"][1])


def test_agreement_is_told_with_its_level() -> None:
    rows = {cells(line)[0]: cells(line)[1:] for line in part("stars")}
    assert rows["percent"][0].startswith("90.0 [")
    assert rows["Krippendorff's alpha"][0].endswith(", ordinal")


def test_what_is_missing_is_a_dash_with_the_reason_below() -> None:
    lines = part("topics")
    assert "  TF-IDF + logistic regression: All 9 texts have the same answer." in lines
    (row,) = (cells(line) for line in lines if line.startswith("  TF-IDF + logistic regression  "))
    assert row == ["TF-IDF + logistic regression", "–", "40"]


def test_a_label_that_few_texts_have_is_too_few() -> None:
    made = card()
    rare = tuple(replace(one, support=6) if one.label == "yes" else one for one in made.questions[0].labels)
    told = text(replace(made, questions=(replace(made.questions[0], labels=rare),)))
    assert ["yes", "6", "too few", "too few"] in [cells(line) for line in told.splitlines()]


def test_a_number_has_agreement_and_no_scores() -> None:
    told = "\n".join(part("year"))
    assert "interval" in told and "nothing was learned" in told and "challenger" not in told


@pytest.mark.parametrize("outcome", ["promote", "keep", "undecided"])
def test_every_outcome_has_its_words(outcome: str) -> None:
    made = card()
    told = text(replace(made, decision=replace(made.decision, outcome=outcome))).splitlines()[0]
    assert told.partition(": ")[2] in {"promoted", "champion kept", "undecided"}
