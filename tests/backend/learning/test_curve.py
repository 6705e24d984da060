from __future__ import annotations

from dataclasses import replace

from backend.learning.card import CHALLENGER
from backend.learning.cards import Kept
from backend.learning.curve import curve
from backend.learning.measured import KAPPA, MACRO
from tests.backend.learning.cards import USED, card, learned


def test_a_point_for_each_run_that_learned_of_a_question() -> None:
    found = curve("posts", [Kept(learned(1, 40), False), Kept(learned(2, 90, "promote"), True)])
    (line,) = found.lines
    assert (line.question, line.measure) == ("humor", MACRO)
    assert [(p.run, p.labels, p.outcome, p.served) for p in line.points] == [
        (1, 40, "undecided", False),
        (2, 90, "promote", True),
    ]
    assert line.points[0].scores[CHALLENGER].value == 1.0
    assert line.points[0].ceiling == card().questions[0].measures[0].ceiling


def test_the_measure_is_the_one_that_the_gate_decides_by() -> None:
    made = card()
    stars = replace(made, questions=tuple(replace(p, used=USED) for p in made.questions if p.question == "stars"))
    assert [line.measure for line in curve("posts", [Kept(stars, False)]).lines] == [KAPPA]


def test_a_question_has_its_newest_name() -> None:
    old, new = learned(1, 40), learned(2, 90)
    new = replace(new, questions=tuple(replace(p, name="funny") for p in new.questions))
    assert [line.name for line in curve("posts", [Kept(old, False), Kept(new, False)]).lines] == ["funny"]


def test_of_no_runs_there_is_no_line() -> None:
    assert curve("posts", []).lines == ()
