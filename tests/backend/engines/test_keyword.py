from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import EngineError, Family
from labelstudio_config.codebook import Kind
from tests.backend.engines.questions import CROSS, DOWN, GLAD, MOODS, question

ENGINE = KeywordEngine()
KINDS = [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL]
WEIRD = st.one_of(st.text(max_size=60), st.sampled_from(["", "\x00", "👍🏽" * 9, "\ud800", "a" * 100_000, "\n\t "]))


def test_the_codebooks_words_decide() -> None:
    scores = ENGINE.score(question(), [(GLAD,), (CROSS,), (DOWN,)])
    assert [MOODS[k].id for k in scores.log_probabilities.argmax(axis=1)] == ["joy", "anger", "sadness"]
    assert scores.cut.tolist() == [0, 0, 0]


def test_what_is_to_be_included_speaks_for_a_label_and_what_is_not_speaks_against_none() -> None:
    ruled = (replace(MOODS[0], include="sunshine"), replace(MOODS[1], exclude="sunshine"), *MOODS[2:])
    asked = replace(question(), labels=ruled)
    (scores,) = ENGINE.score(asked, [("sunshine",)]).log_probabilities
    without = ENGINE.score(replace(question(), labels=(ruled[0], *MOODS[1:])), [("sunshine",)]).log_probabilities
    assert scores.argmax() == 0 and scores.tolist() == without[0].tolist()


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(WEIRD, max_size=4))
def test_any_text_has_a_distribution(kind: Kind, texts: list[str]) -> None:
    scores = ENGINE.score(question(kind), [(text,) for text in texts])
    p = np.exp(scores.log_probabilities)
    assert p.shape == (len(texts), 3)
    assert ((p > 0) & (p < 1)).all()
    if scores.family is not Family.BERNOULLI:
        np.testing.assert_allclose(p.sum(axis=1), 1)


def test_the_hash_decides_where_no_word_does() -> None:
    scores = ENGINE.score(question(), [(f"zz{n}",) for n in range(60)]).log_probabilities
    assert set(scores.argmax(axis=1)) == {0, 1, 2}


def test_scores_do_not_depend_on_the_process() -> None:
    code = (
        "from backend.engines.keyword import KeywordEngine\n"
        "from tests.backend.engines.questions import question\n"
        "print(KeywordEngine().score(question(), [('qwerty',), ('so happy',)]).log_probabilities.tolist())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[3],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_both_texts_of_a_pair_count() -> None:
    scores = ENGINE.score(question(fields=2), [("zz", GLAD), (CROSS, "zz")]).log_probabilities
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_a_label_may_apply_by_itself() -> None:
    found = np.exp(ENGINE.score(question(Kind.MULTIPLE), [(GLAD,), ("zz",)]).log_probabilities)
    assert found[0, 0] > 0.5
    assert (found[1] < 0.5).all()


def test_refusals_say_what_to_do() -> None:
    assert "number" in str(ENGINE.why_not(question(Kind.NUMBER)))
    assert ENGINE.why_not(question()) is None
    with pytest.raises(EngineError, match="no labels"):
        ENGINE.score(question(Kind.NUMBER), [("a",)])
    with pytest.raises(EngineError, match="Item 1 has 2 texts"):
        ENGINE.score(question(), [("a",), ("a", "b")])
    with pytest.raises(EngineError, match="takes no adapter"):
        ENGINE.score(question(), [("a",)], Path("somewhere"))
    assert ENGINE.warnings([("a",), ("b",)]) == [None, None]


def test_no_items_give_no_rows() -> None:
    assert ENGINE.score(question(), []).log_probabilities.shape == (0, 3)
