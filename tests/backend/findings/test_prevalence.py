"""The section on how often labels occur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.findings.facts import Facts, FindingsError
from backend.findings.prevalence import section
from backend.findings.report import Table
from backend.learning.estimate import Estimate
from tests.backend.findings.corpus_of import Corpus, code, drawn
from tests.backend.findings.world import open_test, read, score
from tests.backend.learning.coding import Coding


@pytest.fixture
def corpus(coding: Coding) -> Corpus:
    """300 texts of which 80 gate texts are coded."""
    made = drawn(coding, 300, audit=160, share=0.4, right=0.85, seed=3)
    code(made, range(0, 160, 2))
    return made


def table(facts: Facts, key: str = "prevalence", question: str = "humor") -> Table:
    return next(one for one in section(facts).tables if (one.key, one.question) == (key, question))


def estimates(row: tuple[object, ...]) -> list[Estimate]:
    return [cell for cell in row if isinstance(cell, Estimate)]


def test_three_estimates_stand_side_by_side(corpus: Corpus) -> None:
    found = table(read(corpus.coding))
    assert found.rows == ("no", "yes")
    assert [column.name for column in found.columns[:3]] == ["model alone", "people alone", "corrected"]
    naive, human, corrected = estimates(found.cells[1])
    assert naive.value == pytest.approx(corpus.model.mean())
    gate = np.arange(0, 160, 2)
    assert human.value == pytest.approx(corpus.true[gate].mean())
    for one in (naive, human, corrected):
        assert one.lower is not None and one.upper is not None and one.lower < (one.value or 0) < one.upper
    assert corrected.upper - corrected.lower < human.upper - human.lower  # type: ignore[operator]
    assert (naive.n, human.n, corrected.n) == (300, 80, 80)
    weight = found.cells[1][3]
    assert isinstance(weight, float) and 0 < weight < 1
    shown = corpus.true[gate].mean() + weight * (corpus.model.mean() - corpus.model[gate].mean())
    assert corrected.value == pytest.approx(shown)
    assert "80 gate texts" in found.origin and any("which release" in note for note in found.notes)


def test_the_tests_labels_are_used_once_it_is_opened(corpus: Corpus) -> None:
    code(corpus, range(1, 160, 2))
    before = estimates(table(read(corpus.coding)).cells[1])[1]
    open_test(corpus.coding, corpus.release)
    found = table(read(corpus.coding))
    after = estimates(found.cells[1])[1]
    assert after.value == pytest.approx(corpus.true[1:160:2].mean()) != before.value
    assert "80 test texts" in found.origin and not any("which release" in note for note in found.notes)


def test_a_corpus_that_is_scored_in_part_is_not_counted_by_the_model(coding: Coding) -> None:
    made = drawn(coding, 60, audit=40)
    code(made, range(0, 40, 2))
    facts = read(coding)
    some = facts.scores["humor"]
    part = replace(facts, scores={"humor": replace(some, ids=some.ids[:50], raw=some.raw[:50])})
    naive, human, corrected = estimates(table(part).cells[0])
    assert naive.missing == corrected.missing == "50 of 60 texts are scored: run `socialite push`"
    assert naive.value is corrected.value is None and human.value is not None
    bare = replace(facts, release=None, scores={})
    assert "no release" in estimates(table(bare).cells[0])[0].missing


def test_a_sample_that_is_no_completed_prefix_is_refused(corpus: Corpus) -> None:
    facts = read(corpus.coding)
    mine = [one for one in facts.gate.accepted if one.question == "humor"]
    picked = tuple(one for n, one in enumerate(mine) if n % 3)
    whole = {"humor": frozenset(one.text_id for one in picked)}
    found = section(replace(facts, gate=replace(facts.gate, accepted=picked, completed=whole)))
    assert not found.tables and "27 audit texts that come earlier" in found.missing
    assert any(one.question == "humor" for one in section(facts).tables)


def test_nothing_drawn_or_coded_says_so(coding: Coding) -> None:
    assert "drawn at random" in section(read(coding)).missing
    drawn(coding, 30, audit=20)
    assert "No gate text has an accepted label yet" in section(read(coding)).missing


def test_a_label_that_hardly_occurs_gets_no_interval_but_advice(coding: Coding) -> None:
    made = drawn(coding, 200, audit=160, share=0.0, right=0.9, seed=1)
    made.true[[0, 2]] = True
    code(made, range(0, 160, 2))
    naive, human, corrected = estimates(table(read(coding)).cells[1])
    assert human.value == pytest.approx(2 / 80) and human.lower is None and corrected.lower is None
    assert human.missing == (
        "only 2 of 80 coded texts have this label, too few for an interval; about 400 coded texts would give one"
    )
    assert naive.lower is not None


def test_rows_count_as_often_as_they_occur_and_by_their_columns(corpus: Corpus) -> None:
    facts = read(corpus.coding)
    rows = [(text, f"row {n}", {"outlet": "ab"[n % 2], "page": n}) for n, text in enumerate(corpus.ids)]
    found = section(facts, rows, by=("outlet", "page"))
    mine = next(one for one in found.tables if one.key == "prevalence-by-outlet")
    assert mine.rows == ("a · no", "a · yes", "b · no", "b · yes")
    assert [cells[0] for cells in mine.cells] == [150] * 4
    naive, human, _ = estimates(mine.cells[1])
    assert naive.value == pytest.approx(corpus.model[::2].mean())
    assert human.value == pytest.approx(corpus.true[0:160:2].mean()), "gate texts have even ranks"
    assert "too few: 0" in estimates(mine.cells[3])[1].missing
    pages = next(one for one in found.tables if one.key == "prevalence-by-page")
    assert len(pages.rows) == 60 and pages.notes == ("270 rarer values with 270 rows are left out.",)
    with pytest.raises(FindingsError, match=r"^No row .* 'year'"):
        section(facts, rows, by=("year",))


def test_a_text_that_many_rows_show_counts_that_often(corpus: Corpus) -> None:
    facts = read(corpus.coding)
    rows = facts.texts.rows.copy()
    first = facts.texts.at(np.array(corpus.ids[:1]))[0]
    rows[first] = 101
    found = table(replace(facts, texts=replace(facts.texts, rows=rows)))
    gate = np.arange(0, 160, 2)
    human = estimates(found.cells[1])[1]
    assert human.value == pytest.approx((corpus.true[gate].sum() + 100 * corpus.true[0]) / 180)
    assert "400 rows" in found.notes[0]


def test_ordered_labels_have_a_mean_and_numbers_have_peoples(coding: Coding) -> None:
    made = drawn(coding, 60, audit=40)
    for k in range(0, 40, 2):
        coding.answer(made.ids[k], 1, stars=str(1 + k % 4), year=2000 + k)
    score(coding, {text: {"stars": (0.1, 0.2, 0.3, 0.4)} for text in made.ids})
    facts = read(coding)
    naive, human, corrected = estimates(table(facts, "prevalence-mean", "stars").cells[0])
    assert naive.value == 4 and human.value == pytest.approx(np.mean([1 + k % 4 for k in range(0, 40, 2)]))
    assert corrected.value == pytest.approx(human.value)
    naive, human, corrected = estimates(table(facts, "prevalence-mean", "year").cells[0])
    assert human.value == pytest.approx(2019) and human.lower is not None
    assert naive.value is None and "people's mean" in naive.missing
