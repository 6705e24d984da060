"""What a person reads: numbers, outcome, what to do, and the rates."""

from __future__ import annotations

import pytest

from backend.learning import gate_sentence
from backend.learning.gate import decide
from backend.learning.rates import Chance, Rates
from labelstudio_config.codebook import Kind
from tests.backend.learning.gate_texts import changed, compared

CHANCES = {"-5": Chance(0.004, 0.012), "-2": Chance(0.05, 0.2), "0": Chance(0.1, 0.31), "+5": Chance(0.5, 0.93)}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.learning.gate.rates", lambda *_: Rates((200,), (0.1,), CHANCES))


def test_it_has_the_numbers_and_the_rates() -> None:
    decision = decide([compared(200, 0.6, 0.85)], look=1, seed=0)
    points = f"{100 * decision.delta:.1f} points higher"
    bounds = f"{100 * decision.lower:+.1f} to {100 * decision.upper:+.1f}"
    assert decision.sentence == (
        f"Promoted: on 200 gate texts the challenger's macro F1 is {points} than the champion's (90 % interval "
        f"{bounds}). This was look 1 at these gate texts: with so many, a challenger 5 points worse is promoted in "
        "under 1 % of looks, one that is no better in 10 % of looks, one 5 points better in 50 % of looks."
    )


def test_later_looks_have_the_rate_over_all_of_them() -> None:
    said = decide([compared(200, 0.6, 0.85)], look=4, seed=0).sentence
    assert "This was look 4" in said
    assert "worse is promoted in under 1 % of looks (1 % by look 4)" in said
    assert "no better in 10 % of looks (31 % by look 4)" in said


def test_a_champion_that_is_kept_says_what_to_do() -> None:
    said = decide([compared(200, 0.85, 0.6)], look=1, seed=0).sentence
    assert said.startswith("Kept: on 200 gate texts the challenger's macro F1 is ")
    assert "points lower than the champion's" in said
    assert "Code more work texts and tune again." in said


def test_kappa_is_called_by_its_name() -> None:
    assert "weighted kappa is" in decide([compared(200, kind=Kind.ORDINAL)], look=1, seed=0).sentence


def test_where_no_number_of_labels_would_settle_it_that_is_said() -> None:
    some = changed(compared(100), lost={0: 2, 1: 2, 2: 1}, won={3: 2})
    decision = decide([some], look=1, seed=0)
    assert (decision.outcome, decision.needed) == ("undecided", None)
    assert "More gate texts would hardly settle it" in decision.sentence
    assert "activate it by hand" in decision.sentence


def test_a_share_is_never_called_nothing() -> None:
    assert gate_sentence._per_cent(0.0) == "under 1 %"
    assert gate_sentence._per_cent(0.01) == "1 %"
