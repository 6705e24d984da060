from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.asked import asked
from backend.assist.scoring import EMPTY, score
from backend.engines.bundle import part
from backend.engines.protocol import EngineError, Item, Scores
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Question
from tests.backend.assist.engines import FakeEngine, SilentEngine, scores
from tests.backend.assist.world import BOOK, HUMOR, labels
from tests.backend.engines.bundles import bundle

IDS = {question.id: 10 + number for number, question in enumerate(BOOK.questions)}
QUESTIONS = asked(FakeEngine(), BOOK, IDS)


@given(st.lists(st.sampled_from(["good", "fine", "poison 1", "poison 2", " "]), max_size=20))
def test_a_text_at_fault_takes_no_other_with_it(bodies: list[str]) -> None:
    outcomes = score(FakeEngine(poison=("poison",)), QUESTIONS, [(body,) for body in bodies])
    assert len(outcomes) == len(bodies)
    for body, outcome in zip(bodies, outcomes, strict=True):
        if body == " ":
            assert (outcome.scores, outcome.problem) == ({}, EMPTY)
        elif body.startswith("poison"):
            assert (outcome.scores, outcome.problem) == ({}, "The engine failed on this text (ValueError).")
        else:
            assert outcome.problem == ""
            values, cut = outcome.scores[IDS["humor"]]
            assert values == pytest.approx(scores(HUMOR, [(body,)]).log_probabilities[0])
            assert (len(outcome.scores), cut) == (3, 0)


def test_texts_without_fault_are_scored_in_one_call_a_question() -> None:
    engine = FakeEngine()
    score(engine, QUESTIONS, [("a",), ("b",)])
    assert engine.asked == [(one.question.id, [("a",), ("b",)]) for one in QUESTIONS]


def test_one_text_at_fault_among_many_is_found_by_halving() -> None:
    calls: list[int] = []

    class Counting(FakeEngine):
        def score(
            self,
            question: Question,
            items: Sequence[Item],
            adapter: Path | None = None,
            shown: Sequence[str] | None = None,
        ) -> Scores:
            calls.append(len(items))
            return super().score(question, items, adapter)

    score(Counting(poison=("poison",)), QUESTIONS[:1], [(f"text {i}" if i != 11 else "poison",) for i in range(32)])
    assert len(calls) == 11  # all, and two halves on each of five levels


def test_each_question_gets_its_part_of_the_bundle(tmp_path: Path) -> None:
    mine = QUESTIONS[0].question.id
    made = bundle(tmp_path, mine)
    engine = FakeEngine()
    score(engine, QUESTIONS, [("a",)], made)
    assert engine.adapters == {part(made, mine), None}
    assert part(made, QUESTIONS[1].question.id) is None


def test_an_engines_sentence_comes_back() -> None:
    (outcome,) = score(SilentEngine(), QUESTIONS, [("a",)])
    assert outcome.problem == str(EngineError("Everything is in the store already."))


def test_a_question_about_a_blank_text_is_passed_over() -> None:
    both = (Field("post", "post"), Field("reply", "reply"))
    pair = Question("insult", "insult", Kind.SINGLE, Control.CHOICES, both, labels("no", "yes"))
    alone = Question("humor", "humor", Kind.SINGLE, Control.CHOICES, both[:1], labels("no", "yes"))
    questions = asked(FakeEngine(), Codebook("pairs", "Pairs", (pair, alone)), {"insult": 1, "humor": 2})
    outcomes = score(FakeEngine(), questions, [("a", "b"), ("a", " "), ("", "b")])
    assert [sorted(outcome.scores) for outcome in outcomes] == [[1, 2], [2], []]
    assert [outcome.problem for outcome in outcomes] == ["", "", EMPTY]


def test_scores_are_those_of_the_text_they_stand_beside() -> None:
    bodies = [f"text {i}" for i in range(9)]
    outcomes = score(FakeEngine(poison=("text 4",)), QUESTIONS, [(body,) for body in bodies])
    for one in QUESTIONS:
        for body, outcome in zip(bodies, outcomes, strict=True):
            if body != "text 4":
                right = scores(one.question, [(body,)]).log_probabilities[0]
                assert np.array_equal(outcome.scores[one.question_id][0], right)
