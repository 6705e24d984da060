"""Which answers count for training and for the audit, and what they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.learning.accepted import Accepted, Vote, audit_labels
from backend.learning.rule import RuleError
from db import answers, projects, revisions, tables
from db.models import AnswerVersion, Unit
from db.tables import TableAnswer
from labelstudio_config.codebook import Codebook, Kind, Label
from tests.backend.assist.world import BOOK, HUMOR, STARS, TOPICS, labels
from tests.backend.learning.coding import START, Coding, coded, humor, why

# -- a vote ------------------------------------------------------------------------------------------------------------


def test_the_answers_to_every_kind_of_question_are_accepted(coding: Coding) -> None:
    text = coding.text("one")
    coding.answer(text, 1, humor="yes", topics=("money", "sport"), stars="2", year=1990)
    coding.answer(text, 2, humor="yes", topics=("money",), stars="3", year=1991)
    coding.answer(text, 3, humor="no", topics=(), stars="4", year=1995)
    third = 1 / 3
    assert coding.work().accepted == (
        Accepted(text, "humor", frozenset({"yes"}), None, (third, 2 / 3), 3, "majority"),
        Accepted(text, "stars", frozenset({"3"}), None, (0, third, third, third), 3, "majority"),
        Accepted(text, "topics", frozenset({"money"}), None, (2 / 3, 0, third), 3, "majority"),
        Accepted(text, "year", frozenset(), 1992.0, (), 3, "majority"),
    )
    assert [vote.number for vote in coding.work().votes[text, "year"]] == [1990, 1991, 1995]


def test_a_coder_who_changes_her_mind_has_one_vote_the_latest(coding: Coding) -> None:
    text = coding.text("one")
    first = coding.answer(text, 1, humor="yes")
    coding.answer(text, 1, humor="no", annotation=first)
    coding.answer(text, 1, humor="yes", annotation=first, at=1)  # an old version that comes late
    assert humor(coding.work()) == [(text, "no")]
    second = coding.answer(text, 1, humor="yes")
    found = coding.work()
    assert humor(found) == [(text, "yes")] and len(found.votes[text, "humor"]) == 1
    coding.delete(second)
    assert humor(coding.work()) == [(text, "no")]
    coding.delete(first)
    assert coding.work().accepted == () and why(coding.work()) == {}


def test_one_coder_who_meets_a_text_in_two_tasks_counts_once(coding: Coding) -> None:
    text = coding.text("one")
    coding.answer(text, 1, humor="no")
    assert coding.texts(["one"]) == [text]
    coding.answer(text, 1, humor="yes", ls_task_id=coding.tasks(text)[-1])
    assert len(coding.tasks(text)) == 2
    assert len(coding.work().votes[text, "humor"]) == 1 and humor(coding.work()) == [(text, "yes")]


def test_answers_of_unknown_coders_are_of_a_voter_each(coding: Coding) -> None:
    text = coding.text("one")
    for vote in ("yes", "yes", "no"):
        coding.answer(text, None, humor=vote)
    assert coding.work().votes[text, "humor"] == tuple(Vote(None, frozenset({v})) for v in ("yes", "yes", "no"))


def test_a_skip_is_no_vote_and_takes_back_the_coders_earlier_one(coding: Coding) -> None:
    text, other = coding.text("one"), coding.text("two")
    coding.answer(text, 1, humor="yes")
    coding.answer(text, 1, cancelled=True)
    coded(coding, other, "yes")
    coding.answer(other, 2, cancelled=True)
    found = coding.work()
    assert humor(found) == [(other, "yes")] and why(found) == {"skipped": 1}
    assert (text, "humor") not in found.votes


def test_what_is_left_blank_is_no_vote_but_no_tick_is_a_vote_for_none(coding: Coding) -> None:
    text, unread = coding.text("one"), coding.text("two")
    coding.answer(text, 1)
    coding.answer(unread, 1, humor="yes", problems=["The question 'topics' is answered twice."])
    found = coding.work()
    assert why(found, "humor") == {"left blank": 1}
    assert why(found, "stars") == why(found, "year") == {"left blank": 1, "unreadable": 1}
    assert [(a.text_id, a.question, a.labels) for a in found.accepted] == [
        (text, "topics", frozenset()),
        (unread, "humor", frozenset({"yes"})),
    ]
    assert why(found, "topics") == {"unreadable": 1}


# -- what never counts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason"),
    [({"origin": "bulk"}, "made from predictions"), ({"phase": "training"}, "another phase")],
)
def test_answers_that_are_not_trained_on(coding: Coding, given: dict[str, str], reason: str) -> None:
    text = coding.text("one")
    coding.answer(text, 1, humor="yes", **given)
    found = coding.work()
    assert (found.accepted, found.votes) == ((), {}) and why(found) == {reason: 1}
    coded(coding, text, "no")
    assert humor(coding.work()) == [(text, "no")] and why(coding.work()) == {}


@pytest.mark.parametrize(
    "given",
    [{"origin": "kept"}, {"origin": "changed"}, {"origin": "imported"}, {"phase": "pilot"}, {"origin": "adjudicated"}],
)
def test_answers_that_are_trained_on(coding: Coding, given: dict[str, str]) -> None:
    text = coding.text("one")
    coding.answer(text, 1, humor="yes", **given)
    assert humor(coding.work()) == [(text, "yes")]


@pytest.mark.parametrize("stream", ["audit", "control", None])
def test_only_texts_of_the_work_stream_are_trained_on(coding: Coding, stream: str | None) -> None:
    coded(coding, coding.text("one", stream), "yes", "yes", where="assisted")
    found = coding.work()
    assert (found.accepted, found.votes) == ((), {}) and not any(found.unresolved.values())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"origin": "bulk"}, "made from predictions"),
        ({"origin": "imported"}, "imported"),
        ({"phase": "pilot"}, "another phase"),
        ({"phase": "training"}, "another phase"),
        ({"origin": "kept"}, "not blind"),
        ({"origin": "changed"}, "not blind"),
        ({"where": "assisted"}, "not blind"),
        ({"where": "assisted", "origin": "adjudicated"}, "not blind"),
    ],
)
def test_answers_that_never_measure(coding: Coding, given: dict[str, str], reason: str) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes", "yes", **given)
    found = coding.audit()
    assert (found.accepted, found.votes) == ((), {}) and why(found) == {reason: 1}
    coded(coding, text, "no", "no")
    assert humor(coding.audit()) == [(text, "no")] and why(coding.audit()) == {}


def test_an_audit_answer_that_began_with_a_suggestion_is_not_blind(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes", release_id=coding.release())
    assert coding.audit().accepted == () and why(coding.audit()) == {"not blind": 1}


def test_the_audits_roles_are_apart(coding: Coding) -> None:
    gate, test = coding.text("one", "audit", rank=0), coding.text("two", "audit", rank=1, role="test")
    coded(coding, gate, "yes", "yes")
    coded(coding, test, "no", "no")
    assert humor(coding.audit("gate")) == [(gate, "yes")]
    assert humor(coding.audit("test")) == [(test, "no")]


# -- rules -------------------------------------------------------------------------------------------------------------


def test_adjudication_goes_before_ground_truth_before_the_rule_and_the_latest_of_each(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes")
    assert [(set(a.labels), a.by) for a in coding.audit().accepted if a.question == "humor"] == [({"yes"}, "majority")]
    coding.answer(text, 3, humor="yes", ground_truth=True)
    latest = coding.answer(text, 4, humor="no", ground_truth=True)
    (value,) = [a for a in coding.audit().accepted if a.question == "humor"]
    assert (set(value.labels), value.by, value.coders, value.shares) == ({"no"}, "ground truth", 4, (0.25, 0.75))
    coding.answer(text, 6, humor="no")
    coding.answer(text, 5, humor="no", origin="adjudicated")
    coding.answer(text, 5, humor="yes", origin="adjudicated")
    coding.answer(text, 5, cancelled=True, origin="adjudicated")
    (value,) = [a for a in coding.audit().accepted if a.question == "humor"]
    assert (set(value.labels), value.by, value.coders, value.shares) == ({"no"}, "ground truth", 5, (0.4, 0.6))
    coding.answer(text, 7, humor="no")
    (value,) = [a for a in coding.audit().accepted if a.question == "humor"]
    assert (set(value.labels), value.by, value.coders, value.shares) == ({"yes"}, "adjudicated", 6, (0.5, 0.5)), "a tie"
    coding.delete(latest)
    assert len(coding.audit().votes[text, "humor"]) == 5, "who adjudicates is no coder"


def test_an_adjudicator_settles_what_votes_leave_open_and_overrules_no_agreement(coding: Coding) -> None:
    for text, topics in ((coding.text("one", "audit"), ("money",)), (coding.text("two"), ("health",))):
        coding.answer(text, 1, humor="yes", topics=topics)
        coding.answer(text, 2, humor="no", topics=topics)
        coding.answer(text, 3, humor="no", topics=("sport",), origin="adjudicated")
    for found, topic in ((coding.audit(), "money"), (coding.work(), "health")):
        made = {a.question: (",".join(a.labels), a.by) for a in found.accepted}
        assert made["humor"] == ("no", "adjudicated") and made["topics"] == (topic, "majority")
        assert {len(votes) for (_, key), votes in found.votes.items() if key == "humor"} == {2}


def test_an_adjudicator_alone_gives_the_shares(coding: Coding) -> None:
    text = coding.text("one")
    coding.answer(text, 1, topics=("money", "sport"), origin="adjudicated")
    (value,) = [a for a in coding.work().accepted if a.question == "topics"]
    assert (set(value.labels), value.shares, value.coders) == ({"money", "sport"}, (1, 0, 1), 0)


def test_audit_labels_need_as_many_coders_as_the_design_says(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes")
    assert coding.audit().accepted == () and why(coding.audit()) == {"too few coders": 1}
    coded(coding, text, "yes", "yes")
    assert humor(coding.audit()) == [(text, "yes")]
    coding.change(sampling_design={"audit": 1, "control": 1, "coders": 3})
    assert coding.audit().accepted == () and why(coding.audit()) == {"too few coders": 1}
    coding.answer(text, 4, humor="no", ground_truth=True)
    assert humor(coding.audit()) == [(text, "no")]
    coding.change(sampling_design={})
    assert humor(coding.audit()) == [(text, "no")]


def test_a_rule_can_be_changed_and_an_unknown_one_is_refused(coding: Coding) -> None:
    text, other = coding.text("one"), coding.text("two")
    coded(coding, text, "yes", "yes", "no")
    coded(coding, other, "no", "no")
    coding.change(gold_rule="unanimous")
    assert humor(coding.work()) == [(other, "no")] and why(coding.work()) == {"not unanimous": 1}
    assert {a.by for a in coding.work().accepted if a.question == "humor"} == {"unanimous"}
    coding.change(gold_rule="adjudicated")
    assert coding.work().accepted == () and why(coding.work()) == {"not adjudicated": 2}
    coding.answer(text, 9, humor="yes", origin="adjudicated")
    assert humor(coding.work()) == [(text, "yes")]
    coding.change(gold_rule="loudest")
    with pytest.raises(RuleError, match=r"'loudest'.*majority, unanimous, adjudicated"):
        coding.work()
    with pytest.raises(RuleError):
        coding.audit()


# -- revisions ---------------------------------------------------------------------------------------------------------


def reworded(**change: Any) -> Codebook:
    return replace(BOOK, questions=(replace(HUMOR, **change), *BOOK.questions[1:]))


DEFINED = (HUMOR.labels[0], replace(HUMOR.labels[1], definition="It is meant to amuse."))
SEEN = [
    {"wording": "Is it funny?"},
    {"instruction": "Decide whether it is funny."},
    {"labels": DEFINED},
    {"labels": (HUMOR.labels[0], replace(HUMOR.labels[1], include="puns"))},
    {"labels": (HUMOR.labels[0], replace(HUMOR.labels[1], exclude="puns"))},
    {"labels": HUMOR.labels[::-1]},
    {"labels": (HUMOR.labels[0], replace(HUMOR.labels[1], wording="Yes!"))},
    {"labels": (*HUMOR.labels, Label("unsure", "unsure", "unsure"))},
    {"kind": Kind.ORDINAL},
]


@pytest.mark.parametrize("change", SEEN)
def test_a_change_that_coders_see_ends_what_was_measured_but_not_what_is_taught(
    coding: Coding, change: dict[str, Any]
) -> None:
    audit, work = coding.text("one", "audit"), coding.text("two")
    for text in (audit, work):
        for coder in (1, 2):
            coding.answer(text, coder, humor="yes", stars="1")
    coding.revise(reworded(**change))
    found = coding.audit()
    assert [a.question for a in found.accepted] == ["stars", "topics"], "the other questions are as they were"
    assert why(found) == {"older codebook": 1} and (audit, "humor") not in found.votes
    found = coding.work()
    if "kind" in change:
        assert humor(found) == [] and why(found) == {"older codebook": 1}
    else:
        assert humor(found) == [(work, "yes")]
    coded(coding, audit, "no", "no")
    assert humor(coding.audit()) == [(audit, "no")], "coded again"


def test_a_change_that_coders_do_not_see_changes_nothing(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes")
    examples = (HUMOR.labels[0], replace(HUMOR.labels[1], examples=("A horse walks into a bar.",)))
    coding.revise(replace(reworded(labels=examples), title="Other posts"))
    assert humor(coding.audit()) == [(text, "yes")]


def test_the_codebooks_instruction_is_what_coders_read_where_the_question_has_none(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes")
    coding.revise(replace(BOOK, instruction="Read the whole thread first."))
    assert coding.audit().accepted == () and why(coding.audit()) == {"older codebook": 1}


def test_answers_under_a_codebook_that_is_taken_up_again_count_again(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes")
    coding.revise(reworded(labels=DEFINED))
    coded(coding, text, "no", "no")
    assert humor(coding.audit()) == [(text, "no")]
    coding.revise(BOOK)
    assert humor(coding.audit()) == [(text, "yes")]


def test_a_label_that_is_gone_has_no_vote_and_shares_follow_the_labels_there_are(coding: Coding) -> None:
    text, mixed = coding.text("one"), coding.text("two")
    coding.answer(text, 1, topics=("sport",), stars="4")
    coding.answer(mixed, 1, topics=("sport", "money"), stars="1")
    coding.answer(mixed, 2, topics=("health",), stars="2")
    fewer = replace(TOPICS, labels=labels("health", "money"))
    coding.revise(replace(BOOK, questions=(HUMOR, fewer, replace(STARS, labels=labels("1", "2", "3")))))
    found = coding.work()
    assert why(found, "topics") == {"label gone": 1} and why(found, "stars") == {"label gone": 1, "tie": 1}
    (value,) = [a for a in found.accepted if a.question == "topics"]
    assert (value.text_id, set(value.labels), value.shares, value.coders) == (mixed, {"health"}, (1, 0), 1)


def test_a_new_question_has_no_older_answers(coding: Coding) -> None:
    text = coding.text("one")
    coding.answer(text, 1, humor="yes")
    coding.revise(replace(BOOK, questions=(*BOOK.questions, replace(TOPICS, id="moods", name="moods"))))
    found = coding.work()
    assert why(found, "moods") == {"older codebook": 1}
    assert "moods" not in {a.question for a in found.accepted}


# -- what a table says -------------------------------------------------------------------------------------------------


def imported(coding: Coding, text: int, coder: str, phase: str, *, gold: bool = False, **said: Any) -> None:
    """An answer of a table to the questions that are named, given to a row that shows the text."""
    with coding.store.writing() as s:
        unit = s.scalars(select(Unit).where(Unit.text_id == text)).first()
        revision = revisions.current(s, coding.project.id)
        questions, labels = revisions.question_ids(s, coding.project.id), revisions.label_ids(s, coding.project.id)
        row = projects.add_of_tables(s, coding.project.id)
        assert unit is not None and revision is not None
        names = {coder: answers.coder(s, coding.project.id, row.server_id, tables.stable(coder)).id}
        for key, given in said.items():
            values = frozenset((questions[key], labels[key, one] if one else None, None) for one in given)
            one = TableAnswer(
                unit.source, unit.external_id, coder, key, values, phase, "imported", gold, answered_at=START
            )
            tables.record(s, row, tables.changes(s, coding.project.id, [one], START), names, revision.id)


@pytest.mark.parametrize(("phase", "gold"), [("training", False), ("pilot", False), ("production", True)])
def test_labels_of_a_table_teach_and_never_measure(coding: Coding, phase: str, gold: bool) -> None:
    work, audit = coding.text("one"), coding.text("two", "audit")
    for coder in ("ann", "bob", "eve"):
        imported(coding, work, coder, phase, gold=gold, humor=["yes"])
        imported(coding, audit, coder, phase, gold=gold, humor=["yes"])
    assert humor(coding.work()) == [(work, "yes")]
    with coding.store.reading() as s:
        found = audit_labels(s, coding.project, coding.book, "gate", phase=phase)
    assert (found.accepted, found.votes, why(found)) == ((), {}, {"imported": 1})


def test_an_audit_text_that_a_table_labelled_counts_by_its_blind_answers_alone(coding: Coding) -> None:
    text = coding.text("one", "audit")
    for coder in ("ann", "bob", "eve"):
        imported(coding, text, coder, "production", gold=True, humor=["yes"])
    coded(coding, text, "no", "no")
    assert humor(coding.audit()) == [(text, "no")]
    assert len(coding.audit().votes[text, "humor"]) == 2


def test_gold_of_a_table_goes_before_the_coders(coding: Coding) -> None:
    text = coding.text("one")
    coded(coding, text, "no", "no")
    imported(coding, text, "ann", "training", humor=["yes"])
    assert humor(coding.work()) == [(text, "no")]
    imported(coding, text, "bob", "production", gold=True, humor=["yes"])
    (found,) = [one for one in coding.work().accepted if one.question == "humor"]
    assert (found.labels, found.by) == ({"yes"}, "ground truth")


def test_a_table_says_nothing_of_questions_that_it_has_no_column_for(coding: Coding) -> None:
    text = coding.text("one")
    imported(coding, text, "ann", "training", humor=["yes"])
    assert [(one.question, one.labels) for one in coding.work().accepted] == [("humor", {"yes"})]
    assert not any(coding.work().unresolved.values())
    imported(coding, text, "ann", "training", topics=[None])
    found = {one.question: one.labels for one in coding.work().accepted}
    assert found == {"humor": {"yes"}, "topics": frozenset()}


def test_what_coders_gave_while_they_trained_is_not_taught_by_way_of_a_table(coding: Coding) -> None:
    text = coding.text("one")
    imported(coding, text, "ann", "training", humor=["yes"])
    with coding.store.writing() as s:
        s.execute(update(AnswerVersion).values(origin="human"))
    assert coding.work().accepted == () and why(coding.work()) == {"another phase": 1}
