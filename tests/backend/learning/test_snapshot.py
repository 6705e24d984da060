"""Freezing what a run learns from."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, select, update

from backend.learning.rule import RuleError
from backend.learning.snapshot import Frozen, SnapshotError, freeze, load
from db import projects, texts
from db.base import now
from db.models import Snapshot, SnapshotItem, Text, TextBody
from db.store import Store
from db.texts import TextRow
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Question
from tests.backend.assist.world import BOOK, HUMOR, labels, make_world
from tests.backend.learning.coding import Coding, coded

WORDS = ["".join(random.Random(i).choices("bcdfghjklmnpqrstvwxz", k=7)) for i in range(400)]


def body(number: int) -> str:
    """A text that is like no other."""
    return " ".join(random.Random(number).choices(WORDS, k=12))


def frozen(coding: Coding, seed: int = 3, **given: Any) -> Frozen:
    return freeze(coding.store, coding.project, seed=seed, **given)


def learned(found: Frozen, question: str = "humor") -> dict[str, frozenset[str]]:
    """Words of the texts -> labels."""
    one = found.questions[question]
    return {item[0]: answer for item, answer in zip(one.items, one.answers, strict=True)}


def count(coding: Coding, model: type[Any]) -> int:
    with coding.store.reading() as s:
        return s.scalars(select(func.count()).select_from(model)).one()


def code_many(coding: Coding, numbers: range) -> None:
    for number in numbers:
        coding.answer(coding.text(body(number)), 1, humor=("yes", "no")[number % 2], topics=("sport",))


def test_a_snapshot_holds_texts_labels_and_shares_by_question(coding: Coding) -> None:
    one, two = coding.text(body(1)), coding.text(body(2))
    coding.answer(one, 1, humor="yes", topics=("sport", "money"), year=1990, stars="1")
    coding.answer(two, 1, humor="no", topics=(), year=1991)
    coding.answer(two, 2, humor="no", topics=(), year=1991)
    coding.answer(two, 3, humor="yes", topics=("health",), year=1991)
    found = frozen(coding)
    assert list(found.questions) == ["humor", "topics", "stars"]
    assert learned(found) == {body(1): {"yes"}, body(2): {"no"}}
    assert learned(found, "topics") == {body(1): {"sport", "money"}, body(2): frozenset()}
    topics = found.questions["topics"]
    assert topics.shares[[item[0] for item in topics.items].index(body(2))] == pytest.approx([0, 1 / 3, 0])
    assert topics.shares.dtype == np.float64 and topics.held.dtype == np.bool_ and topics.clusters.dtype == np.int64
    assert not topics.held.any() and sorted(topics.clusters) == [0, 1]
    assert found.empty == {"year": "The question 'year' asks for a number, and nothing is tuned on numbers."}
    with coding.store.reading() as s:
        items = s.scalars(select(SnapshotItem).order_by(SnapshotItem.text_id, SnapshotItem.question_id)).all()
    assert len(items) == 5
    value = dict(items[0].value)
    assert len(value.pop("cluster")) == 64
    assert value == {"labels": ["yes"], "shares": {"no": 0, "yes": 1}, "coders": 1, "by": "majority"}


def test_the_same_labels_are_the_same_snapshot(coding: Coding) -> None:
    code_many(coding, range(4))
    first = frozen(coding)
    again = frozen(coding)
    assert (again.id, again.hash) == (first.id, first.hash) and count(coding, Snapshot) == 1
    for change in ({"seed": 4}, {"validation": 0.2}):
        assert frozen(coding, **change).hash != first.hash
    coding.change(gold_rule="unanimous")
    assert frozen(coding).hash != first.hash
    coding.change(gold_rule="majority")
    code_many(coding, range(4, 5))
    assert frozen(coding).hash != first.hash


def test_shares_belong_to_what_is_frozen(coding: Coding) -> None:
    text = coding.text(body(1))
    coded(coding, text, "yes")
    first = frozen(coding)
    coding.answer(text, 2, humor="yes")
    assert frozen(coding).hash == first.hash
    coding.answer(text, 3, humor="no")
    assert frozen(coding).hash != first.hash


def test_an_edited_codebook_is_another_snapshot(coding: Coding) -> None:
    code_many(coding, range(3))
    first = frozen(coding)
    coding.revise(replace(BOOK, questions=(replace(HUMOR, wording="Funny?"), *BOOK.questions[1:])))
    second = frozen(coding)
    assert second.hash != first.hash and second.revision_id != first.revision_id
    coding.revise(BOOK)
    assert frozen(coding).id == first.id


def test_ids_and_order_of_arrival_are_no_matter(store: Store) -> None:
    hashes = set()
    for n, order in enumerate(([1, 2, 3, 4], [4, 2, 1, 3])):
        coding = Coding(make_world(store, f"posts-{n}"))
        for number in order:
            text = coding.text(body(number), group="pair" if number < 3 else None)
            for coder in random.Random(n).sample([1, 2, 3], 3):
                coding.answer(text, coder, humor="yes" if number + coder > 4 else "no", topics=("money",))
        hashes.add(frozen(coding).hash)
    assert len(hashes) == 1


AGAIN = """
import sys
from backend.learning.snapshot import freeze
from db import projects
from db.store import Store
store = Store(sys.argv[1])
with store.reading() as s:
    project = projects.by_key(s, "posts")
