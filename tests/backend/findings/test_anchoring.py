"""The section on whether suggestions change what coders say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend.findings.anchoring import section
from backend.findings.arms import Arms, arms
from backend.findings.report import Section
from backend.learning.estimate import Estimate
from db import releases
from db.models import Release
from tests.backend.findings.corpus_of import Corpus, code, drawn
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import START, Coding

LATE = 10**7  # minutes after the start: the releases of the tests become current when they are made


@pytest.fixture
def corpus(coding: Coding) -> Corpus:
    """60 audit texts, of which 30 are of the gate, and 40 control texts."""
    return drawn(coding, 120, audit=60, control=40, right=0.7, seed=5)


def both(coding: Coding) -> tuple[Section, Arms]:
    facts = read(coding)
    with coding.store.reading() as s:
        found = arms(s, facts)
    return section(facts, found), found["humor"]


def blind(corpus: Corpus, ranks: Sequence[int] | range) -> None:
    code(corpus, ranks, answered_at=after(corpus))


def after(corpus: Corpus) -> object:
    with corpus.coding.store.reading() as s:
        return s.get_one(Release, corpus.release).created_at.replace(year=2099)


def follow(corpus: Corpus, ranks: Sequence[int] | range, **given: object) -> None:
    """The coder leaves the suggestion as it is."""
    for k in ranks:
        label = "yes" if corpus.model[k] else "no"
        corpus.coding.answer(corpus.ids[k], 1, humor=label, release_id=corpus.release, origin="kept", **given)


def row(found: Section, key: str = "anchoring") -> tuple[object, ...]:
    table = next(one for one in found.tables if one.key == key)
    return table.cells[table.rows.index("humor")]


def test_coders_who_follow_are_told_from_those_who_do_not(corpus: Corpus) -> None:
    blind(corpus, range(0, 60, 2))
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
    blind(corpus, range(0, 60, 2))
    follow(corpus, [*range(60, 75), *range(80, 90)])
    found, cases = both(corpus.coding)
    assert len(cases.seen) == 15 and cases.behind == 10
    notes = next(one for one in found.tables if one.key == "anchoring").notes
    assert any("10 control texts are coded before others" in note for note in notes)
    corpus.coding.answer(corpus.ids[75], 1, cancelled=True)
    assert both(corpus.coding)[1].left_out["seen"]["skipped"] == 1


def test_answers_to_test_texts_are_compared_once_it_is_opened(corpus: Corpus) -> None:
    blind(corpus, range(60))
    assert len(both(corpus.coding)[1].blind) == 30
    open_test(corpus.coding, corpus.release)
    assert len(both(corpus.coding)[1].blind) == 60


def test_what_was_coded_before_any_release_is_left_out(corpus: Corpus) -> None:
    code(corpus, range(0, 60, 2), answered_at=START)
    found, cases = both(corpus.coding)
    assert cases.blind == () and cases.left_out["blind"]["there was no release yet"] == 30
    assert "Nothing can be compared yet" in found.missing


def test_releases_that_were_not_current_in_both_are_not_compared(corpus: Corpus) -> None:
    """The second release has scored no text: answers under it are left out, with the reason."""
    blind(corpus, range(0, 60, 2))
    with corpus.coding.store.writing() as s:
        first = s.get_one(Release, corpus.release)
        same = {"engine": "keyword", "base": "keyword", "base_digest": "1", "adapter_digest": "", "dtype": ""}
        scorer = releases.scorer(s, **same, prompt_hash="", scoring_hash="", method="count")
        revision = s.get_one(type(first), first.id).revision_id
        other = Release(
            project_id=first.project_id, name="other", scorer_id=scorer.id, revision_id=revision, order_policy="margin"
        )
        s.add(other)
        s.flush()
        number = other.id
    for k in range(60, 80):
        corpus.coding.answer(corpus.ids[k], 1, humor="yes", release_id=number, origin="changed")
    found, cases = both(corpus.coding)
    assert cases.seen == () and cases.left_out["seen"].total() == 20
    difference = row(found)[2]
    assert isinstance(difference, Estimate) and difference.value is None and "120 of each" in difference.missing


def test_kept_suggestions_are_counted_of_random_and_of_other_texts(corpus: Corpus) -> None:
    blind(corpus, range(0, 60, 2))
    follow(corpus, range(60, 72))
    with_origin = {"humor": "yes", "release_id": corpus.release}
    corpus.coding.answer(corpus.ids[110], 1, **with_origin, origin="changed")
    control, work = row(both(corpus.coding)[0], "anchoring-kept")
    assert isinstance(control, Estimate) and control.n == 12
    assert isinstance(work, Estimate) and work.n == 1 and work.lower is None and "no random sample" in work.missing


def test_without_control_texts_it_is_told_how_to_have_some(coding: Coding) -> None:
    drawn(coding, 20, audit=10)
    assert "`socialite connect --control N`" in both(coding)[0].missing
