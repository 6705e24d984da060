from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labelstudio_config.codebook import (
    Codebook,
    Control,
    Field,
    Kind,
    Label,
    Note,
    Provenance,
    Question,
    joined,
)
from labelstudio_config.errors import CodebookError
from labelstudio_config.library import load

TEXT = Field("text", "text")
REPLY = Field("reply", "reply")
YES, NO = Label("yes", "yes", "Yes"), Label("no", "no", "No")


def question(**changes: Any) -> Question:
    parts: dict[str, Any] = {"id": "funny", "name": "funny", "kind": Kind.SINGLE, "control": Control.CHOICES}
    return Question(**parts | {"fields": (TEXT,), "labels": (YES, NO)} | changes)


def book(*questions: Question, **changes: Any) -> Codebook:
    return Codebook(**{"key": "posts", "title": "Posts", "questions": questions or (question(),)} | changes)


def number(**changes: Any) -> Question:
    return question(kind=Kind.NUMBER, control=Control.NUMBER, labels=(), **changes)


def pairwise(**changes: Any) -> Question:
    labels = (Label("left", "left", "the first"), Label("right", "right", "the second"))
    return question(**{"control": Control.PAIRWISE, "fields": (TEXT, REPLY), "labels": labels} | changes)


def stars(n: int) -> tuple[Label, ...]:
    return tuple(Label(f"s{i}", str(i), f"{i} stars") for i in range(1, n + 1))


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Label("Yes", "yes", "Yes"), "The id 'Yes' of the label 'yes' cannot be used"),
    (lambda: Label("", "yes", "Yes"), "The id '' of the label 'yes' cannot be used"),
    (lambda: Label("yes", " ", "Yes"), "The label 'yes' has no code: give it one."),
    (lambda: Label("yes", "yes", ""), "The label 'yes' has no wording: give it one."),
    (lambda: Label("yes", "yes", "Yes", "a\x00b"), "The label 'yes' holds a control character"),
    (lambda: Label("yes", "yes", "Yes", "", ("\ud800",)), "The label 'yes' holds a control character"),
    (lambda: Label("yes", "yes", "Yes", include="a\x00b"), "The label 'yes' holds a control character"),
    (lambda: Label("yes", "yes", "Yes", exclude="a\x00b"), "The label 'yes' holds a control character"),
    (lambda: Field("a,b", "text"), "The name 'a,b' of the text cannot be used in Label Studio"),
    (lambda: Field("a@b", "text"), "The name 'a@b' of the text cannot be used"),
    (lambda: Field("", "text"), "The name '' of the text cannot be used"),
    (lambda: Field("12", "text"), "is a number or a truth value"),
    (lambda: Field("true", "text"), "is a number or a truth value"),
    (lambda: Field("text", ""), "The text 'text' has no column"),
    (lambda: question(id="No good"), "The id 'No good' of the question 'funny' cannot be used"),
    (lambda: question(name="fun,ny"), "The name 'fun,ny' of the question 'funny' cannot be used"),
    (lambda: question(kind=Kind.NUMBER), "The question 'funny' is of kind 'number', but Choices answers single or"),
    (lambda: question(fields=()), "The question 'funny' is about 0 texts: it needs one text, or a pair"),
    (lambda: question(fields=(TEXT, REPLY, Field("c", "c"))), "is about 3 texts"),
    (lambda: question(fields=(TEXT, TEXT)), "is about the same text twice, 'text'"),
    (lambda: question(target="other"), "is attached to 'other': it can be attached to 'text' only."),
    (lambda: question(labels=(YES,)), "has 1 label(s): a single question needs at least 2"),
    (lambda: question(kind=Kind.MULTIPLE, labels=()), "has 0 label(s): a multiple question needs at least 1"),
    (lambda: question(labels=(YES, replace(NO, id="yes"))), "Two labels of the question 'funny' have the id 'yes'"),
    (lambda: question(labels=(YES, replace(NO, code="yes"))), "have the code 'yes': each needs its own."),
    (lambda: question(labels=(YES, replace(NO, wording="Yes"))), "have the wording 'Yes': each needs its own."),
    (lambda: question(minimum=1.0), "has a minimum, maximum or step, but asks for no number"),
    (lambda: question(verbalisers=(("maybe", "Maybe"),)), "has a verbaliser for 'maybe'"),
    (lambda: question(verbalisers=(("yes", " "),)), "has a verbaliser for 'yes'"),
    (lambda: question(verbalisers=(("yes", "a"), ("yes", "b"))), "has two verbalisers for the label 'yes'"),
    (lambda: question(kind=Kind.ORDINAL, control=Control.RATING), "the codes of its labels are '1', '2' and so on"),
    (lambda: number(minimum=3.0, maximum=3.0), "has a minimum of 3 and a maximum of 3"),
    (lambda: number(step=0.0), "has a step of 0"),
    (lambda: number(maximum=float("inf")), "has a range that is not finite"),
    (lambda: replace(number(), labels=(YES, NO)), "asks for a number and has labels"),
    (lambda: pairwise(fields=(TEXT,)), "is about 1 texts: it needs two texts"),
    (lambda: pairwise(target="reply"), "it can be attached to 'text' only"),
    (lambda: pairwise(labels=(YES, NO)), "the codes of its two labels are 'left' and 'right'"),
    (lambda: Note("", "text"), "The name '' of the note cannot be used"),
    (lambda: book(key="My posts"), "The id 'My posts' of the codebook cannot be used"),
    (lambda: book(questions=()), "The codebook 'posts' asks nothing: add a question."),
    (lambda: book(question(), question(name="b")), "Two questions of the codebook 'posts' have the id 'funny'"),
    (lambda: book(question(), question(id="b")), "two things (texts, questions, notes) have the name 'funny'"),
    (lambda: book(question(name="text")), "two things (texts, questions, notes) have the name 'text'"),
    (lambda: book(notes=(Note("funny", "text"),)), "two things (texts, questions, notes) have the name 'funny'"),
    (lambda: book(notes=(Note("why", "body"),)), "The note 'why' belongs to the text 'body'"),
    (
        lambda: book(question(), question(id="b", name="b", fields=(Field("text", "body"),))),
        "two texts differ but share the name 'text'",
    ),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_is_said(make: Callable[[], object], said: str) -> None:
    with pytest.raises(CodebookError) as caught:
        make()
    assert said in str(caught.value)


