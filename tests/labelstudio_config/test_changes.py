from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from labelstudio_config.changes import What, changes
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Provenance, Question
from tests.labelstudio_config.strategies import codebooks

JOY, ANGER = Label("joy", "joy", "Joy", "Is glad.", ("Yes!",)), Label("anger", "2", "Anger")
MOOD = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (Field("text", "text"),), (JOY, ANGER), "Which mood?")
YEAR = Question("year", "year", Kind.NUMBER, Control.NUMBER, (Field("text", "text"),))
BOOK = Codebook("k", "Moods", (MOOD, YEAR))


def mood(**parts: Any) -> Codebook:
    return replace(BOOK, questions=(replace(MOOD, **parts), YEAR))


def label(**parts: Any) -> Codebook:
    return mood(labels=(replace(JOY, **parts), ANGER))


OF = "of the label 'Joy' (joy) of 'mood'"
TOLD: list[tuple[Codebook, What, str, str, str]] = [
    (replace(BOOK, title="M"), What.OTHER, "", "", "The title was 'Moods' and is 'M'."),
    (replace(BOOK, instruction="Read."), What.INSTRUCTION, "", "", "The instruction of the codebook is new: 'Read.'."),
    (replace(BOOK, notes=(Note("why", "text"),)), What.OTHER, "", "", "The boxes for notes changed: there are 'why'."),
    (replace(BOOK, provenance=Provenance(paper="P")), What.OTHER, "", "", "What is said of where the codebook comes"),
    (replace(BOOK, questions=(MOOD,)), What.REMOVED, "year", "", "The question 'year' was removed."),
    (
        replace(BOOK, questions=(MOOD, YEAR, replace(MOOD, id="tone", name="tone"))),
        *(What.ADDED, "tone", "", "The question 'tone' (single) was added with the labels 'Joy', 'Anger'."),
    ),
    (replace(BOOK, questions=(YEAR, MOOD)), What.ORDER, "", "", "The questions are in another order: 'year', 'mood'."),
    (mood(name="tone"), What.RENAMED, "mood", "", "The question 'mood' is called 'tone'."),
    (mood(wording="Mood?"), What.REWORDED, "mood", "", "The wording of the question 'mood' was 'Which mood?' and is"),
    (mood(wording=""), What.REWORDED, "mood", "", "The wording of the question 'mood' was taken out; it was 'Which"),
    (mood(instruction="Read."), What.INSTRUCTION, "mood", "", "The instruction of the question 'mood' is new: 'Read."),
    (mood(kind=Kind.MULTIPLE), What.FORM, "mood", "", "The kind of the question 'mood': single became multiple."),
    (mood(required=True), What.FORM, "mood", "", "The duty to answer of the question 'mood': optional became req"),
    (
        mood(labels=(JOY, Label("fear", "fear", "fear"), ANGER), verbalisers=()),
        *(What.ADDED, "mood", "fear", "The label 'fear' was added to 'mood'."),
    ),
    (mood(labels=(ANGER, JOY)), What.ORDER, "mood", "", "The labels of 'mood' are in another order: 'Anger', 'Joy'."),
    (mood(verbalisers=(("joy", "glad"),)), What.OTHER, "mood", "", "The words of the question 'mood' that SOCIALITE's"),
    (mood(provenance=Provenance(paper="P")), What.OTHER, "mood", "", "What is said of where the question 'mood' comes"),
    (label(code="1"), What.RENAMED, "mood", "joy", "The label 'joy' of 'mood' is stored as '1'."),
    (label(wording="Delight"), What.REWORDED, "mood", "joy", "The wording of the label 'Delight' (joy) of 'mood' was"),
    (label(definition="Is merry."), What.DEFINITION, "mood", "joy", f"The definition {OF} was 'Is glad.' and is"),
    (label(include="relief"), What.INCLUDE, "mood", "joy", f"What to include {OF} is new: 'relief'."),
    (label(exclude="irony"), What.EXCLUDE, "mood", "joy", f"What to exclude {OF} is new: 'irony'."),
    (label(examples=("No.", "Oh!")), What.EXAMPLES, "mood", "joy", f"The examples {OF}: 2 added, 1 taken out; th"),
    (
        replace(BOOK, questions=(MOOD, replace(YEAR, minimum=1900.0, step=0.5))),
        *(What.FORM, "year", "", "The range of the question 'year': any to any became 1900 to any in steps of 0.5."),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("now", "what", "question", "label_id", "sentence"), TOLD)
def test_each_change_is_told_alone(now: Codebook, what: What, question: str, label_id: str, sentence: str) -> None:
    (found,) = changes(BOOK, now)
    assert (found.what, found.question, found.label) == (what, question, label_id)
    assert found.sentence.startswith(sentence)


def test_a_text_that_is_read_elsewhere_is_told() -> None:
    field = (Field("text", "body"),)
    moved = replace(BOOK, questions=tuple(replace(q, fields=field) for q in BOOK.questions))
    assert [c.sentence for c in changes(BOOK, moved)] == [
        "The names or columns of the texts of the question 'mood' changed.",
        "The names or columns of the texts of the question 'year' changed.",
    ]


def test_a_removed_label_is_told_with_its_code() -> None:
    three = mood(labels=(JOY, ANGER, Label("fear", "9", "Fear")))
    assert [c.sentence for c in changes(three, BOOK)] == ["The label 'Fear' (9) of 'mood' was removed."]


def test_ids_of_another_file_are_no_change() -> None:
    other = mood(labels=(replace(JOY, id="p"), ANGER), id="q")
    assert changes(BOOK, other) == ()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(codebooks(), codebooks())
def test_nothing_is_told_exactly_where_nothing_changed(one: Codebook, other: Codebook) -> None:
    assert changes(one, one) == ()
    if changes(one, other) == ():
        assert one.content_hash == other.content_hash
