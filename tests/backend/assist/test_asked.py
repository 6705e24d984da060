from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.asked import asked, read
from backend.engines.protocol import FAMILY, Family
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Question
from labelstudio_config.regions import read_regions
from tests.backend.assist.engines import FakeEngine
from tests.backend.assist.world import BOOK, HUMOR, labels

IDS = {question.id: 10 + number for number, question in enumerate(BOOK.questions)}
QUESTIONS = asked(FakeEngine(), BOOK, IDS)


def test_numbers_are_not_asked_and_the_others_stand_alone() -> None:
    book = replace(BOOK, instruction="Read the post.")
    found = asked(FakeEngine(), book, IDS)
    assert [one.question.id for one in found] == ["humor", "topics", "stars"]
    assert [one.question_id for one in found] == [10, 11, 12]
    assert {one.question.instruction for one in found} == {"Read the post."}
    assert [one.family for one in found] == [Family.CATEGORICAL, Family.BERNOULLI, Family.ORDINAL]


def test_a_question_gets_its_own_texts() -> None:
    post, reply, title = (Field(name, name) for name in ("post", "reply", "title"))
    first = Question("first", "first", Kind.SINGLE, Control.CHOICES, (post,), labels("no", "yes"))
    pair = Question("pair", "pair", Kind.SINGLE, Control.CHOICES, (title, reply), labels("no", "yes"))
    found = asked(FakeEngine(), Codebook("book", "Book", (first, pair)), {"first": 1, "pair": 2})
    fields = ("the post", "the title", "the reply")
    assert [one.item(fields) for one in found] == [("the post",), ("the title", "the reply")]
    assert [one.item(("the post", "the title", "\n")) for one in found] == [("the post",), None]


def logs(*p: float) -> np.ndarray:
    return np.array([math.log(x) if x else -math.inf for x in p])


def test_scores_become_regions_and_margins() -> None:
    humor, topics, stars = QUESTIONS
    regions, margins = read(
        BOOK, [(humor, logs(0.3, 0.7)), (topics, logs(0.9, 0.2, 0.5)), (stars, logs(0.1, 0.2, 0.6, 0.1))], {}
    )
    found = read_regions(BOOK, regions).values
    assert found["humor"].label_ids == ("yes",)
    assert found["topics"].label_ids == ("money", "sport")
    assert found["stars"].label_ids == ("3",)
    assert [region["score"] for region in regions] == pytest.approx([0.7, 0.5, 0.6])
    assert margins == pytest.approx([0.4, 0.0, 0.4])


def test_no_label_may_be_the_suggestion_where_any_number_is_allowed() -> None:
    regions, margins = read(BOOK, [(QUESTIONS[1], logs(0.1, 0.2, 0.4))], {})
    assert regions == []
    assert margins == pytest.approx([0.2])


def test_a_temperature_changes_the_score_and_not_the_label() -> None:
    raw = [(QUESTIONS[0], logs(0.1, 0.9))]
    plain, cooled = (read(BOOK, raw, heat)[0][0] for heat in ({}, {"humor": 3.0, "stars": 9.0}))
    assert plain["value"] == cooled["value"] == {"choices": ["yes"]}
    assert cooled["score"] == pytest.approx(0.9 ** (1 / 3) / (0.9 ** (1 / 3) + 0.1 ** (1 / 3)))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_any_probabilities_can_be_read(p: list[float]) -> None:
    regions, margins = read(BOOK, [(QUESTIONS[0], logs(*p))], {})
    assert FAMILY[HUMOR.kind] is QUESTIONS[0].family
    assert regions[0]["value"] == {"choices": ["yes" if p[1] > p[0] else "no"]}
    assert 0 <= regions[0]["score"] <= 1
    assert 0 <= margins[0] <= 1
