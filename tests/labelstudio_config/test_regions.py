from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from labelstudio_config.codebook import Codebook, Control, Kind
from labelstudio_config.errors import CodebookError
from labelstudio_config.regions import ORIGINS, Answer, read_regions, regions
from labelstudio_config.values import allowed
from labelstudio_config.xml import from_xml, to_xml
from tests.labelstudio_config.strategies import codebooks

XML = """<View>
  <Text name="text" value="$text"/><Text name="other" value="$other"/>
  <Choices name="mood" toName="text"><Choice alias="+" value="Good"/><Choice alias="-" value="Bad"/></Choices>
  <Choices name="topics" toName="text" choice="multiple"><Choice value="Economy"/><Choice value="Health"/></Choices>
  <Rating name="stars" toName="text" maxRating="5"/>
  <Number name="year" toName="text" min="1900" max="2100" step="1"/>
  <Pairwise name="better" toName="text,other"/>
  <Labels name="ner" toName="text"><Label value="PER"/></Labels>
  <TextArea name="why" toName="text"/>
</View>"""
BOOK = from_xml(XML, key="posts")
GOOD, BAD = BOOK.question("mood").label_ids
ECONOMY, HEALTH = BOOK.question("topics").label_ids
SUGGESTED = [
    Answer("mood", (BAD,), score=0.81),
    Answer("topics", (HEALTH, ECONOMY)),
    Answer("stars", ("4",), score=1.0),
    Answer("year", number=1998.7),
    Answer("better", ("right",), score=0.5),
]


def region(name: str, kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"id": "x", "from_name": name, "to_name": "text", "type": kind, "value": value, **more}


def test_the_regions_of_a_prediction() -> None:
    made = regions(BOOK, SUGGESTED)
    assert made == [
        {
            "id": "q-mood",
            "from_name": "mood",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": ["-"]},
            "score": 0.81,
        },
        {
            "id": "q-topics",
            "from_name": "topics",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": ["Economy", "Health"]},
        },
        {
            "id": "q-stars",
            "from_name": "stars",
            "to_name": "text",
            "type": "rating",
            "value": {"rating": 4},
            "score": 1.0,
        },
        {"id": "q-year", "from_name": "year", "to_name": "text", "type": "number", "value": {"number": 1999}},
        {
            "id": "q-better",
            "from_name": "better",
            "to_name": "text",
            "type": "pairwise",
            "value": {"selected": "right"},
            "score": 0.5,
        },
    ]
    errors = LabelInterface(XML).validate_prediction(
        {"result": made, "score": 0.5, "model_version": "v"}, return_errors=True
    )
    assert errors == []
    assert json.loads(json.dumps(made)) == made


def test_nothing_ticked_is_no_region() -> None:
    assert regions(BOOK, [Answer("topics"), Answer("mood"), Answer("year")]) == []
    assert regions(BOOK, []) == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([Answer("humor", ("yes",))], "has no question 'humor'"),
        ([Answer("mood", (GOOD,)), Answer("mood", (BAD,))], "two suggestions for the question 'mood'"),
        ([Answer("mood", (ECONOMY,))], "is not one of"),
        ([Answer("mood", (GOOD,), score=1.2)], "not between 0 and 1"),
        ([Answer("mood", (GOOD,), score=float("nan"))], "not between 0 and 1"),
    ],
)
def test_what_is_no_suggestion_is_refused(answers: list[Answer], said: str) -> None:
    with pytest.raises(CodebookError) as caught:
        regions(BOOK, answers)
    assert said in str(caught.value)


@st.composite
def suggested(draw: Callable[..., Any]) -> tuple[Codebook, list[Answer]]:
    book: Codebook = draw(codebooks())
    answers = []
    for question in book.questions:
        score = draw(st.none() | st.floats(0, 1))
        if question.kind is Kind.NUMBER:
            answers.append(Answer(question.id, number=draw(st.floats(-1e7, 1e7)), score=score))
            continue
        many = question.kind is Kind.MULTIPLE
        chosen = draw(
            st.lists(st.sampled_from(question.label_ids), unique=True, min_size=1, max_size=None if many else 1)
        )
        answers.append(Answer(question.id, tuple(x for x in question.label_ids if x in chosen), score=score))
    return book, answers


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(suggested())
def test_every_prediction_is_valid_and_reads_as_what_was_suggested(case: tuple[Codebook, list[Answer]]) -> None:
    book, answers = case
    made = regions(book, answers)
    prediction = {"result": made, "score": 0.5, "model_version": "v"}
    assert LabelInterface(to_xml(book)).validate_prediction(prediction, return_errors=True) == []
    assert len({x["id"] for x in made}) == len(made) == len(answers)
    read = read_regions(book, made)
    assert read.problems == ()
    assert read.unticked == ()
    for answer in answers:
        question = book.question(answer.question_id)
        number = None if answer.number is None else allowed(question, answer.number)
        assert read.values[answer.question_id] == Answer(answer.question_id, answer.label_ids, number)


