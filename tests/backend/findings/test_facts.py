"""What a report is computed from."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backend.findings.world import open_test, read, score
from tests.backend.learning.coding import Coding, coded, humor


def test_what_the_store_holds_is_read_once(coding: Coding) -> None:
    gate = coding.text("first", "audit", rank=0, role="gate")
    test = coding.text("second", "audit", rank=1, role="test")
    work = coding.text("third")
    for text in (gate, test):
        coded(coding, text, "yes", "yes")
    score(coding, {text: {"humor": (0.3, 0.7)} for text in (gate, work)})
    found = read(coding)
    assert humor(found.gate) == [(gate, "yes")]
    assert humor(found.test) == [(test, "yes")]
    assert len(found.answers) == 4
    assert found.texts.ids.tolist() == [gate, test, work]
    assert [found.texts.stream[n] for n in found.texts.at(np.array([work, gate]))] == [3, 1]
    there, places = found.scores["humor"].at(np.array([work, test, gate]))
    assert there.tolist() == [True, False, True]
    assert found.scores["humor"].marks[places].tolist() == [[False, True], [False, True]]
    assert found.opened is None
    assert found.clusters == {text: text for text in (gate, test, work)}


def test_a_look_opens_the_test_for_its_release_only(coding: Coding) -> None:
    open_test(coding, score(coding, {}))
    assert read(coding).opened is not None
    changed = coding.book.__class__(coding.book.key, "Other title", coding.book.questions)
    coding.revise(changed)
    assert read(coding).opened is None


def test_a_pilot_is_seen_apart(coding: Coding) -> None:
    text = coding.text("first", "audit", rank=0, role="gate")
    coded(coding, text, "yes", "yes", phase="pilot")
    assert humor(read(coding, "pilot").gate) == [(text, "yes")]
    assert humor(read(coding).gate) == []


def test_a_text_of_another_project_is_not_looked_up(coding: Coding) -> None:
    text = coding.text("first")
    with pytest.raises(KeyError):
        read(coding).texts.at(np.array([text + 1]))