found = freeze(store, project, seed=3)
print(found.hash, found.id)
store.close()
"""


def test_another_process_freezes_the_same(coding: Coding, checkout: Path) -> None:
    code_many(coding, range(60))
    coding.text(body(90), group="a group")
    first = frozen(coding)
    assert first.questions["humor"].held.any()
    with coding.store.writing() as s:
        s.execute(delete(SnapshotItem))
        s.execute(delete(Snapshot))
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, coding.store.url],
        cwd=checkout,
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    hash_, id_ = done.stdout.split()
    assert hash_ == first.hash
    assert load(coding.store, int(id_)).hash == first.hash


def same(a: Frozen, b: Frozen) -> None:
    assert (a.id, a.hash, a.revision_id, a.codebook, a.terms) == (b.id, b.hash, b.revision_id, b.codebook, b.terms)
    assert (a.left_out, a.empty, dict(a.fields)) == (b.left_out, b.empty, dict(b.fields))
    assert list(a.questions) == list(b.questions)
    for one, other in zip(a.questions.values(), b.questions.values(), strict=True):
        assert (list(one.items), list(one.answers)) == (list(other.items), list(other.answers))
        for name in ("shares", "held", "clusters"):
            assert np.array_equal(getattr(one, name), getattr(other, name))


def test_a_snapshot_is_loaded_as_it_was_whatever_is_answered_since(coding: Coding) -> None:
    code_many(coding, range(45))
    coding.text(body(1).upper())
    first = frozen(coding)
    same(load(coding.store, first.id), first)
    code_many(coding, range(50, 60))
    coding.answer(coding.text(body(1)), 1, humor="yes")
    coding.revise(replace(BOOK, questions=BOOK.questions[:1]))
    same(load(coding.store, first.id), first)
    assert count(coding, SnapshotItem) == 90


def test_a_snapshot_whose_writing_broke_off_is_not_used_but_finished(coding: Coding) -> None:
    code_many(coding, range(5))
    first = frozen(coding)
    with coding.store.writing() as s:
        s.execute(delete(SnapshotItem).where(SnapshotItem.text_id == select(func.min(Text.id)).scalar_subquery()))
    with pytest.raises(SnapshotError, match="not whole"):
        load(coding.store, first.id)
    same(frozen(coding), first)
    same(load(coding.store, first.id), first)
    with pytest.raises(SnapshotError, match="no snapshot 99"):
        load(coding.store, 99)


def erase(coding: Coding, text_id: int) -> None:
    with coding.store.writing() as s:
        s.execute(update(TextBody).where(TextBody.text_id == text_id).values(fields=None, erased_at=now()))


def test_erased_texts_are_not_learned_from(coding: Coding) -> None:
    code_many(coding, range(3))
    first = frozen(coding)
    erase(coding, 1)
    with pytest.raises(SnapshotError, match="1 texts of the snapshot 1 were erased"):
        load(coding.store, first.id)
    found = frozen(coding)
    assert found.hash != first.hash and len(found.questions["humor"]) == 2
    assert found.left_out["humor"] == {"erased": 1}


# -- the audit stays out -----------------------------------------------------------------------------------------------


def test_what_is_tied_to_the_audit_is_not_learned_from(coding: Coding) -> None:
    coding.text(body(0), "audit", group="thread 1")
    tied = {
        "mate": coding.text(body(1), group="thread 1"),
        "near": coding.text(body(0).upper() + "!!"),
        "edited": coding.text(body(0) + " zz"),
        "nearly near": coding.text(body(2)),
    }
    coding.text(body(2) + " yy", "control", group="thread 1")
    with coding.store.writing() as s:
        cluster = select(Text.id).where(Text.group_key == "thread 1").order_by(Text.id).limit(1)
        s.execute(update(Text).where(Text.id == tied["nearly near"]).values(cluster=cluster.scalar_subquery()))
    free = coding.text(body(3))
    for text in (*tied.values(), free):
        coding.answer(text, 1, humor="yes")
    found = frozen(coding)
    assert learned(found) == {body(3): {"yes"}}
    assert found.left_out["humor"] == {"in the audit or nearly so": 4}


def test_texts_that_came_after_the_draw_are_compared_with_it(coding: Coding) -> None:
    late = [coding.text(f"{body(5)} {end}") for end in ("a", "b")]
    other = coding.text(body(6))
    for text in (*late, other):
        coding.answer(text, 1, humor="yes")
    assert len(learned(frozen(coding))) == 3
    coding.text(body(5), "audit", rank=3)
    assert set(learned(frozen(coding))) == {body(6)}


def test_examples_that_the_audit_holds_are_not_in_the_codebook(coding: Coding) -> None:
    no, yes = HUMOR.labels
    shown = replace(HUMOR, labels=(replace(no, examples=(body(7), body(8))), yes))
    coding.revise(replace(BOOK, questions=(shown, *BOOK.questions[1:])))
    code_many(coding, range(3))
    coding.text(body(7), "audit")
    found = frozen(coding)
    assert found.codebook.questions[0].labels[0].examples == (body(8),)
    same(load(coding.store, found.id), found)


PAIR = (Field("first", "first"), Field("second", "second"))
BOTH = Question("same", "same", Kind.SINGLE, Control.CHOICES, PAIR, labels("no", "yes"))
ONE = Question("rude", "rude", Kind.SINGLE, Control.CHOICES, PAIR[1:], labels("no", "yes"))


def test_a_question_about_one_text_of_a_pair_does_not_see_the_audits(store: Store) -> None:
    pairs = Coding(make_world(store, "pairs", Codebook("pairs", "Pairs", (BOTH, ONE))), Codebook("p", "P", (BOTH, ONE)))
    with store.writing() as s:
        ids = texts.remember(
            s, pairs.world.project_id, [TextRow((body(n), body(m))) for n, m in ((1, 2), (3, 2), (4, 5), (6, 1))]
        )
    pairs.place(ids[0], "audit")
    for text in ids[1:]:
        pairs.place(text, "work")
        pairs.answer(text, 1, same="yes", rude="no")
    found = frozen(pairs)
    assert set(found.questions["same"].items) == {(body(3), body(2)), (body(4), body(5)), (body(6), body(1))}
    assert set(found.questions["rude"].items) == {(body(5),), (body(1),)}
    assert found.left_out == {"same": {}, "rude": {"in the audit or nearly so": 1}}


# -- the validation part -----------------------------------------------------------------------------------------------


def test_tied_texts_are_in_the_same_part_and_cluster(coding: Coding) -> None:
    for number in range(60):
        for end in ("", " zz"):
            coding.answer(coding.text(body(number) + end), 1, humor="yes")
    one = frozen(coding, validation=0.3).questions["humor"]
    parts: dict[str, set[tuple[int, bool]]] = {}
    for item, cluster, held in zip(one.items, one.clusters, one.held, strict=True):
        parts.setdefault(item[0].removesuffix(" zz"), set()).add((int(cluster), bool(held)))
    assert len(parts) == 60 and all(len(where) == 1 for where in parts.values())
    assert 5 < sum(held for ((_, held),) in parts.values()) < 30


def test_a_question_with_few_labels_has_no_validation_part(coding: Coding) -> None:
    code_many(coding, range(45))
    for number in range(10):
        coding.answer(coding.text(body(100 + number)), 1, stars="1")
    found = frozen(coding)
    assert found.questions["humor"].held.any() and not found.questions["stars"].held.any()


# -- nothing to freeze -------------------------------------------------------------------------------------------------


def refused(coding: Coding) -> str:
    with pytest.raises(SnapshotError) as caught:
        frozen(coding)
    assert (count(coding, Snapshot), count(coding, SnapshotItem)) == (0, 0)
    return str(caught.value)


def test_without_answers(coding: Coding) -> None:
    assert refused(coding).startswith("Nobody has answered yet")


def test_answers_that_do_not_count_are_counted(coding: Coding) -> None:
    text = coding.text(body(1))
    coded(coding, text, "yes", "no")
    coded(coding, coding.text(body(2), "audit"), "yes", "yes")
    coding.answer(coding.text(body(3), "control"), 1, humor="yes")
    coding.revise(replace(BOOK, questions=BOOK.questions[:1]))
    assert refused(coding) == (
        "No label is accepted yet, so there is nothing to learn from. There are 5 answers. 2 are to audit texts and 1 "
        "are to control texts, which are never trained on. Why texts of the work stream have none, in texts a "
        "question: 'humor': tie 1. Code texts of the work stream, or have those decided that coders "
        "disagree on (`socialite disagreements --push`)."
    )


def test_numbers_alone_are_not_learned_from(coding: Coding) -> None:
    coding.revise(replace(BOOK, questions=BOOK.questions[3:]))
    coding.answer(coding.text(body(1)), 1, year=1990)
    assert refused(coding) == "The codebook asks for numbers only, and nothing is tuned on numbers."


def test_all_texts_too_near_to_the_audit(coding: Coding) -> None:
    coding.text(body(1), "audit")
    coding.answer(coding.text(body(1) + "?"), 1, humor="yes")
    assert "'humor': in the audit or nearly so 1" in refused(coding)


def test_a_question_without_labels_is_left_out_with_the_reason(coding: Coding) -> None:
    coding.revise(replace(BOOK, questions=BOOK.questions[:1] + BOOK.questions[2:3]))
    coding.text(body(2), "audit")
    coding.answer(coding.text(body(1)), 1, humor="yes")
    assert frozen(coding).empty == {"stars": "The question 'stars' has no accepted label yet: left blank 1."}
    coding.answer(coding.text(body(2) + "!"), 1, stars="2")
    assert frozen(coding).empty == {
        "stars": "No accepted label of the question 'stars' may be learned from: in the audit or nearly so 1."
    }


def test_a_project_without_a_codebook_and_an_unknown_rule(coding: Coding) -> None:
    with coding.store.writing() as s:
        bare = projects.create(s, "bare", "Bare", 1, {})
    with pytest.raises(SnapshotError, match="no codebook"):
        freeze(coding.store, bare, seed=1)
    coding.change(gold_rule="loudest")
    with pytest.raises(RuleError):
        frozen(coding)


def test_no_message_holds_words_of_a_text(coding: Coding) -> None:
    coding.text(body(1), "audit")
    coding.answer(coding.text(body(1) + "?"), 1, humor="yes")
    assert not any(word in refused(coding) for word in body(1).split())
    with coding.store.reading() as s:
        assert json.dumps(list(s.scalars(select(Snapshot.rule)))) == "[]"
