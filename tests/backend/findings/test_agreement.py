"""How far people agree."""

from __future__ import annotations

import pytest

from backend.findings.agreement import people, reading, section
from backend.findings.assisted import ballots
from backend.findings.report import Section
from backend.learning.estimate import Estimate
from tests.backend.findings.told import column, table
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding, coded


def found(coding: Coding, phase: str = "production") -> Section:
    facts = read(coding, phase)
    with coding.store.reading() as s:
        helped = ballots(s, facts)
    votes = {key: {text: one.votes for text, one in mine.items()} for key, mine in helped.items()}
    return section(facts, people(facts), votes)


def audit(coding: Coding, *votes: tuple[str, str], role: str = "gate", first: int = 0, **given: str) -> None:
    for n, pair in enumerate(votes, first):
        coded(coding, coding.text(f"{role} {n}", "audit", rank=n, role=role), *pair, **given)


EVEN = [("no", "no")] * 5 + [("yes", "yes")] * 3 + [("no", "yes")] * 2


def test_alpha_and_percent_are_those_of_hand_over_both_halves_of_the_audit(coding: Coding) -> None:
    """Of 20 texts 4 differ; of 40 answers 16 are 'yes': alpha = 1 - 39 * (2 * 4) / (2 * 16 * 24)."""
    audit(coding, *EVEN, role="gate")
    audit(coding, *EVEN, role="test")
    main = table(found(coding), "agreement")
    assert column(main, "texts coded twice")["humor"] == 20 and column(main, "coders")["humor"] == 2
    alpha, percent = column(main, "alpha")["humor"], column(main, "percent agreement")["humor"]
    assert isinstance(alpha, Estimate) and alpha.value == pytest.approx(1 - 39 * 8 / (2 * 16 * 24))
    assert isinstance(percent, Estimate) and percent.value == pytest.approx(0.8)
    assert column(main, "level of measurement")["stars"] == "ordinal"


def test_a_wide_interval_says_how_many_texts_would_make_it_narrow(coding: Coding) -> None:
    audit(coding, *EVEN)
    notes = table(found(coding), "agreement").notes
    (note,) = [one for one in notes if one.startswith("humor: ")]
    assert note.startswith("humor: 10 double-coded texts: the interval is wider than .5; ")
    assert note.endswith(" would give about .15.")


def test_each_label_has_its_share_of_answers_beside_its_alpha(coding: Coding) -> None:
    audit(coding, *EVEN)
    told = found(coding)
    by_label = table(told, "agreement-labels", "humor")
    assert column(by_label, "share of answers") == {"no": pytest.approx(0.6), "yes": pytest.approx(0.4)}
    assert column(by_label, "alpha")["no"] == column(table(told, "agreement"), "alpha")["humor"]


def test_other_coefficients_are_those_of_hand(coding: Coding) -> None:
    """Of 20 pairs 16 are equal; the first coder says 'yes' to 6 texts, the second to 10."""
    audit(coding, *EVEN, role="gate")
    audit(coding, *EVEN, role="test")
    told = table(found(coding), "agreement-coefficients")

    def value(name: str) -> float | None:
        figure = column(told, name)["humor"]
        return figure.value if isinstance(figure, Estimate) else None

    by_two, by_all, by_random = 0.7 * 0.5 + 0.3 * 0.5, 0.6**2 + 0.4**2, 2 * 0.6 * 0.4
    assert value("Cohen's kappa") == pytest.approx((0.8 - by_two) / (1 - by_two))
    assert value("Fleiss' kappa") == pytest.approx((0.8 - by_all) / (1 - by_all))
    assert value("Gwet's AC1") == pytest.approx((0.8 - by_random) / (1 - by_random))
    assert set(column(told, "alpha of sets (MASI)")) == {"humor", "topics"}


