from __future__ import annotations

import pytest

from backend.findings.buys import Buys, buys
from backend.findings.plan import Means, Sizes
from backend.learning.rates import rates

MEANS = Means(texts=10_000, coders=2, hours=100, labels=3)


def bought(audit: int, control: int = 300, per_text: int = 2, means: Means = MEANS) -> Buys:
    return buys(means, Sizes(audit, control, 0, per_text))


def test_every_figure_is_on_the_texts_that_it_will_be_on() -> None:
    found = bought(401)
    assert (found.alpha.n, found.alpha_rarest.n) == (401, 401)
    assert (found.macro_f1.n, found.rarest_f1.n, found.human_only.n, found.corrected.n) == (200, 200, 200, 200)
    assert found.gate.n == 201
    assert found.support == pytest.approx(200 / 3)


def test_200_double_coded_texts_of_even_labels_give_about_15_points() -> None:
    assert bought(200).alpha.width == pytest.approx(0.15, abs=0.01)


def test_the_label_alone_is_less_sure_than_all_labels() -> None:
    found = bought(200, means=Means(10_000, 2, 100, labels=3, rarest=0.1))
    assert found.alpha.width is not None
    assert found.alpha_rarest.width is not None
    assert found.alpha_rarest.width > found.alpha.width


def test_the_gate_passes_what_its_simulation_says() -> None:
    found, known = bought(800).gate, rates(400, 0.2, 1).chances
    assert (found.better, found.worse) == (known["+5"].once, known["-5"].once)
    assert bought(60).gate.missing == "too few: 30 gate texts of at least 50"


def test_too_few_texts_have_no_width_and_say_so() -> None:
    rare = bought(150, means=Means(10_000, 2, 100, rarest=0.1))
    assert rare.rarest_f1.missing == "too few: 7 of at least 10 texts"
    wanted = "of 75 test texts 7 will have the rarest label: an interval needs at least 10 such texts"
    assert rare.macro_f1.missing == wanted
    rarer = bought(100, means=Means(10_000, 2, 100, rarest=0.05))
    assert rarer.alpha.missing.startswith("100 double-coded texts: the interval is wider than .5;")
    assert bought(0).alpha.width is None
    assert bought(300, per_text=1).alpha.missing == "one coder a text: nobody to agree with"


def test_four_times_as_many_texts_halve_the_widths() -> None:
    few, many = bought(400), bought(1600)
    for name in ("alpha", "macro_f1", "rarest_f1", "human_only", "corrected"):
        ratio = getattr(few, name).width / getattr(many, name).width
        assert ratio == pytest.approx(2, rel=0.12), name


def test_the_model_makes_a_share_surer() -> None:
    found = bought(400)
    assert found.corrected.width is not None
    assert found.human_only.width is not None
    assert 0.5 * found.human_only.width < found.corrected.width < found.human_only.width


def test_equal_plans_buy_equal_things() -> None:
    assert bought(240) == bought(240)
