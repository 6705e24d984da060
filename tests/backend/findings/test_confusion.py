"""What is taken for what, and the texts that may be read about it."""

from __future__ import annotations

import numpy as np

from backend.findings.assisted import ballots
from backend.findings.confusion import section
from backend.findings.differing import A_CELL, IN_ALL, differing
from backend.findings.fit import fits
from backend.findings.report import Examples, Section
from db.store import Store
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import TEXT, labels, make_world
from tests.backend.findings.audited import TWENTY, audit, says, work
from tests.backend.findings.told import column, table
from tests.backend.findings.world import open_test, read, score
from tests.backend.learning.coding import Coding

SORT = Question("sort", "sort", Kind.SINGLE, Control.CHOICES, (TEXT,), labels(*(f"label-{n}" for n in range(30))))
MANY = Codebook("many", "Many", (SORT,))


def found(coding: Coding) -> Section:
    facts = read(coding)
    return section(facts, fits(facts), shown(coding))


def shown(coding: Coding) -> tuple[Examples, ...]:
    facts = read(coding)
    with coding.store.reading() as s:
        return differing(s, facts, ballots(s, facts), fits(facts))


def test_rows_are_people_and_columns_the_model(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    told = table(found(coding), "confusion-gate", "humor")
    assert column(told, "no") == {"no": 10, "yes": 2} and column(told, "yes") == {"no": 2, "yes": 6}


def test_several_labels_have_a_row_each(coding: Coding) -> None:
    texts = [coding.text(f"SECRET {n}", "audit", rank=n) for n in range(4)]
    given = ((["money"], 0.9), (["money"], 0.2), ([], 0.8), (["sport"], 0.1))
    for text, (topics, _) in zip(texts, given, strict=True):
        for coder in (1, 2):
            coding.answer(text, coder, topics=topics)
    score(coding, {text: {"topics": (money, 0.1, 0.9)} for text, (_, money) in zip(texts, given, strict=True)})
    told = table(found(coding), "confusion-gate", "topics")
    assert [one.name for one in told.columns] == ["both", "people only", "model only", "neither"]
    assert dict(zip(told.rows, told.cells, strict=True)) == {
        "money": (1, 1, 1, 1),
        "health": (0, 0, 0, 4),
        "sport": (1, 0, 3, 0),
    }


def test_of_many_labels_the_pairs_that_are_confused_most_are_listed(store: Store) -> None:
    coding = Coding(make_world(store, codebook=MANY), MANY)
    pairs = [(0, 1)] * 3 + [(0, 0)] * 3 + [(2, 5)] * 2 + [(n, n) for n in range(3, 30)]
    said = {}
    for rank, (people, model) in enumerate(pairs):
        text = coding.text(f"SECRET {rank}", "audit", rank=rank)
        for coder in (1, 2):
            coding.answer(text, coder, sort=f"label-{people}")
        said[text] = {"sort": np.where(np.arange(30) == model, 0.71, 0.01)}
    score(coding, said)
    told = found(coding)
    assert len(table(told, "confusion-gate", "sort").columns) == 30
    listed = table(told, "confused-gate", "sort")
    assert listed.rows == ("label-0 → label-1", "label-2 → label-5")
    assert listed.cells == ((3, 6, 0.5), (2, 2, 1.0))


def test_texts_that_differ_are_those_coded_with_the_suggestion_in_sight(coding: Coding) -> None:
    differ = [("no", "yes"), ("yes", "no"), ("yes", "no"), ("no", "no")]
    says(coding, audit(coding, TWENTY), work(coding, differ), work(coding, [("no", "yes")], "control"))
    (told,) = shown(coding)
    assert [(one.said["coders"], one.said["model"]) for one in told.texts] == [("no", "yes")] * 2 + [("yes", "no")] * 2
    assert all(one.fields[0].startswith("shown ") for one in told.texts)
    assert told.texts[0].external_id.startswith("assisted/")


def test_what_was_made_from_predictions_is_no_label_of_people(coding: Coding) -> None:
    text = coding.text("shown")
    coding.answer(text, 1, humor="no", origin="bulk")
    says(coding, {text: "yes"})
    assert shown(coding) == ()


def test_few_texts_of_each_confusion_and_few_in_all_are_shown(coding: Coding) -> None:
    says(coding, work(coding, [("no", "yes")] * (A_CELL + 1) + [("yes", "no")]))
    (told,) = shown(coding)
    assert len(told.texts) == A_CELL + 1 <= IN_ALL
    assert [one.said["coders"] for one in told.texts] == ["no"] * A_CELL + ["yes"]


def test_texts_of_the_test_are_shown_once_it_is_open_and_those_of_the_gate_never(coding: Coding) -> None:
    release = says(coding, audit(coding, TWENTY), audit(coding, TWENTY, "test"))
    assert shown(coding) == ()
    open_test(coding, release)
    (told,) = shown(coding)
    assert told.title == "Of the opened test"
    assert {one.fields[0].split()[1] for one in told.texts} == {"test"} and len(told.texts) == 4


def test_an_erased_text_is_not_shown(coding: Coding) -> None:
    from db.models import TextBody

    said = work(coding, [("no", "yes")])
    says(coding, said)
    with coding.store.writing() as s:
        s.get_one(TextBody, next(iter(said))).fields = None
    assert shown(coding) == ()


def test_what_is_missing_is_said(coding: Coding) -> None:
    assert "no release yet" in found(coding).missing
    says(coding)
    assert found(coding).missing.startswith("No gate text has an accepted value yet")
