"""How far the audit counts: the part of its random order that is complete."""

from __future__ import annotations

from tests.backend.learning.coding import Coding, coded, humor, why


def test_only_the_completed_part_of_the_random_order_counts(coding: Coding) -> None:
    order = [coding.text(f"text {rank}", "audit", rank=rank) for rank in (0, 2, 4, 6, 8)]
    coded(coding, order[0], "yes", "yes")
    coded(coding, order[1], "yes", "no")
    coded(coding, order[2], "yes")
    coding.answer(order[2], 2, cancelled=True)
    coded(coding, order[4], "no", "no")
    found = coding.audit()
    assert humor(found) == [(order[0], "yes")]
    assert why(found) == {"tie": 1, "skipped": 1, "not reached": 2}
    assert {text for text, _ in found.votes} == set(order[:3])
    coded(coding, order[3], "yes", "yes")
    assert humor(coding.audit()) == [(order[0], "yes"), (order[3], "yes"), (order[4], "no")]


def test_a_text_that_one_coder_has_left_open_ends_the_part(coding: Coding) -> None:
    order = [coding.text(f"text {rank}", "audit", rank=rank) for rank in range(3)]
    coded(coding, order[0], "yes")
    coded(coding, order[1], "yes", "yes")
    assert coding.audit().accepted == ()
    assert why(coding.audit()) == {"too few coders": 1, "not reached": 2}
    coding.answer(order[0], 3, humor="no", origin="adjudicated")
    assert humor(coding.audit()) == [(order[0], "no"), (order[1], "yes")], "an adjudicated text is done"


def test_a_deleted_answer_opens_the_text_again(coding: Coding) -> None:
    order = [coding.text(f"text {rank}", "audit", rank=rank) for rank in range(2)]
    first = coding.answer(order[0], 9, humor="yes")
    coded(coding, order[0], "yes")
    coded(coding, order[1], "yes", "yes")
    assert len(humor(coding.audit())) == 2
    coding.delete(first)
    assert humor(coding.audit()) == []


def test_tied_texts_are_done_together(coding: Coding) -> None:
    one, twin, after = (coding.text(body, "audit", rank=rank) for body, rank in (("a", 0), ("a!", 0), ("b", 1)))
    coded(coding, one, "yes", "yes")
    coded(coding, after, "no", "no")
    assert humor(coding.audit()) == []
    coded(coding, twin, "yes", "yes")
    assert len(humor(coding.audit())) == 3


def test_a_later_draw_is_coded_after_an_earlier_one(coding: Coding) -> None:
    later = coding.text("b", "audit", rank=0, draw=2)
    first = coding.text("a", "audit", rank=5, draw=1)
    coded(coding, later, "no", "no")
    assert humor(coding.audit()) == [] and why(coding.audit()) == {"not reached": 2}
    coded(coding, first, "yes", "yes")
    assert len(humor(coding.audit())) == 2


def test_a_text_whose_task_was_deleted_is_nonresponse_and_stops_nobody(coding: Coding) -> None:
    gone, there = (coding.text(body, "audit", rank=rank) for rank, body in enumerate("ab"))
    coded(coding, gone, "yes", "yes")
    coded(coding, there, "no", "no")
    coding.delete_task(gone)
    assert humor(coding.audit()) == [(there, "no")] and why(coding.audit()) == {"no task any more": 1}


def test_a_text_that_never_had_a_task_ends_the_part(coding: Coding) -> None:
    bare, there = coding.text("a", None), coding.text("b", "audit", rank=1)
    coding.place(bare, "audit", rank=0)
    coded(coding, there, "no", "no")
    assert humor(coding.audit()) == [] and why(coding.audit()) == {"not reached": 2}


def test_an_edited_text_takes_the_place_of_what_it_was(coding: Coding) -> None:
    old, after = (coding.text(body, "audit", rank=rank) for rank, body in enumerate("ab"))
    coded(coding, after, "no", "no")
    new = coding.edit(old, "A better text")
    assert humor(coding.audit()) == []
    coded(coding, new, "yes", "yes")
    assert sorted(humor(coding.audit())) == sorted([(new, "yes"), (after, "no")])
    assert why(coding.audit()) == {"no task any more": 1}


def test_the_part_is_complete_question_by_question(coding: Coding) -> None:
    text = coding.text("a", "audit")
    coding.answer(text, 1, humor="yes", stars="1")
    coding.answer(text, 2, stars="1")
    found = coding.audit()
    assert [a.question for a in found.accepted] == ["stars", "topics"]
    assert why(found) == {"left blank": 1}


def test_the_completed_part_is_told_with_what_is_missing_in_it(coding: Coding) -> None:
    order = [coding.text(f"text {rank}", "audit", rank=rank) for rank in range(4)]
    coded(coding, order[0], "yes", "yes")
    coded(coding, order[1], "yes", "no")
    coding.delete_task(order[2])
    found = coding.audit()
    assert found.completed["humor"] == set(order[:3])
    assert coding.work().completed == {}