def test_an_annotation_with_everything() -> None:
    result = [
        region("mood", "choices", {"choices": ["+"]}, origin="prediction-changed", score=0.8),
        region("topics", "choices", {"choices": ["Health"]}, origin="prediction"),
        region("stars", "rating", {"rating": 4}, origin="manual"),
        region("year", "number", {"number": 1999}),
        region("better", "pairwise", {"selected": "left"}, to_name="better"),
        region("ner", "labels", {"start": 0, "end": 5, "text": "Alice", "labels": ["PER"]}, origin="manual"),
        region("mood", "choices", {"start": 0, "end": 5, "choices": ["+", "-"]}),
        region("why", "textarea", {"text": ["Because.", "And so."]}),
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    ]
    read = read_regions(BOOK, result)
    assert read.values == {
        "mood": Answer("mood", (GOOD,)),
        "topics": Answer("topics", (HEALTH,)),
        "stars": Answer("stars", ("4",)),
        "year": Answer("year", number=1999.0),
        "better": Answer("better", ("left",)),
    }
    assert read.origins == {"mood": "prediction-changed", "topics": "prediction", "stars": "manual"}
    assert read.notes == {"why": "Because.\nAnd so."}
    assert read.problems == ()
    assert read.unticked == ()


def test_an_empty_annotation_answers_nothing_and_says_what_was_not_ticked() -> None:
    read = read_regions(BOOK, [])
    assert (read.values, read.origins, read.notes, read.problems) == ({}, {}, {}, ())
    assert read.unticked == ("topics",)
    assert read_regions(BOOK, [region("topics", "choices", {"choices": []})]).unticked == ()
    assert read_regions(BOOK, [region("better", "pairwise", {"selected": "none"})]).values == {}


SECRET = "the coder's own words"
ODD: list[tuple[Any, str]] = [
    (None, "result is not a list of regions"),
    ({"choices": ["+"]}, "result is not a list of regions"),
    ([None], "A region of the annotation has no type."),
    ([{"value": {"choices": ["+"]}}], "A region of the annotation has no type."),
    ([{"type": ["choices"]}], "A region of the annotation has no type."),
    ([region("mood", "choices", None)], "A region of type choices has no value."),
    ([region("mood", "choices", [SECRET])], "A region of type choices has no value."),
    ([region("tone", "choices", {"choices": [SECRET]})], "belongs to no question or note of the codebook ('tone')."),
    ([region("why", "choices", {"choices": [SECRET]})], "belongs to no question or note of the codebook ('why')."),
    ([{"type": "choices", "from_name": ["mood"], "value": {}}], "belongs to no question or note of the codebook."),
    (
        [region("mood", "choices", {"choices": [SECRET]})],
        "The question 'mood' is answered with 1 choice(s) that are no",
    ),
    (
        [region("mood", "choices", {"choices": ["Good"]})],
        "The question 'mood' is answered with 1 choice(s) that are no",
    ),
    ([region("mood", "choices", {"choices": ["+", "-"]})], "The question 'mood' has 2 choices, but takes one."),
    ([region("mood", "rating", {"rating": 1})], "The question 'mood' is answered with rating, but asked with Choices."),
    (
        [region("stars", "rating", {"rating": 6})],
        "The question 'stars' has a rating that is not a whole number from 1 to",
    ),
    (
        [region("year", "number", {"number": SECRET})],
        "The question 'year' is answered with something that is no number.",
    ),
    ([region("year", "number", {"number": 1})], "The question 'year' is answered with a number out of its range."),
    ([region("why", "textarea", {"text": {"a": SECRET}})], "The note 'why' is not text."),
    ([region("mood", "choices", {"choices": ["+"]})] * 2, "The question 'mood' is answered twice."),
]


