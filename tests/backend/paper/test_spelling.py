"""Labels as data sets spell them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.paper.known_books import books, question_of
from backend.paper.numbers import ORDER, RATINGS, order_of
from backend.paper.spelling import OTHERS, Spelling
from labelstudio_config.codebook import Kind, Label, Question
from labelstudio_config.library import load


def asked(name: str) -> Question:
    return question_of(load(name))


@pytest.mark.parametrize(
    ("task", "spelled", "label"),
    [
        ("humor", "humor", "humorous"),
        ("humor", "not humor", "non-humorous"),
        ("humor", "Non-Humorous", "non-humorous"),
        ("irony", "not irony", "not-ironic"),
        ("intimacy", "Very-intimate", "very-intimate"),
        ("intimacy", "Not-intimate-at-all", "not-intimate-at-all"),
        ("intimacy", "Not-intimate", "not-intimate"),
        ("subjective-bias", "the first sentence is biased", "first-sentence"),
        ("subjective-bias", "Second Sentence", "second-sentence"),
        ("distress", "distress bin", "high-distress"),
        ("distress", "not distress", "low-distress"),
        ("empathy", "empathy", "high-empathy"),
        ("arousal", "Low Arousal", "low-arousal"),
        ("agree-disagree", "N/A", "n-a"),
        ("hate-speech", "hate", "hate-speech"),
        ("offensive", "not_offensive", "not-offensive"),
        ("hyperbole", ' "not hyperbole". ', "not-hyperbole"),
    ],
)
def test_what_data_sets_call_a_label(task: str, spelled: str, label: str) -> None:
    assert Spelling(asked(task)).read(spelled) == {label}


def test_other_words_are_of_labels_that_there_are() -> None:
    by_task = {book.provenance.task: question_of(book) for book in books()}
    for task, words in OTHERS.items():
        assert set(words.values()) <= set(by_task[task].label_ids), task
    by_socket = {book.provenance.socket: question_of(book) for book in books() if book.provenance.socket}
    assert by_socket.keys() == {*ORDER, *RATINGS}
    for name, order in ORDER.items():
        assert sorted(order) == sorted(by_socket[name].label_ids), name


def test_what_is_no_label_is_none() -> None:
    assert Spelling(asked("emotion")).read("boredom") is None
    assert Spelling(asked("emotion")).read("1") is None


def test_numbers_stand_for_labels_where_the_data_has_such_numbers() -> None:
    question = asked("intimacy")
    order = order_of(question, ["0", "1", "5"])
    assert Spelling(question, numbers=order).read("0") == {"very-intimate"}
    assert Spelling(question, numbers=order).read("5.0") == {"not-intimate-at-all"}
    assert order_of(question, ["0", "6"]) == ()
    assert order_of(question, ["very intimate"]) == ()


def test_codes_go_before_numbers_and_before_wordings() -> None:
    labels = (Label("a", "1", "2"), Label("b", "2", "one"))
    question = replace(asked("irony"), labels=labels, verbalisers=())
    assert Spelling(question).read("2") == {"b"}
    assert Spelling(question).read("2.0") == {"b"}
    assert Spelling(question).read("ONE") == {"b"}
    assert order_of(question, ["0", "1"]) == ()  # its own codes are numbers


def test_a_question_with_several_labels() -> None:
    question = replace(asked("emotion"), kind=Kind.MULTIPLE)
    read = Spelling(question).read
    assert read("joy|Anger") == {"joy", "anger"}
    assert read("(none)") == frozenset()
    assert read("joy|boredom") is None


def test_words_of_the_weights_turn_the_labels_that_they_say_the_wrong_way_round() -> None:
    question = asked("biased-implication")
    assert Spelling(question).read("biased") == {"biased"}
    assert Spelling(question, verbalised=True).read("Biased") == {"not-biased"}
    assert Spelling(question, verbalised=True).read("not biased") == {"biased"}
