"""A codebook as a table, with whatever people write into spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Provenance, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import fresh_id
from labelstudio_config.library import load, names
from labelstudio_config.sheet import COLUMNS, Sheet, read, unsaid, write
from tests.labelstudio_config.strategies import NAMES, SAID, WORDS

Draw = Callable[..., Any]
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TIDY = WORDS.map(str.strip)
ONE_LINE = WORDS.map(lambda text: " ".join(text.split()))
NAMED = SAID.map(str.strip)


def table(headings: Sequence[str], *rows: Sequence[str]) -> Sheet:
    return read(headings, list(enumerate(rows, 2)), source="mood.csv", key="mood", title="Mood")


@st.composite
def sayable(draw: Draw) -> Codebook:
    """A codebook of which a table says everything."""
    field = Field("text", "text")
    fields = draw(st.sampled_from([(field,), (Field("premise", "premise"), Field("claim", "claim"))]))
    questions: list[Question] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        if name in [f.name for f in fields]:
            continue
        kind = draw(st.sampled_from(list(Kind)))
        codes = draw(st.lists(NAMED, min_size=2, max_size=4, unique=True)) if kind is not Kind.NUMBER else []
        wordings = draw(st.just(codes) | st.lists(NAMED, min_size=len(codes), max_size=len(codes), unique=True))
        taken: set[str] = set()
        labels = []
        for code, wording in zip(codes, wordings, strict=True):
            said = {part: draw(TIDY) for part in ("definition", "include", "exclude")}
            examples = tuple(x for x in draw(st.lists(ONE_LINE, max_size=3)) if x)
            labels.append(Label(fresh_id(code, taken), code, wording, examples=examples, **said))
            taken.add(labels[-1].id)
        questions.append(
            Question(
                id=fresh_id(name, {q.id for q in questions}),
                name=name,
                kind=kind,
                control=Control.NUMBER if kind is Kind.NUMBER else Control.CHOICES,
                fields=fields,
                labels=tuple(labels),
                wording=draw(NAMED),
                instruction=draw(TIDY),
                required=draw(st.booleans()),
                minimum=draw(st.sampled_from([None, 0.0, -1.5])) if kind is Kind.NUMBER else None,
                step=draw(st.sampled_from([None, 0.1, 1e-7])) if kind is Kind.NUMBER else None,
            )
        )
    return Codebook(
        key="k",
        title="",
        questions=tuple(questions or [Question("q", "q", Kind.NUMBER, Control.NUMBER, fields, wording="q")]),
    )


@relaxed
@given(sayable())
def test_what_a_table_can_say_comes_back(book: Codebook) -> None:
    headings, rows = write(book)
    again = read(headings, list(enumerate(rows, 2)), source="x", key="k").codebook
    assert again == book
    assert write(again) == (headings, rows)
    assert unsaid(book) == []


@pytest.mark.parametrize("name", names())
def test_a_published_codebook_is_written_and_read_again_the_same(name: str) -> None:
    headings, rows = write(load(name))
    again = table(headings, *rows).codebook
    assert write(again) == (headings, rows)
    labels = [(x.code, x.wording, x.hint, x.examples) for q in load(name).questions for x in q.labels]
    assert [(x.code, x.wording, x.hint, x.examples) for q in again.questions for x in q.labels] == labels


def test_headings_as_people_write_them_and_cells_that_are_merged() -> None:
    found = table(
        ["Variable", " CATEGORY ", "Description", "Inclusion criteria", "exclusion_criteria", "Examples", "Notes"],
        ["mood", "good", "Speaks well.", "relief", "irony", "What a day!\n\n I love it. ", "x"],
        ["", "", "", "", "", "", ""],
        ["", "bad", "", "", "", "It rained.", ""],
        ["", "", "", "", "", "The soup was cold.", ""],
        ["mood", "bad", "Speaks ill.", "", "", "No.", ""],
    )
    (question,) = found.codebook.questions
    assert (question.name, question.wording, question.kind) == ("mood", "mood", Kind.SINGLE)
    good, bad = question.labels
    assert good == Label("good", "good", "good", "Speaks well.", ("What a day!", "I love it."), "relief", "irony")
    assert (bad.definition, bad.examples) == ("Speaks ill.", ("It rained.", "The soup was cold.", "No."))
    assert found.remarks == ("Not used of mood.csv: the columns Notes.",)
    assert found.columns == {"question", "label", "definition", "include", "exclude", "example"}


def test_kinds_ranges_texts_and_a_sentence_for_a_question() -> None:
    found = table(
        ["question", "label", "code", "kind", "field", "min", "max", "step", "required", "order"],
        ["Is it, on the whole, good?", "no", "0", "Ordinal", "premise, claim", "", "", "", "yes", "2"],
        ["", "yes", "1", "", "", "", "", "", "", "1"],
        ["year", "", "", "number", "claim", "1900", "2000,5", "0.5", "", ""],
    ).codebook
    first, second = found.questions
    assert (first.id, first.name, first.wording) == ("is-it-on-the-whole-good",) * 2 + ("Is it, on the whole, good?",)
    assert (first.kind, first.required, [f.name for f in first.fields]) == (Kind.ORDINAL, True, ["premise", "claim"])
    assert [x.code for x in first.labels] == ["1", "0"]
    assert (second.minimum, second.maximum, second.step, second.control) == (1900, 2000.5, 0.5, Control.NUMBER)


WRONG: list[tuple[list[str], list[list[str]], str]] = [
    (["label"], [], r"mood.csv, line 1: there is no column 'question' \(or variable, item"),
    (["question", "definition"], [], "line 1: there is no column 'label'"),
    (["question", "item", "label"], [], "line 1: the columns 'question' and 'item' both mean 'question': take one"),
    (["question", "label"], [], "mood.csv has no rows: give each label a row"),
    (["question", "label"], [["", "a"]], "line 2, column 'question': the first row has no question. Name it."),
    (["question", "label"], [["q", "a"]], "line 2: The question 'q' has 1 label"),
    (
        ["question", "label", "kind"],
        [["q", "a", "scale"]],
        "line 2, column 'kind': 'scale' is not known. Take one of s",
    ),
    (["question", "label", "required"], [["q", "a", "si"]], "column 'required': 'si' is neither yes nor no"),
    (["question", "label", "kind", "min"], [["q", "", "number", "low"]], "column 'minimum': 'low' is no number"),
    (
        ["question", "label", "definition"],
        [["q", "a", "one"], ["", "b", ""], ["", "a", "two"]],
        "line 4, column 'definition': 'two' is given for 'a', and line 2 says 'one'. Make both the same",
    ),
    (["question", "label", "example"], [["q", "", "x"]], "line 2, column 'example': 'x' belongs to a label"),
    (["question", "label", "order"], [["q", "a", "1"], ["", "b", ""]], "line 3, column 'order': 'b' has none"),
    (
        ["question", "label", "code"],
        [["q", "a", "1"], ["", "b", "1"]],
        "line 2: Two labels of the question 'q' have the",
    ),
    (["question", "label", "definition"], [["q", "a", "x\x07"]], "line 2: The label 'a' holds a control character"),
]


@pytest.mark.parametrize(("headings", "rows", "sentence"), WRONG)
def test_what_is_wrong_is_told_with_its_place_and_cure(
    headings: list[str], rows: list[list[str]], sentence: str
) -> None:
    with pytest.raises(CodebookError, match=sentence):
        table(headings, *rows)


def test_what_a_table_cannot_say_is_told() -> None:
    assert unsaid(load("humor")) == ["where it comes from"]
    flute = load("flute")
    question = replace(flute.questions[0], target="hypothesis", verbalisers=(("idiom", "idiom"),))
    label = replace(question.labels[0], examples=("one\ntwo",))
    full = replace(
        flute,
        questions=(replace(question, labels=(label, *question.labels[1:])),),
        notes=(Note("why", "premise"),),
        provenance=Provenance(),
    )
    assert unsaid(full) == [
        "columns, titles or markup of 2 texts",
        "the text that 1 questions are attached to",
        "notes",
        "verbalisers",
        "line breaks of 1 examples",
    ]
    assert write(full)[0][: len(COLUMNS)] == COLUMNS
