"""The paragraph of an article: as long as one is, and true."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from backend.findings.manifest import manifest
from backend.learning.recode import say_same
from backend.reports.methods.markdown import methods
from backend.reports.methods.paragraph import Program, paragraph
from labelstudio_config.codebook import Codebook
from tests.backend.assist.world import HUMOR
from tests.backend.findings.analysed import analysed
from tests.backend.findings.world import open_test
from tests.backend.learning.coding import Coding
from tests.backend.reports.methods.conftest import known

PROGRAM = Program("0.1.0", "c0ffee" * 7)


def written(coding: Coding) -> str:
    about, _, found = known(coding)
    return paragraph(about, found, PROGRAM)


def test_it_has_150_to_300_words_of_any_project(coding: Coding) -> None:
    assert 150 <= len(written(coding).split()) <= 300, "empty"
    release = analysed(coding, opened=False)
    assert 150 <= len(written(coding).split()) <= 300, "not opened"
    open_test(coding, release)
    assert 150 <= len(written(coding).split()) <= 300, "opened"
    coding.revise(Codebook("posts", "Posts", (HUMOR,)))
    assert 150 <= len(written(coding).split()) <= 300, "one question, new revision"


def test_its_numbers_are_the_store_s(opened: Coding) -> None:
    about, table, found = known(opened)
    told = paragraph(about, found, PROGRAM)
    blind = sum(answer.ls_role == "audit" for answer in about.facts.answers)
    for said in (
        f"corpus of {len(about.facts.texts.ids)} texts",
        "4 questions",
        "2 seeded random orders of 130 sampling units",
        "first 68 were set aside",
        f"3 coders gave {blind} answers",
        "1 to others",
        "(1 left one unchanged)",
        "0 were skipped",
        "1 codebook revision, 1 release and 0 tuning runs",
        "opened once, for this release on",
        "(commit c0ffeec0ffee)",
    ):
        assert said in told
    alphas = [one.agreement.alpha.value for one in found if one.agreement.alpha.value is not None]
    assert f"alpha of coders is between {min(alphas):.2f} and {max(alphas):.2f} over {len(alphas)} questions" in told
    assert table.n == about.rows


def test_it_says_who_said_that_a_change_left_the_meaning_as_it_was(opened: Coding) -> None:
    opened.revise(Codebook("posts", "Posts", (replace(HUMOR, wording="Funny?"),)))
    assert "declared" not in written(opened)
    with opened.store.writing() as s:
        say_same(s, opened.project, "humor", 1, 2, unchanged=True, by="Ada", reason="A heading.")
    told = written(opened)
    same = "Ada declared the meaning of humor (revisions 1 and 2) unchanged, so that answers from before count."
    assert same in told
    assert len(told.split()) <= 300
    about, _, _ = known(opened)
    (said,) = manifest(about, {})["codebook"]["said_to_mean_the_same"]
    assert (said["question"], said["revisions"], said["by"], said["reason"]) == ("humor", [1, 2], "Ada", "A heading.")


def test_a_question_by_itself_is_told_with_its_interval(opened: Coding) -> None:
    opened.revise(Codebook("posts", "Posts", (HUMOR,)))
    about, _, (humor,) = known(opened)
    told = paragraph(about, (humor,), PROGRAM)
    alpha = humor.agreement.alpha
    assert alpha.value is not None
    assert f"alpha (nominal) of coders is {alpha.value:.2f}" in told
    assert f"on {alpha.n} texts coded blind by two or more" in told


def test_nothing_is_claimed_that_was_not_done(coding: Coding) -> None:
    told = written(coding)
    assert "No random sample of it was drawn" in told
    assert "Nobody has coded any of it" in told
    assert "No model has suggested or assigned any label" in told
    assert "Neither agreement between coders nor accuracy" in told
    assert "has not been opened" in told
    assert "corrected by" not in told.replace("is corrected for", "")
    assert not re.search(r"\[\d", told)


def test_before_the_test_is_open_it_speaks_of_development_texts(coding: Coding) -> None:
    analysed(coding, opened=False)
    told = written(coding)
    assert "development texts have one" in told
    assert "on test texts" not in told


def test_shares_are_corrected_only_where_every_text_is_scored(opened: Coding) -> None:
    assert "Shares are corrected" in written(opened)
    opened.text("a text that came late and has no score")
    assert "not every text has a label of the model" in written(opened)


def test_the_page_says_what_each_number_is_and_what_to_cite(opened: Coding) -> None:
    about, _, found = known(opened)
    page = methods(about, found, PROGRAM)
    assert page.startswith("# Methods of Posts\n")
    assert "socialite 0.1.0" in page and "Egami" in page
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", page, re.M))
    assert rows["texts"] == f"{len(about.facts.texts.ids):,}"
    assert rows["openings"] == "1"
    assert rows["draw 1"] == "44 + 10 of 90"
    assert len(rows) > 20


@pytest.mark.parametrize("title", ["# A *title* | of <b>", "`x`"])
def test_words_of_others_are_no_signs_of_markdown(coding: Coding, title: str) -> None:
    coding.change(title=title)
    page = methods(*known(coding)[::2], PROGRAM)
    assert "<b>" not in page.replace(r"\<b>", "") and " `x`" not in page.splitlines()[0]
