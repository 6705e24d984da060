from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from labelstudio_config.codebook import Codebook, Control, Kind
from labelstudio_config.errors import CodebookError, UnknownCodebookError
from labelstudio_config.library import from_yaml, load, load_many, names, to_yaml
from labelstudio_config.xml import from_xml, to_xml
from tests.labelstudio_config.strategies import codebooks

LABELS = {  # as SOCIALITE's scorer spells and orders them
    "humor": ["non-humorous", "humorous"],
    "offensive": ["not offensive", "offensive"],
    "emotion": ["anger", "joy", "optimism", "sadness"],
    "hyperbole": ["not hyperbole", "hyperbole"],
}
SMALL = """
key: mood
questions:
  - name: mood
    kind: single
    labels:
      - code: Good mood
      - code: Bad mood
"""


@pytest.mark.parametrize("name", LABELS)
def test_a_published_task_is_complete(name: str) -> None:
    book = load(name)
    (question,) = book.questions
    assert (book.key, question.id, question.name, question.kind) == (name, name, name, Kind.SINGLE)
    assert [x.code for x in question.labels] == [x.wording for x in question.labels] == LABELS[name]
    assert [(f.name, f.column) for f in question.fields] == [("text", "text")]
    assert all(x.definition and 2 <= len(x.examples) <= 4 for x in question.labels)
    assert len({example for x in question.labels for example in x.examples}) == sum(
        len(x.examples) for x in question.labels
    )
    assert book.instruction and question.wording
    origin = book.provenance
    assert origin.task == name.upper()
    assert all((origin.socket, origin.family, origin.dataset, origin.paper, origin.licence, origin.not_measured))
    assert from_xml(to_xml(book), key=name, title=book.title, previous=book) == book


def test_the_trustworthiness_task_says_that_it_is_not_about_trust() -> None:
    origin = load("hyperbole").provenance
    assert origin.family == "trustworthiness"
    assert "exaggeration" in origin.not_measured
    assert "institutions" in origin.not_measured


def test_the_names_there_are() -> None:
    assert set(LABELS) <= set(names())
    assert list(names()) == sorted(names())
    for name in names():
        assert load(name).key == name


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownCodebookError) as caught:
        load("humour")
    assert "There is no codebook 'humour'. Did you mean 'humor'? There are: " in str(caught.value)
    assert all(name in str(caught.value) for name in names())
    with pytest.raises(UnknownCodebookError, match=r"No codebook is named\. There are: "):
        load_many(" , ")


def test_several_are_joined_in_the_order_given() -> None:
    book = load_many("humor, offensive,humor,emotion,hyperbole")
    assert [q.id for q in book.questions] == ["humor", "offensive", "emotion", "hyperbole"]
    assert [f.name for f in book.fields] == ["text"]
    assert book.title == "Humor, Offensiveness, Emotion, Exaggeration"
    for question in book.questions:
        alone = load(question.id)
        assert question.instruction == alone.instruction
        assert question.provenance == alone.provenance
    assert load_many("humor") == load("humor")


def test_a_small_file_needs_little() -> None:
    book = from_yaml(SMALL)
    (question,) = book.questions
    assert (question.id, question.control, book.title) == ("mood", Control.CHOICES, "")
    assert [(x.id, x.code, x.wording) for x in question.labels] == [
        ("good-mood", "Good mood", "Good mood"),
        ("bad-mood", "Bad mood", "Bad mood"),
    ]
    assert [(f.name, f.column) for f in book.fields] == [("text", "text")]
    number = "key: k\nquestions:\n  - name: n\n    kind: number\n    minimum: 0\n    maximum: 1\nnotes:\n  - name: why"
    book = from_yaml(number)
    assert (book.questions[0].control, book.questions[0].minimum) == (Control.NUMBER, 0.0)
    assert book.notes[0].target == "text"


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("\ufeff" + to_yaml(load("humor")), encoding="utf-8")
    assert load(str(file)) == load("humor")
    joined = load_many(f"{file},emotion")
    assert [q.id for q in joined.questions] == ["humor", "emotion"]
    with pytest.raises(UnknownCodebookError, match="cannot be read: No such file"):
        load(str(tmp_path / "other.yaml"))
    file.write_bytes(b"key: caf\xe9")
    with pytest.raises(CodebookError, match="is not UTF-8: save it as UTF-8"):
        load(str(file))


