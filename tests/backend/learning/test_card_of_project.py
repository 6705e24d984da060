"""The card of a project in a store: built from what its coders answered, it holds no word of a text and nothing of the
test texts.
"""

from __future__ import annotations

import json

import numpy as np

from backend.learning.card import CHALLENGER, CHAMPION, Card, build
from backend.learning.gate import Compared, decide
from backend.reports.card import text
from tests.backend.assist.world import BOOK, HUMOR
from tests.backend.learning.cards import FACTS
from tests.backend.learning.coding import Coding

GATE = [f"gatewords {n}" for n in range(12)]


def coded(coding: Coding) -> list[int]:
    """Twelve gate texts and two test texts, each coded blind by two coders; the gate texts' ids."""
    made = []
    for n, body in enumerate([*GATE, "testwords 1", "testwords 2"]):
        role = "gate" if n < len(GATE) else "test"
        made.append(coding.text(body, "audit", rank=n, role=role))
        for coder in (1, 2):
            answer = "yes" if (n + coder * (n == 0)) % 2 else "no"
            coding.answer(made[-1], coder, humor=answer, topics=("money",), stars="2", year=1990 + n)
    return made[: len(GATE)]


def dealt(coding: Coding, texts: list[int]) -> Card:
    n = len(texts)
    said = np.eye(2, dtype=np.bool_)[np.arange(n) % 2]
    truth = np.array(
        [[x in a.labels for x in HUMOR.label_ids] for a in coding.audit().accepted if a.question == "humor"]
    )
    scored = {a.text_id for a in coding.audit().accepted if a.question == "humor"}
    rows = [row for row, one in enumerate(texts) if one in scored]
    compared = Compared("humor", HUMOR.kind, HUMOR.label_ids, truth, said[rows], said[rows], np.arange(len(rows)))
    predictions = {who: {"humor": said} for who in (CHAMPION, CHALLENGER)}
    decision = decide([compared], look=1, seed=1)
    return build(FACTS, {}, coding.audit(), BOOK, predictions, texts, {}, decision)


def test_it_is_about_gate_texts_only_and_names_none(coding: Coding) -> None:
    made = dealt(coding, coded(coding))
    humor = made.questions[0]
    assert (humor.gold.n, dict(humor.gold.unresolved)) == (11, {"tie": 1})
    assert humor.measures[0].scores[CHALLENGER].value == 1.0
    assert (humor.agreement.texts, humor.agreement.coders) == (12, 2)
    for told in (json.dumps(made.plain()), text(made)):
        assert "words" not in told


def test_what_is_answered_on_test_texts_changes_nothing(coding: Coding) -> None:
    texts = coded(coding)
    before = dealt(coding, texts)
    with coding.store.reading():
        extra = coding.text("testwords 3", "audit", rank=14, role="test")
    coding.answer(extra, 1, humor="yes", topics=(), stars="4", year=1)
    coding.answer(extra, 2, humor="no", topics=("sport",), stars="1", year=2)
    assert dealt(coding, texts) == before
