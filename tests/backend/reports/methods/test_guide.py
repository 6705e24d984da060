"""The checklist: every item is answered or marked."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from backend.reports.methods.guide import Item, guide, items
from backend.reports.methods.paragraph import Program
from db.models import Adapter, Scorer
from tests.backend.findings.analysed import analysed
from tests.backend.findings.test_study import tune
from tests.backend.learning.coding import Coding
from tests.backend.reports.methods.conftest import known

CODES = ["A.1", "A.2", "B.1", "B.2", "B.3", "B.4", "B.5", "C.1", "C.2", "D.1", "E.1", "E.2", "F.1", "G.1"]
PROGRAM = Program("0.1.0", None)


def filled(coding: Coding) -> dict[str, Item]:
    about, _, found = known(coding)
    return {one.code: one for one in items(about, found, PROGRAM)}


@pytest.mark.parametrize("coded", [False, True])
def test_every_item_is_answered_or_says_what_is_needed(coding: Coding, coded: bool) -> None:
    if coded:
        analysed(coding)
    found = filled(coding)
    assert list(found) == CODES
    for one in found.values():
        assert one.answer or one.needed, one.code
        assert (one.status == "answered") == (not one.needed), one.code
        assert one.answer or one.status == "cannot be known by this program", one.code
    page = guide(*known(coding)[::2], PROGRAM)
    assert [line.split()[1] for line in page.splitlines() if line.startswith("## ")] == CODES
    assert page.count("**Status:**") == 14


def test_what_the_store_knows_is_in_the_answers(opened: Coding) -> None:
    found, (about, _, validity) = filled(opened), known(opened)
    assert about.facts.scorer is not None
    assert about.facts.scorer.base_digest in " ".join(found["B.1"].answer)
    assert about.facts.revision.content_hash in " ".join(found["C.1"].answer)
    assert "not tuned" in " ".join(found["B.4"].answer)
    validation = " ".join(found["E.1"].answer)
    assert all(f"{one.n} texts with an accepted label in the test" in validation for one in validity)
    assert "opened once, for this release" in validation
    people = f"People coded {about.coded.texts} of {len(about.facts.texts.ids)} texts"
    assert people in " ".join(found["A.2"].answer)


def test_a_remote_model_is_said_to_have_been_sent_the_texts(opened: Coding) -> None:
    with opened.store.writing() as s:
        s.execute(update(Scorer).values(engine="remote"))
    assert "sent to an inference server" in " ".join(filled(opened)["B.2"].answer)
    assert filled(opened)["C.1"].status == "partly answered"


def test_what_the_model_was_tuned_on_is_named(opened: Coding) -> None:
    tune(opened)
    tuned = filled(opened)["B.4"]
    assert tuned.status == "answered"
    assert f"humor: head tuned on 42 labelled texts, seed 3, labels frozen as snapshot {'5a' * 32}." in tuned.answer
    with opened.store.writing() as s:
        s.execute(update(Adapter).values(digest="another"))
    assert filled(opened)["B.4"].status == "partly answered"