WRONG = [
    ("", "mine.yaml: the file must hold keys with values"),
    ("- humor", "mine.yaml: the file must hold keys with values"),
    ("key: [", "mine.yaml is not valid YAML (line 1, column 7)"),
    ("key: a\nkey: b", "mine.yaml is not valid YAML (line 2, column 1): the key 'key' is given twice"),
    ("key: !!python/object/apply:os.system ['true']", "mine.yaml is not valid YAML (line 1, column 6)"),
    ("key: \x00", "is not valid YAML"),
    ("[" * 5000, "mine.yaml"),
    ("questions: []", "mine.yaml: 'key' is missing: give it."),
    ("key: 3", "mine.yaml: 'key' must be a text; put it in quotes."),
    ("key: mood", "mine.yaml: The codebook 'mood' asks nothing: add a question."),
    ("key: mood\nquestions: 3", "'questions' must be a list, each entry beginning with '- '"),
    ("key: mood\nquestions: [mood]", "questions[0] must hold keys with values"),
    ("key: mood\nquestion: []", "the key 'question' is not known; did you mean 'questions'?"),
    ("key: mood\nyes: 1", "the key 'True' is not known; there are: key, title,"),
    (SMALL.replace("kind: single", "kind: one"), "'questions[0].kind' is 'one': it must be one of single, multiple,"),
    (SMALL.replace("kind: single", ""), "'questions[0].kind' is missing: give it."),
    (SMALL.replace("- name: mood", "- wording: mood"), "'questions[0].id' is missing: give it."),
    (SMALL.replace("Good mood", "yes"), "'questions[0].labels[0].code' must be a text; put it in quotes."),
    (SMALL.replace("Good mood", "1"), "'questions[0].labels[0].code' must be a text; put it in quotes."),
    (
        SMALL + "        defintion: x",
        "the key 'questions[0].labels[1].defintion' is not known; did you mean 'definition'?",
    ),
    (
        SMALL + "        examples: one",
        "'questions[0].labels[1].examples' must be a list of texts, each on a line of its own",
    ),
    (SMALL + "        examples: [1]", "'questions[0].labels[1].examples' must be a list of texts"),
    (SMALL + "    required: often", "'questions[0].required' must be true or false."),
    (SMALL + "    minimum: low", "'questions[0].minimum' must be a number."),
    (SMALL + "    fields: [body]", "'questions[0].fields' names 'body', but 'fields' at the top has: text."),
    (SMALL + "    verbalisers: {good-mood: 1}", "'questions[0].verbalisers' must give label ids a word each"),
    (SMALL + "    control: Rating", "The question 'mood' is of kind 'single', but Rating answers ordinal"),
    (SMALL + "provenance: SBIC", "provenance must hold keys with values"),
    (SMALL + "notes: [{target: text}]", "'notes[0].name' is missing"),
    (SMALL.replace("Bad mood", "Good mood"), "Two labels of the question 'mood' have the id 'good-mood'"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_in_a_file_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(CodebookError) as caught:
        from_yaml(text, source="mine.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("mine.yaml")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(codebooks())
def test_yaml_gives_the_same_codebook_again(codebook: Codebook) -> None:
    text = to_yaml(codebook)
    assert from_yaml(text) == codebook
    assert from_yaml(text).content_hash == codebook.content_hash
    assert to_yaml(from_yaml(text)) == text


def test_words_that_yaml_would_take_for_something_else() -> None:
    book = load("humor")
    labels = tuple(
        replace(x, code=code, wording=code) for x, code in zip(book.questions[0].labels, ["no", "1e3"], strict=True)
    )
    changed = replace(book, questions=(replace(book.questions[0], labels=labels),))
    assert from_yaml(to_yaml(changed)) == changed


def test_nothing_heavy_is_imported(checkout: Path) -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import labelstudio_config.library, labelstudio_config.regions, labelstudio_config.xml\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(checkout)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['labelstudio_config']"
