"""Checks without labels, on engines of which one knows what must come out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.engines.causal import CausalEngine
from backend.engines.encoder import EncoderEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import Engine
from backend.learning.behaviour import Behaviour, Check, Verdict, behaviours, overall
from labelstudio_config.codebook import Codebook, Kind, Label, Question
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import CROSS, DOWN, GLAD, MOODS, question

TEXTS = [(GLAD,), (CROSS,), (DOWN,), ("What a happy day",), ("I am furious and annoyed",), ("lonely and sad",)]
NAMES = [
    "legal answers",
    "recall of definitions",
    "recall of examples",
    "order of labels",
    "swapped definitions",
    "paraphrased instruction",
]


def tried(engine: Engine, asked: Question, texts: list[tuple[str, ...]] = TEXTS, **more: str) -> dict[str, Check]:
    (found,) = behaviours(engine, Codebook("moods", "", (asked,)), texts, **more)
    assert [check.name for check in found.checks] == NAMES and found.why_not == ""
    return {check.name: check for check in found.checks}


def verdicts(found: dict[str, Check]) -> dict[str, Verdict]:
    return {name: check.verdict for name, check in found.items()}


def test_the_keyword_engine_goes_by_the_codebooks_words() -> None:
    named = tuple(Label(x.id, x.code, f"{x.wording}-label", x.definition, x.examples) for x in MOODS)
    found = tried(KeywordEngine(), question(labels=named))
    assert set(verdicts(found).values()) == {Verdict.PASSED}
    assert found["swapped definitions"].n == found["order of labels"].n == len(TEXTS)
    assert "kept the name" not in found["swapped definitions"].sentence
    assert "does not read the instruction" in found["paraphrased instruction"].sentence
    assert found["recall of definitions"].n == 3 and found["recall of examples"].n == 5
    assert "little to ask" in found["recall of examples"].sentence


def test_labels_whose_names_say_it_all_stay_where_the_names_are() -> None:
    texts = [(f"{label.wording} and nothing else {n}",) for label in MOODS for n in range(10)]
    found = tried(KeywordEngine(), question(), texts)
    swapped = found["swapped definitions"]
    assert (swapped.verdict, swapped.n, swapped.share.value) == (Verdict.FAILED, 30, 0.0)
    assert "100 % kept the name: there the model goes by the name." in swapped.sentence
    assert "0 of 30 answers went with the definition (0 %, 95 % interval 0 to" in swapped.sentence


def test_an_example_under_the_wrong_label_is_not_recalled() -> None:
    wrong = (MOODS[0], replace(MOODS[1], examples=("The writer is happy, delighted and pleased",)), MOODS[2])
    found = tried(KeywordEngine(), question(labels=wrong))["recall of examples"]
    assert found.n == 4 and found.share.value < 1


def test_any_number_of_labels_and_ordered_ones() -> None:
    several = tried(KeywordEngine(), question(Kind.MULTIPLE))
    assert several["legal answers"].verdict is several["order of labels"].verdict is Verdict.PASSED
    ordered = tried(KeywordEngine(), question(Kind.ORDINAL))
    assert ordered["order of labels"].verdict is Verdict.SKIPPED
    assert "the labels are ordered" in ordered["order of labels"].sentence
    assert math.isnan(ordered["order of labels"].share.value) and ordered["order of labels"].n == 0


def test_what_cannot_be_tried_is_told() -> None:
    bare = tuple(Label(x.id, x.code, x.wording) for x in MOODS)
    found = tried(KeywordEngine(), question(labels=bare), [])
    assert {check.verdict for check in found.values()} == {Verdict.SKIPPED}
    number = list(behaviours(KeywordEngine(), Codebook("k", "", (question(Kind.NUMBER),)), TEXTS))
    assert [(one.checks, "asks for a number" in one.why_not) for one in number] == [((), True)]
    assert overall(number) == "Nothing could be tried: see above, why."


def test_without_texts_the_examples_are_taken() -> None:
    found = tried(KeywordEngine(), question(fields=2), [])
    assert found["order of labels"].n == 5
    blank = tried(KeywordEngine(), question(), [(" ",), (GLAD,)])
    assert blank["order of labels"].n == 1


class Unsound:
    """The keyword engine with numbers that are no probabilities for one text."""

    def __init__(self) -> None:
        self._engine = KeywordEngine()

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def score(self, question: Question, items: list[tuple[str, ...]], adapter: Path | None = None) -> object:
        found = self._engine.score(question, items, adapter)
        found.log_probabilities[0] = np.nan if len(items) % 2 else 0.0
        return found


@pytest.mark.parametrize("n", [3, 4])
def test_numbers_that_are_no_probabilities_fail(n: int) -> None:
    found = tried(Unsound(), question(), TEXTS[:n])["legal answers"]  # type: ignore[arg-type]
    assert (found.verdict, found.n, round(found.share.value * n)) == (Verdict.FAILED, n, n - 1)


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> CausalEngine:
    """A Llama of random weights: it understands nothing."""
    return CausalEngine(llama(tmp_path_factory.mktemp("tiny") / "model", tiny_tokenizer(), window=700), device="cpu")


def test_a_model_that_understands_nothing_does_not_pass(causal: CausalEngine) -> None:
    texts = [(f"{text} {n}",) for (text,) in TEXTS for n in range(6)]
    found = tried(causal, question(), texts)
    assert found["legal answers"].verdict is Verdict.PASSED
    assert Verdict.FAILED in verdicts(found).values()
    assert found["swapped definitions"].verdict is not Verdict.PASSED
    assert "Put to the model as if they were texts" in found["recall of definitions"].sentence
    sentence = overall([Behaviour(question(), tuple(found.values()))])
    assert sentence.startswith("The model does not follow the codebook: ") and " of 6 checks failed: " in sentence


def test_the_instruction_reaches_a_language_model(causal: CausalEngine) -> None:
    asked = question(instruction="Which mood is it?")
    same = tried(causal, asked, paraphrase="{asked}")["paraphrased instruction"]
    assert (same.share.value, same.verdict) == (1.0, Verdict.PASSED)
    alone = causal.score(asked, TEXTS).log_probabilities
    framed = causal.score(replace(asked, instruction="Read. Which mood is it?"), TEXTS).log_probabilities
    assert np.abs(alone - framed).max() > 1e-3


def test_an_encoder_is_tried_too(engine: EncoderEngine) -> None:
    found = tried(engine, question())
    assert found["legal answers"].verdict is found["order of labels"].verdict is Verdict.PASSED
    assert found["paraphrased instruction"].share.value == 1.0
    assert found["swapped definitions"].share.value == 1.0, "labels are their definitions and examples to it"


def test_the_verdict_on_all_of_it() -> None:
    passed = tuple(
        tried(KeywordEngine(), question(labels=tuple(replace(x, wording=f"l{x.id}") for x in MOODS))).values()
    )
    assert overall([Behaviour(question(), passed)]).startswith(
        "The model passes all 6 checks. That is necessary and not"
    )
    doubtful = (replace(passed[0], verdict=Verdict.DOUBTFUL), *passed[1:])
    assert overall([Behaviour(question(), doubtful)]).startswith(
        "The model follows the codebook with doubts: legal answ"
    )
    failed = (replace(passed[0], verdict=Verdict.FAILED), replace(passed[1], verdict=Verdict.DOUBTFUL), *passed[2:])
    assert (
        "1 of 6 checks failed: legal answers (mood), and 1 are in doubt: recall of definitions (mood). Do"
        in overall([Behaviour(question(), failed)])
    )
