from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.engines.causal import CausalEngine
from backend.engines.instructions import Instructions
from backend.engines.keyword import KeywordEngine
from backend.engines.paraphrases import WAYS, paraphrases, rephrased
from backend.engines.prompts import Ours, asks, recipe
from backend.engines.protocol import EngineError
from backend.engines.wording import Authors
from labelstudio_config import library
from labelstudio_config.codebook import Kind, Question
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.plain import items_of


def questions() -> list[Question]:
    books = [library.load(name) for name in library.names()]
    return [book.standalone(question) for book in books for question in book.questions]


def test_the_first_is_the_base_and_the_ways_are_always_the_same() -> None:
    base = Ours(verbalised=True)
    ways = paraphrases(base)
    assert ways[0] is base
    assert len(ways) == 1 + len(WAYS) == 6
    assert [way.digest for way in ways] == [way.digest for way in paraphrases(Ours(verbalised=True))]
    assert len({recipe(way, 0, "t", 9) for way in (*ways, *paraphrases(Ours()))}) == 12


@pytest.mark.parametrize("base", [Ours(), Ours(verbalised=True)], ids=["wordings", "verbalisers"])
def test_every_codebook_is_asked_in_different_words_for_the_same_labels(base: Ours) -> None:
    for question in questions():
        told = [way.instruction(question) for way in paraphrases(base)]
        assert len(set(told)) == 6, question.id
        for way, instruction in zip(paraphrases(base), told, strict=True):
            assert way.words(question) == base.words(question)
            assert all(word in instruction for word in base.words(question))
            asked_of = asks(question, way)
            assert len(asked_of) == (len(question.labels) if question.kind is Kind.MULTIPLE else 1)
            assert instruction in asked_of[0].head or question.kind is Kind.MULTIPLE


def test_what_each_way_says() -> None:
    question = replace(
        asked("OPTIMISM", ("low", "high"), Kind.ORDINAL, instruction="Say how hopeful it is."), wording="How hopeful?"
    )
    by_name = dict(zip(["base", *WAYS], (way.instruction(question) for way in paraphrases(Ours())), strict=True))
    defined = "- low: What is meant by 0.\n- high: What is meant by 1."
    ending = "Answer with one of these, from the lowest to the highest: low, high."
    assert by_name == {
        "base": f"Say how hopeful it is.\n{defined}\n{ending}",
        "as a question": f"How hopeful?\n{defined}\n{ending}",
        "labels in reverse": "Say how hopeful it is.\n- high: What is meant by 1.\n- low: What is meant by 0.\n"
        "Answer with one of these, from the highest to the lowest: high, low.",
        "without definitions": f"Say how hopeful it is.\n{ending}",
        "answers first": "Possible answers, from the lowest to the highest: low, high.\nSay how hopeful it is.\n"
        f"What the answers mean:\n{defined}\nGive the answer only.",
        "as a coder": "You code texts for a study. Say how hopeful it is.\nThe codes:\nlow = What is meant by 0.\n"
        "high = What is meant by 1.\nReply with exactly one code, from the lowest to the highest: low; high.",
    }


def test_each_label_of_several_is_still_asked_for_by_itself() -> None:
    several = replace(asked("EMOTION", ("joy", "anger"), Kind.MULTIPLE, instruction="Say all."), wording="Which ones?")
    for way in paraphrases(Ours()):
        first, second = asks(several, way)
        assert first.words == ("yes", "no")
        assert "Does this apply: joy" in first.head
        assert "Does this apply: anger" in second.head
    assert "Which ones?\nDoes this apply: joy" in asks(several, paraphrases(Ours())[1])[0].head


def test_without_a_question_for_coders_there_is_one_of_ours() -> None:
    question = asked("EMOTION", ("joy", "anger"), instruction="Say the mood.")
    told = paraphrases(Ours())[1].instruction(question)
    assert told.startswith("Which of the answers below is right? Say the mood.\n")


def test_the_authors_instruction_is_varied_in_our_words() -> None:
    (emotion,) = (question for question in questions() if question.provenance.task == "EMOTION")
    base = Authors(Instructions("r1", {"EMOTION": "Their words."}), verbalised=True)
    told = [way.instruction(emotion) for way in paraphrases(base)]
    assert told[0] == "Their words."
    assert told[1:] == [way.instruction(emotion) for way in paraphrases(Ours(verbalised=True))[1:]]


def test_an_engine_is_asked_in_other_words_without_loading_anew(tmp_path: Path) -> None:
    weights = llama(tmp_path / "model", tiny_tokenizer(), window=500)
    engine, question = CausalEngine(weights, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    items = items_of(question)
    before = engine.score(question, items).log_probabilities
    for way in paraphrases(Ours())[1:]:
        other = rephrased(engine, way)
        assert isinstance(other, CausalEngine)
        assert other.model is engine.model
        assert other.identity.prompt == CausalEngine(weights, device="cpu", wording=way, ready=False).identity.prompt
        found = other.score(question, items).log_probabilities
        fresh = CausalEngine(weights, device="cpu", wording=way).score(question, items).log_probabilities
        np.testing.assert_allclose(found, fresh, atol=1e-5)
        assert np.abs(found - before).max() > 1e-3
    np.testing.assert_allclose(engine.score(question, items).log_probabilities, before, atol=1e-6)
    with pytest.raises(EngineError, match="cannot be asked in other words"):
        rephrased(KeywordEngine(), Ours())
