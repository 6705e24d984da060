"""The 26 published tasks: whole, spelled as SOCIALITE's scorer spells them, and in words of our own."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from label_studio_sdk.label_interface import LabelInterface

from labelstudio_config.codebook import Codebook, Control, Kind
from labelstudio_config.errors import CodebookError
from labelstudio_config.library import load, names
from labelstudio_config.tasks import FAMILIES, published
from labelstudio_config.xml import from_xml, ignored, to_xml

SEEN = {  # task -> codebook, SocKET name, labels
    "SENTIMENT": ("sentiment", "tweet_sentiment", "negative / neutral / positive"),
    "EMOTION": ("emotion", "tweet_emotion", "anger / joy / optimism / sadness"),
    "VALENCECLS": ("valence", "emobank#valence", "low valence / high valence"),
    "AROUSALCLS": ("arousal", "emobank#arousal", "low arousal / high arousal"),
    "DOMINANCECLS": ("dominance", "emobank#dominance", "low dominance / high dominance"),
    "EMPATHYEXPLORATIONS": ("empathy-explorations", "", "no exploration / weak exploration / strong exploration"),
    "EMPATHYSELFRATED": ("empathy", "empathy#empathy_bin", "low empathy / high empathy"),
    "DISTRESSSELFRATED": ("distress", "empathy#distress_bin", "low distress / high distress"),
    "FLUTE": ("flute", "", "idiom / metaphor / sarcasm / simile"),
    "HYPERBOLE": ("hyperbole", "hypo-l", "not hyperbole / hyperbole"),
    "SAMESIDESTANCE": ("same-side-stance", "same-side-pairs", "not same side / same side"),
    "HUMOR": ("humor", "hahackathon#is_humor", "non-humorous / humorous"),
    "HUMOURRATING": ("humor-rating", "hahackathon#humor_rating", "low humor / high humor"),
    "POLITENESSHAYATI": ("politeness-hayati", "hayati_politeness", "impolite / polite"),
    "INTIMACY": (
        "intimacy",
        "questionintimacy",
        "not intimate at all / not intimate / not very intimate / somewhat intimate / intimate / very intimate",
    ),
    "SUBJECTIVEBIAS": ("subjective-bias", "neutralizing-bias-pairs", "first sentence / second sentence"),
    "OFFENSIVE": ("offensive", "offensiveyn", "not offensive / offensive"),
    "SEXIST": ("sexist", "sexyn", "not sexism / sexism"),
    "INTENTTOOFFEND": ("intent-to-offend", "intentyn", "not intentional / intentional"),
    "BIASEDIMPLICATION": ("biased-implication", "hasbiasedimplication", "not biased / biased"),
}
RELATED = {
    "HATESPEECH": ("hate-speech", "", "not hate speech / hate speech"),
    "IRONY": ("irony", "tweet_irony", "not ironic / ironic"),
    "POLITENESSSTANFORD": ("politeness-stanford", "stanfordpoliteness", "polite / impolite"),
    "OPTIMISM": ("optimism", "", "pessimistic / neutral / optimistic"),
    "COMPLAINTS": ("complaints", "complaints", "not complaint / complaint"),
    "AGREEDISAGREE": ("agree-disagree", "", "disagree / agree / n/a"),
}
BY_FAMILY = {
    "humor": "flute humor humor-rating irony",
    "offensiveness": "biased-implication intent-to-offend offensive sexist hate-speech",
    "sentiment & emotion": (
        "arousal distress dominance emotion same-side-stance sentiment valence agree-disagree optimism"
    ),
    "trustworthiness": "hyperbole subjective-bias",
    "other social factors": "empathy empathy-explorations intimacy politeness-hayati complaints politeness-stanford",
}
LEVELS = {"valence", "arousal", "dominance", "empathy", "distress", "humor-rating"}  # low or high
ORDERED = LEVELS | {"sentiment", "empathy-explorations", "intimacy", "optimism"}
PAIRS = {  # names and titles of the two texts
    "flute": [("premise", "Premise"), ("hypothesis", "Hypothesis")],
    "empathy-explorations": [("patient", "Patient"), ("response", "Counselor's response")],
    **{name: [("first", ""), ("second", "")] for name in ("same-side-stance", "subjective-bias", "agree-disagree")},
}
FOLDERS = {  # of labelled texts -> codebook
    "complaints": "complaints",
    "emobank_arousal": "arousal",
    "emotion": "emotion",
    "empathy_explorations": "empathy-explorations",
    "flute": "flute",
    "humor": "humor",
    "hyperbole": "hyperbole",
    "intent_to_offend": "intent-to-offend",
    "intimacy": "intimacy",
    "irony": "irony",
    "offensive_olid": "offensive",
    "politeness_stanford": "politeness-stanford",
    "subjective_bias": "subjective-bias",
}


def spelled(labels: str) -> list[str]:
    return labels.split(" / ")


def test_there_are_twenty_seen_and_six_related() -> None:
    books = published()
    assert len(books) == 26
    assert {book.provenance.task for book in books if book.provenance.tuning == "seen"} == set(SEEN)
    assert {book.provenance.task for book in books if book.provenance.tuning == "related"} == set(RELATED)
    assert {book.key for book in books} == set(names())
    assert (len(SEEN), len(RELATED)) == (20, 6)


@pytest.mark.parametrize("task", [*SEEN, *RELATED])
def test_a_task_has_the_names_and_labels_of_the_scorer(task: str) -> None:
    name, socket, labels = (SEEN | RELATED)[task]
    book = load(name)
    (question,) = book.questions
    assert (book.provenance.task, book.provenance.socket) == (task, socket)
    assert [label.code for label in question.labels] == [label.wording for label in question.labels] == spelled(labels)
    assert question.kind is (Kind.ORDINAL if name in ORDERED else Kind.SINGLE)
    assert [(f.name, f.title) for f in question.fields] == PAIRS.get(name, [("text", "")])
    assert all(f.column == f.name and not f.markup for f in question.fields)
    assert (book.key, question.id, question.name, question.control) == (name, name, name, Control.CHOICES)


@pytest.mark.parametrize("name", names())
def test_a_task_is_complete(name: str) -> None:
    book = load(name)
    (question,) = book.questions
    assert book.title and book.instruction and question.wording.endswith("?")
    origin = book.provenance
    assert all((origin.dataset, origin.paper, origin.licence, origin.not_measured))
    assert origin.licence.endswith("the wording here is socialite's own.")
    assert all(label.definition.endswith(".") and 2 <= len(label.examples) <= 4 for label in question.labels)
    own = Counter(words(example) for label in question.labels for example in label.examples)
    assert set(own.values()) == {1}


def test_families_and_their_order() -> None:
    found: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for book in published():
        found[book.provenance.family].append(book.key)
    assert found == {family: books.split() for family, books in BY_FAMILY.items()}
    assert [book.key for book in published()] == [name for books in BY_FAMILY.values() for name in books.split()]


def test_a_family_by_its_beginning() -> None:
    assert published("trustworthiness") == published(" Trust") == (load("hyperbole"), load("subjective-bias"))
    assert [book.key for book in published("sentiment  & E")] == BY_FAMILY["sentiment & emotion"].split()
    for wrong in ("mood", ""):
        with pytest.raises(
            CodebookError, match=rf"family of tasks '{wrong}'.*humor, offensiveness, sentiment & emotion"
        ):
            published(wrong)


def test_what_they_do_not_measure() -> None:
    for name in BY_FAMILY["trustworthiness"].split():
        said = load(name).provenance.not_measured
        assert "not trust" in said
        assert "institutions" in said
    assert "lewd" in load("sexist").provenance.not_measured
    assert "wrong way round" in load("biased-implication").provenance.not_measured


def test_only_the_inverted_task_has_words_of_the_released_weights() -> None:
    spoken = {name: dict(load(name).questions[0].verbalisers) for name in names()}
    assert {name: words for name, words in spoken.items() if words} == {
        "biased-implication": {"not-biased": "biased", "biased": "not biased"}
    }


# -- the configurations for Label Studio -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_a_configuration_is_accepted_by_label_studio_and_read_back(name: str) -> None:
    book = load(name)
    xml = to_xml(book)
    LabelInterface(xml).validate()
    assert from_xml(xml, key=name, title=book.title, previous=book) == book
    assert ignored(xml) == ()
    (read,), (question,) = from_xml(xml, key=name).questions, book.questions
    assert read.fields == question.fields
    assert [(x.code, x.wording, x.definition) for x in read.labels] == [
        (x.code, x.wording, x.definition) for x in question.labels
    ]
    assert read.wording == question.wording


@pytest.mark.parametrize("name", names())
def test_the_configuration_in_the_repository_is_current(name: str, checkout: Path) -> None:
    file = checkout / "labelstudio_config" / "xml" / f"{name}.xml"
    cure = f"Refresh it with: socialite config {name} --overwrite -o labelstudio_config/xml/{name}.xml"
    assert file.is_file(), f"{file.name} is missing. {cure}"
    assert file.read_bytes() == to_xml(load(name)).encode(), f"{file.name} is not what its codebook says. {cure}"


def test_no_configuration_is_left_over(checkout: Path) -> None:
    assert {path.name for path in (checkout / "labelstudio_config" / "xml").iterdir()} == {f"{x}.xml" for x in names()}


# -- beside the labelled texts -----------------------------------------------------------------------------------------


def words(text: str) -> str:
    """The words of a text, whatever their case, marks and spaces."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def sentences(book: Codebook) -> list[str]:
    """Everything written in a codebook that could have been taken from a text."""
    (question,) = book.questions
    examples = [example for label in question.labels for example in label.examples]
    parts = [part for example in examples for part in re.split(r"First: | Second: ", example)]
    return [words(part) for part in [*parts, book.instruction, question.wording] if part]


def test_no_example_is_from_a_data_set(shared: Path) -> None:
    files = sorted((shared / "data").glob("*/*.csv"))
    assert len(files) > len(FOLDERS)
    texts = f" {' | '.join(words(cell) for file in files for row in rows(file) for cell in row)} "
    assert f" {words(rows(files[0])[1][0])} " in texts
    taken = [(name, said) for name in names() for said in sentences(load(name)) if f" {said} " in texts]
    assert taken == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_labels_of_the_data_are_those_of_the_codebook(folder: str, shared: Path) -> None:
    (question,) = load(FOLDERS[folder]).questions
    for part in ("train", "test"):
        head, *body = rows(shared / "data" / folder / f"{part}.csv")
        column = head.index("label")
        assert {row[column].casefold() for row in body} == {label.wording for label in question.labels}
        assert ("text2" in head) == (len(question.fields) == 2)


def test_every_folder_of_labelled_texts_has_a_codebook(shared: Path) -> None:
    assert {path.parent.name for path in (shared / "data").glob("*/train.csv")} == set(FOLDERS)