def test_a_very_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(CodebookError) as caught:
        Label("x" * 5000, "yes", "Yes")
    assert len(str(caught.value)) < 300


def test_legal_ones_of_every_kind() -> None:
    rating = question(id="r", name="r", kind=Kind.ORDINAL, control=Control.RATING, labels=stars(7))
    ordered = question(id="o", name="o", kind=Kind.ORDINAL)
    one = question(id="m", name="m", kind=Kind.MULTIPLE, labels=(YES,))
    pair = question(id="p", name="p", fields=(TEXT, REPLY), target="reply")
    made = book(rating, ordered, one, pair, pairwise(), number(id="n", name="n", minimum=0.0, maximum=5.0, step=0.5))
    assert made.fields == (TEXT, REPLY)
    assert [q.to_name for q in made.questions] == ["text", "text", "text", "reply", "text", "text"]


def test_a_question_is_found_by_id_before_name() -> None:
    made = book(question(id="a", name="b"), question(id="b", name="c"))
    assert made.question("b").name == "c"
    assert made.question("c").id == "b"
    with pytest.raises(KeyError, match="has no question 'd'; it has: a, b"):
        made.question("d")


def test_what_a_model_is_asked() -> None:
    assert question(name="is_it_funny").asked == "is it funny"
    assert question(wording="Is it funny?").asked == "Is it funny?"
    assert question(wording="Is it funny?", instruction="Look for jokes.").asked == "Look for jokes."