def test_ordered_labels_and_sets_have_coefficients_of_their_own(coding: Coding) -> None:
    for n in range(40):
        text = coding.text(f"gate {n}", "audit", rank=n)
        for coder in (1, 2):
            near = (n + coder * (n % 5 == 0)) % 4
            coding.answer(text, coder, stars=str(near + 1), topics=["money"] if n % 2 else ["money", "sport"][:coder])
    told = table(found(coding), "agreement-coefficients")
    weighted, sets = column(told, "Cohen's kappa")["stars"], column(told, "alpha of sets (MASI)")["topics"]
    assert isinstance(weighted, Estimate) and weighted.value is not None
    assert isinstance(sets, Estimate) and sets.value is not None
    assert not isinstance(column(told, "Fleiss' kappa")["stars"], Estimate)


def test_people_are_measured_by_each_other(coding: Coding) -> None:
    audit(coding, *EVEN)
    ceiling = column(table(found(coding), "ceiling"), "macro F1")["humor"]
    assert isinstance(ceiling, Estimate) and ceiling.n == 10
    assert ceiling.value == pytest.approx((2 * 10 / 24 + 2 * 6 / 16) / 2)


def test_texts_coded_with_help_are_in_a_table_of_their_own(coding: Coding) -> None:
    audit(coding, *EVEN)
    for n in range(12):
        coded(coding, coding.text(f"work {n}", "control" if n % 2 else "work"), "yes", "yes", origin="kept")
    told = found(coding)
    assert column(table(told, "agreement"), "texts coded twice")["humor"] == 10
    helped = table(told, "agreement-assisted")
    assert column(helped, "texts coded twice") == {"humor": 12, "topics": 12}
    assert "not reliability" in helped.notes[0] and helped.title.startswith("Assisted")


def test_what_was_made_from_predictions_agrees_with_nothing(coding: Coding) -> None:
    for n in range(12):
        coded(coding, coding.text(f"work {n}"), "yes", "yes", origin="bulk")
    assert found(coding).tables == ()


def test_one_coder_is_told_to_have_a_second_one(coding: Coding) -> None:
    coding.change(sampling_design={"coders": 1})
    for n in range(3):
        coded(coding, coding.text(f"gate {n}", "audit", rank=n), "yes")
    missing = found(coding).missing
    assert missing.startswith("3 audit texts of this phase have been coded by one coder only")
    assert "about 200 give alpha an interval some .15 wide" in missing


def test_a_phase_is_measured_by_its_own_answers(coding: Coding) -> None:
    audit(coding, *EVEN, phase="pilot")
    assert found(coding).missing.startswith("No audit text of this phase has been coded yet")
    assert column(table(found(coding, "pilot"), "agreement"), "texts coded twice")["humor"] == 10


@pytest.mark.parametrize(
    ("lower", "upper", "told"),
    [(0.8, 0.9, "reliable"), (0.7, 0.9, "tentative"), (0.5, 0.9, "not shown"), (0.2, 0.6, "not reliable")],
)
def test_a_coefficient_is_judged_by_its_bounds(lower: float, upper: float, told: str) -> None:
    assert reading(Estimate(99, 0.85, lower, upper)).split(":")[0] == told
    assert reading(Estimate(99, 0.85, None, None, "withheld")) == ""


def test_texts_with_more_coders_than_planned_are_pointed_at(coding: Coding) -> None:
    audit(coding, *[("no", "no")] * 12, *[("no", "yes")] * 12)
    more = "humor: 1 text has more coders than the 2 planned."
    assert not any(note.startswith(more) for note in table(found(coding), "agreement").notes)
    coded(coding, coding.text("one more", "audit", rank=24, role="gate"), "no", "yes", "yes")
    main = table(found(coding), "agreement")
    assert any(note.startswith(more) for note in main.notes)
    percent = column(main, "percent agreement")["humor"]
    assert isinstance(percent, Estimate) and percent.value == pytest.approx((12 + 1 / 3) / 25), "texts count the same"
