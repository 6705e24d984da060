"""Labels to look at again: planted errors are found, in assisted texts only, by a model that did not learn them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.findings.build import build
from backend.findings.suspects import LEAST, Compared, compared, confident, section
from db import predictions, releases, revisions, runs, snapshots
from db.snapshots import ItemRow
from tests.backend.findings.world import read, score
from tests.backend.learning.coding import Coding, coded

SURE = {"yes": (0.1, 0.9), "no": (0.9, 0.1)}


def coded_texts(coding: Coding, n: int = 30, stream: str = "work", **place: Any) -> dict[int, str]:
    """Texts that are "yes" and "no" in turn, coded so by two coders: text id -> label."""
    truth = {}
    for number in range(n):
        more = {"rank": number} if stream == "audit" else {}
        text, label = coding.text(f"{stream} {number}", stream, **more, **place), ("yes", "no")[number % 2]
        coded(coding, text, label, label)
        truth[text] = label
    return truth


def of(coding: Coding, question: str = "humor") -> Compared:
    with coding.store.reading() as s:
        return next(one for one in compared(s, read(coding)) if one.question.id == question)


def test_a_planted_error_is_the_first_to_look_at(coding: Coding) -> None:
    truth = coded_texts(coding)
    wrong, mild, *_ = truth
    said = {text: {"humor": SURE[label]} for text, label in truth.items()}
    said[wrong] = {"humor": (0.98, 0.02)}
    said[mild] = {"humor": (0.3, 0.7)}
    score(coding, said)
    found = of(coding)
    assert (found.n, found.seen, found.missing) == (30, 0, "")
    (suspect,) = found.suspects
    assert (suspect.text_id, suspect.label, suspect.instead, suspect.unseen) == (wrong, "yes", "no", True)
    assert (suspect.p, suspect.p_instead) == pytest.approx((0.02, 0.98))


def test_confident_is_what_reaches_the_mean_of_its_own() -> None:
    given = np.repeat([0, 1, 2], [6, 6, 3])
    p = np.tile([0.6, 0.3, 0.1], (15, 1))
    p[6:12] = (0.2, 0.7, 0.1)
    p[12:] = (0.1, 0.2, 0.7)
    p[0] = (0.1, 0.6, 0.3)  # the means of 1 are .7: likely, but not as likely as a 1 usually is
    p[1] = (0.1, 0.75, 0.15)
    p[2] = (0.1, 0.1, 0.8)  # of 2 there are too few to know
    assert confident(given, p).tolist() == [-1, 1, *[-1] * 13]


def test_the_audit_and_the_controls_are_not_compared(coding: Coding) -> None:
    audit, control = coded_texts(coding, stream="audit"), coded_texts(coding, stream="control")
    work = coded_texts(coding)
    score(coding, {text: {"humor": SURE["no"]} for text in (*audit, *control, *work)})
    found = of(coding)
    assert found.n == len(work)
    assert {one.text_id for one in found.suspects} == {text for text, label in work.items() if label == "yes"}
    with coding.store.reading() as s:
        made = section(s, read(coding))
    words = {example.fields[0].split()[0] for each in made.examples for example in each.texts}
    assert words == {"work"}


def test_what_an_adjudicator_decided_is_not_listed(coding: Coding) -> None:
    truth = coded_texts(coding)
    first, *_ = truth
    score(coding, {text: {"humor": SURE[label]} for text, label in truth.items()} | {first: {"humor": (0.99, 0.01)}})
    assert [one.text_id for one in of(coding).suspects] == [first]
    coding.answer(first, 2, humor="no")
    coding.answer(first, 9, humor="yes", origin="adjudicated")
    assert of(coding).suspects == ()


def test_a_label_of_a_multiple_choice_is_compared_with_its_absence(coding: Coding) -> None:
    said = {}
    for number in range(24):
        text, ticks = coding.text(f"text {number}"), (("money",), ("money", "sport"))[number % 2]
        coding.answer(text, 1, topics=ticks)
        said[text] = {"topics": (0.9, 0.05, 0.9 if "sport" in ticks else 0.05)}
    lacking, *_ = said
    said[lacking] = {"topics": (0.9, 0.05, 0.97)}
    score(coding, said)
    (one,) = of(coding, "topics").suspects
    assert (one.text_id, one.label, one.instead) == (lacking, "not sport", "sport")


def tuned(coding: Coding, learned: list[int], said: dict[int, tuple[float, float]], *, known: bool = True) -> None:
    """A new current release whose adapter was tuned on the texts `learned`."""
    with coding.store.writing() as s:
        project, revision = coding.world.project_id, revisions.current(s, coding.world.project_id)
        assert revision is not None
        humor = revisions.question_ids(s, project)["humor"]
        if known:
            kept = snapshots.remember(s, project, "hash", revision.id, {})
            snapshots.add(s, kept.id, [ItemRow(text, humor, {}, "train") for text in learned])
        runs.adapter(s, project, "tuned", "there", {"parts": {"humor": {"snapshot": "hash"}}}, "")
        same = {"engine": "keyword", "base": "keyword", "base_digest": "0", "dtype": "", "prompt_hash": ""}
        scorer = releases.scorer(s, **same, adapter_digest="tuned", scoring_hash=revision.scoring_hash, method="count")
        made = releases.release(s, project, scorer, revision, order_policy="margin")
        releases.point(s, project, made, by="test", reason="test")
        predictions.store(s, scorer.id, [(text, humor, np.log(np.array(p)), 0) for text, p in said.items()])


def test_scores_of_a_release_that_did_not_learn_from_the_text_go_first(coding: Coding) -> None:
    truth = coded_texts(coding)
    ids = list(truth)
    wrong, new = ids[0], ids[2]  # a "yes" that the zero-shot model doubts, and one that no earlier release knows
    zero = {text: {"humor": SURE[label]} for text, label in truth.items() if text != new}
    score(coding, zero | {wrong: {"humor": (0.98, 0.02)}})
    learned = {text: (0.05, 0.95) if truth[text] == "yes" else (0.95, 0.05) for text in ids}
    tuned(coding, ids[:20], learned)
    found = of(coding)
    assert [(one.text_id, one.unseen, round(one.p, 2)) for one in found.suspects] == [(wrong, True, 0.02)]
    assert (found.n, found.seen) == (30, 1), "the text that only the tuned release has scores of"


def test_an_adapter_whose_labels_are_not_known_has_learned_from_all(coding: Coding) -> None:
    truth = coded_texts(coding)
    score(coding, {})
    tuned(coding, [], {text: SURE[label] for text, label in truth.items()}, known=False)
    found = of(coding)
    assert (found.n, found.seen) == (30, 30)


def test_the_section_shows_texts_and_says_what_they_are(coding: Coding) -> None:
    truth = coded_texts(coding)
    first, *_ = truth
    score(coding, {text: {"humor": SURE[label]} for text, label in truth.items()} | {first: {"humor": (0.99, 0.01)}})
    with coding.store.reading() as s:
        made = section(s, read(coding))
    assert made.missing == ""
    (table,) = made.tables
    assert table.rows == ("humor",) and table.cells == ((30, 1, 0),)
    (examples,) = made.examples
    (example,) = examples.texts
    assert example.fields == ("work 0",)
    assert dict(example.said) == {
        "accepted": "yes (the model: 0.01)",
        "the model's": "no (0.99)",
        "the model": "did not learn from this text",
    }
    words = " ".join((*made.text, *examples.notes, table.title)).lower()
    assert "look" in words and "again" in words and "wrong label" not in words


def test_too_few_texts_are_said_to_be(coding: Coding) -> None:
    truth = coded_texts(coding, LEAST - 1)
    score(coding, {text: {"humor": SURE[label]} for text, label in truth.items()})
    found = of(coding)
    assert found.suspects == () and f"{LEAST - 1} assisted texts" in found.missing
    with coding.store.reading() as s:
        made = section(s, read(coding))
    assert made.missing.startswith("Nothing could be compared") and "year: a number has no probability" in made.missing


def test_the_report_has_them(coding: Coding) -> None:
    coded_texts(coding)
    with coding.store.reading() as s:
        assert "suspects" in {one.key for one in build(s, coding.world.key).sections}


def test_a_project_without_a_release_has_nothing_to_compare(coding: Coding) -> None:
    coded_texts(coding)
    with coding.store.reading() as s:
        facts = replace(read(coding), release=None, scorer=None)
        assert all(one.missing for one in compared(s, facts))
