"""The section on whether suggestions change what coders say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from backend.findings.anchoring import section
from backend.findings.arms import Arms, arms
from backend.findings.report import Section
from backend.learning.estimate import Estimate
from db import predictions, releases, revisions
from db.models import Release
from tests.backend.findings.corpus_of import Corpus, code, drawn
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import START, Coding


@pytest.fixture
def corpus(coding: Coding) -> Corpus:
    """60 audit texts, of which 30 are of the gate, and 40 control texts."""
    return drawn(coding, 120, audit=60, control=40, right=0.7, seed=5)


def both(coding: Coding) -> tuple[Section, Arms]:
    facts = read(coding)
    with coding.store.reading() as s:
        found = arms(s, facts)
    return section(facts, found), found["humor"]


def follow(corpus: Corpus, ranks: Sequence[int] | range, **given: object) -> None:
    """The coder leaves the suggestion as it is."""
    for k in ranks:
        label = "yes" if corpus.model[k] else "no"
        corpus.coding.answer(corpus.ids[k], 1, humor=label, release_id=corpus.release, origin="kept", **given)


def row(found: Section, key: str = "anchoring") -> tuple[object, ...]:
    table = next(one for one in found.tables if one.key == key)
    return table.cells[table.rows.index("humor")]


def test_coders_who_follow_are_told_from_those_who_do_not(corpus: Corpus) -> None:
    code(corpus, range(0, 60, 2))
    follow(corpus, range(60, 100))
    found, cases = both(corpus.coding)
    seen, alone, difference = row(found)
    assert isinstance(seen, Estimate) and isinstance(alone, Estimate) and isinstance(difference, Estimate)
    gate = list(range(0, 60, 2))
    share = (corpus.true[gate] == corpus.model[gate]).mean()
    assert (seen.value, alone.value) == (1, pytest.approx(share)) and difference.value == pytest.approx(1 - share)
    assert (seen.n, alone.n, difference.n) == (40, 30, 70)
    assert difference.lower is not None and difference.lower > 0
    assert len(cases.seen) == 40 and len(cases.blind) == 30
    assert next(one for one in found.tables if one.key == "anchoring-sizes").rows == ("humor",)


def test_only_control_texts_up_to_the_first_untried_one_count(corpus: Corpus) -> None:
    code(corpus, range(0, 60, 2))
    follow(corpus, [*range(60, 75), *range(80, 90)])
    found, cases = both(corpus.coding)
    assert len(cases.seen) == 15 and cases.behind == 10
    notes = next(one for one in found.tables if one.key == "anchoring").notes
    assert any("10 control texts are coded before others" in note for note in notes)
    corpus.coding.answer(corpus.ids[75], 1, cancelled=True)
    assert both(corpus.coding)[1].left_out["seen"]["skipped"] == 1


def test_answers_to_test_texts_are_compared_once_it_is_opened(corpus: Corpus) -> None:
    code(corpus, range(60))
    follow(corpus, range(60, 70))
    assert len(both(corpus.coding)[1].blind) == 30
    open_test(corpus.coding, corpus.release)
    assert len(both(corpus.coding)[1].blind) == 60


def test_control_texts_coded_without_a_suggestion_before_any_release_are_left_out(corpus: Corpus) -> None:
    code(corpus, range(60, 75), answered_at=START)
    found, cases = both(corpus.coding)
    assert cases.seen == () and cases.left_out["seen"]["there was no release yet"] == 15
    assert "Nothing can be compared yet" in found.missing


def test_blind_answers_count_for_each_release_in_the_mix_of_the_control(corpus: Corpus) -> None:
    """The second release says the opposite of the first everywhere; a quarter of the control is coded under it."""
    code(corpus, range(0, 60, 2))
    follow(corpus, range(60, 90))
    other = opposite(corpus, range(100))
    for k in range(90, 100):
        label = "no" if corpus.model[k] else "yes"
        corpus.coding.answer(corpus.ids[k], 1, humor=label, release_id=other, origin="kept")
    found, cases = both(corpus.coding)
    assert len(cases.seen) == 40 and len(cases.blind) == 60
    gate = list(range(0, 60, 2))
    agree = (corpus.true[gate] == corpus.model[gate]).mean()
    seen, alone, _ = row(found)
    assert isinstance(seen, Estimate) and isinstance(alone, Estimate)
    assert seen.value == 1 and alone.value == pytest.approx(0.75 * agree + 0.25 * (1 - agree))
    assert (seen.n, alone.n) == (40, 30)


def opposite(corpus: Corpus, ranks: range) -> int:
    """A release of another scorer, and what it says of some texts."""
    with corpus.coding.store.writing() as s:
        first = s.get_one(Release, corpus.release)
        same = {"engine": "keyword", "base": "keyword", "base_digest": "1", "adapter_digest": "", "dtype": ""}
        scorer = releases.scorer(s, **same, prompt_hash="", scoring_hash="", method="count")
        parts = {"project_id": first.project_id, "scorer_id": scorer.id, "revision_id": first.revision_id}
        other = Release(**parts, name="other", order_policy="margin")
        s.add(other)
        s.flush()
        question = revisions.question_ids(s, first.project_id)["humor"]
        said = {True: np.log((0.8, 0.2)), False: np.log((0.2, 0.8))}
        predictions.store(s, scorer.id, [(corpus.ids[k], question, said[bool(corpus.model[k])], 0) for k in ranks])
        return other.id


def test_a_release_that_has_scored_nothing_is_not_compared(corpus: Corpus) -> None:
    """Answers under it are left out, with the reason."""
    code(corpus, range(0, 60, 2))
    number = opposite(corpus, range(0))
    for k in range(60, 80):
        corpus.coding.answer(corpus.ids[k], 1, humor="yes", release_id=number, origin="changed")
    found, cases = both(corpus.coding)
    assert cases.seen == () and cases.left_out["seen"].total() == 20
    assert "humor: 20 assisted answers are left out: the text was not scored by the release (20)." in found.missing


def test_kept_suggestions_are_counted_of_random_and_of_other_texts(corpus: Corpus) -> None:
    code(corpus, range(0, 60, 2))
    follow(corpus, range(60, 72))
    with_origin = {"humor": "yes", "release_id": corpus.release}
    corpus.coding.answer(corpus.ids[110], 1, **with_origin, origin="changed")
    control, work = row(both(corpus.coding)[0], "anchoring-kept")
    assert isinstance(control, Estimate) and control.n == 12
    assert isinstance(work, Estimate) and work.n == 1 and work.lower is None and "no random sample" in work.missing


def test_without_control_texts_it_is_told_how_to_have_some(coding: Coding) -> None:
    drawn(coding, 20, audit=10)
    assert "`socialite connect --control N`" in both(coding)[0].missing


def test_a_suggestion_beside_the_question_was_in_sight_but_not_kept(corpus: Corpus) -> None:
    """Nothing was ticked: the answers are the coder's own, under a release."""
    code(corpus, range(0, 60, 2))
    for k in range(60, 100):
        label = "yes" if corpus.model[k] else "no"
        corpus.coding.answer(corpus.ids[k], 1, humor=label, release_id=corpus.release, origin="human")
    found, cases = both(corpus.coding)
    seen, _, difference = row(found)
    assert isinstance(seen, Estimate) and isinstance(difference, Estimate)
    assert (seen.value, seen.n, difference.n) == (1, 40, 70)
    assert [case.kept for case in cases.seen] == [None] * 40
    assert "anchoring-kept" not in [table.key for table in found.tables]