@pytest.mark.parametrize(("result", "said"), ODD, ids=[said for _, said in ODD])
def test_odd_results_are_problems_without_values_and_without_quoting(result: Any, said: str) -> None:
    read = read_regions(BOOK, result)
    assert [p for p in read.problems if said in p]
    assert read.values == {}
    assert read.origins == {}
    assert SECRET not in str(read.problems)


def test_a_problem_with_one_question_leaves_the_others() -> None:
    result = [region("mood", "choices", {"choices": ["+", "-"]}), region("stars", "rating", {"rating": 2})]
    read = read_regions(BOOK, result)
    assert list(read.values) == ["stars"]
    assert len(read.problems) == 1


def test_a_third_answer_does_not_bring_a_doubled_one_back() -> None:
    assert read_regions(BOOK, [region("mood", "choices", {"choices": ["+"]})] * 3).values == {}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["+", "mood", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ODDITIES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["choices", "rating", "number", "pairwise", "textarea", "labels", "relation"]) | JSON,
        "from_name": st.sampled_from(["mood", "topics", "stars", "year", "better", "why", "ner"]) | JSON,
        "value": st.dictionaries(st.sampled_from(["choices", "rating", "number", "selected", "text", "start"]), JSON)
        | JSON,
        "origin": st.sampled_from(ORIGINS) | JSON,
    },
)


@given(st.lists(ODDITIES | JSON, max_size=5) | JSON)
def test_whatever_comes_it_is_read_or_told(result: Any) -> None:
    read = read_regions(BOOK, result)
    assert set(read.values) <= {q.id for q in BOOK.questions}
    assert set(read.origins) <= set(read.values)
    for question_id, answer in read.values.items():
        question = BOOK.question(question_id)
        assert set(answer.label_ids) <= set(question.label_ids)
        assert (answer.number is None) == (question.control is not Control.NUMBER)


def _annotations(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Every recorded annotation with the configuration it was made under."""
    if isinstance(value, dict):
        project, made = value.get("project"), value.get("annotation")
        if isinstance(project, dict) and made and "label_config" in project:
            yield from ((project["label_config"], x["result"]) for x in (made if isinstance(made, list) else [made]))
        for inner in value.values():
            yield from _annotations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _annotations(inner)


def test_recorded_annotations_are_read_without_problems(shared: Path) -> None:
    seen, kinds = 0, set()
    for file in sorted((shared / "labelstudio" / "fixtures").glob("webhook_ANNOTATION*.json")):
        for xml, result in _annotations(json.loads(file.read_text(encoding="utf-8"))):
            book = from_xml(xml, key="recorded")
            read = read_regions(book, result)
            assert read.problems == (), file.name
            answered = {x["from_name"] for x in result if x["type"] in ("choices", "rating", "number", "pairwise")}
            assert {book.question(key).name for key in read.values} == answered, file.name
            seen += 1
            kinds |= {book.question(key).control for key in read.values}
    assert seen >= 8
    assert kinds == set(Control)


def test_a_recorded_correction_in_label_studios_own_interface(shared: Path) -> None:
    file = shared / "labelstudio" / "fixtures" / "webhook_ANNOTATION_CREATED_real_UI_corrected.json"
    body = json.loads(file.read_text(encoding="utf-8"))["body"]
    book = from_xml(body["project"]["label_config"], key="recorded")
    read = read_regions(book, body["annotation"]["result"])
    assert read.values["sentiment"].label_ids == ("negative",)
    assert read.values["topics"].label_ids == ("economy", "health")
    assert read.values["stars"].label_ids == ("4",)
    assert read.values["year"].number == 1999.0
    assert read.origins["sentiment"] == "prediction-changed"
    assert {origin for key, origin in read.origins.items() if key != "sentiment"} == {"prediction"}
    assert read.notes == {"note": "model rationale"}


def test_recorded_configurations_survive_reading_and_writing(shared: Path) -> None:
    found = set()
    for file in sorted((shared / "labelstudio" / "fixtures").glob("*.json")):
        recorded = json.loads(file.read_text(encoding="utf-8"))
        body = (recorded.get("body") if isinstance(recorded, dict) else None) or {}
        project = body.get("project")
        found.add(
            body.get("schema") or body.get("label_config") or (isinstance(project, dict) and project["label_config"])
        )
    configurations = [xml for xml in found if xml]
    assert len(configurations) >= 3
    for xml in configurations:
        book = from_xml(xml, key="recorded")
        LabelInterface(to_xml(book)).validate()
        assert from_xml(to_xml(book), key="recorded") == book