def test_joined_questions_keep_instruction_and_provenance() -> None:
    origin = Provenance(task="HUMOR", not_measured="How funny it is.")
    humor = book(question(), instruction="Look for jokes.", provenance=origin)
    mood = book(question(id="mood", name="mood", instruction="Look for moods."), instruction="Not this one.")
    both = joined("both", "Both", [humor, mood])
    assert both.question("funny").instruction == "Look for jokes."
    assert both.question("funny").provenance == origin
    assert both.question("mood").instruction == "Look for moods."
    assert joined("all", "All", [both]).questions == both.questions


def test_the_same_question_cannot_be_joined_twice() -> None:
    with pytest.raises(CodebookError, match="have the id 'funny'"):
        joined("both", "Both", [book(), book()])


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"notes": (Note("why", "text"),)},
        {"provenance": Provenance(dataset="D")},
        {"questions": (question(required=True),)},
        {"questions": (question(labels=(replace(YES, code="1"), NO)),)},
    ],
)
def test_what_no_model_sees_changes_the_content_hash_only(change: dict[str, Any]) -> None:
    changed = replace(book(), **change)
    assert changed.content_hash != book().content_hash
    assert changed.scoring_hash == book().scoring_hash


@pytest.mark.parametrize(
    "change",
    [
        {"instruction": "Look for jokes."},
        {"questions": (question(wording="Is it?"),)},
        {"questions": (question(labels=(NO, YES)),)},
        {"questions": (question(labels=(replace(YES, definition="a joke"), NO)),)},
        {"questions": (question(labels=(replace(YES, examples=("Knock, knock.",)), NO)),)},
        {"questions": (question(labels=(replace(YES, include="puns"), NO)),)},
        {"questions": (question(labels=(replace(YES, exclude="puns"), NO)),)},
        {"questions": (question(kind=Kind.MULTIPLE),)},
        {"questions": (question(fields=(replace(TEXT, title="Post"),)),)},
        {"questions": (question(fields=(replace(TEXT, markup=True),)),)},
        {"questions": (question(fields=(TEXT, REPLY)),)},
        {"questions": (question(verbalisers=(("yes", "funny"),)),)},
    ],
)
def test_what_a_model_sees_changes_both_hashes(change: dict[str, Any]) -> None:
    changed = replace(book(), **change)
    assert changed.content_hash != book().content_hash
    assert changed.scoring_hash != book().scoring_hash


def test_the_wording_does_not_matter_to_scores_where_there_is_an_instruction() -> None:
    given = question(instruction="Look for jokes.", wording="Funny?")
    assert book(given).scoring_hash == book(replace(given, wording="Is it funny?")).scoring_hash


def test_codebooks_without_rules_keep_the_hashes_that_stores_hold() -> None:
    """As computed before labels had rules; a revision is found by them."""
    flute = load("flute")
    assert flute.content_hash == "06e39d7cb8bc10f967d124b66e7587d7b40862eafc06f2305d321b5159625dc6"
    assert flute.scoring_hash == "1997c4b28e4e9dab6f4fd85458d2680ca61aedf5ef0dd1d974aff16972c7988d"


def test_to_include_and_to_exclude_are_two_things() -> None:
    for_, against = replace(YES, include="puns"), replace(YES, exclude="puns")
    books = [book(question(labels=(label, NO))) for label in (for_, against)]
    assert books[0].content_hash != books[1].content_hash and books[0].scoring_hash != books[1].scoring_hash


def test_rules_are_read_with_the_definition() -> None:
    label = replace(YES, definition="A joke.", include="puns", exclude="irony")
    assert label.hint == "A joke.\nInclude: puns\nExclude: irony"
    assert label.described == "A joke.\npuns"
    assert replace(label, definition="").hint == "Include: puns\nExclude: irony" and YES.hint == YES.described == ""
