"""Examples inside the instruction, for all items the same or for each its own: scores are those of plain forwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.engines.causal import CausalEngine
from backend.engines.encoder import EncoderEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.packs import run_prefix
from backend.engines.prompts import Ours, applies, asks, shown_lines
from backend.engines.protocol import EngineError, Family, Item
from backend.engines.tokens import Tokens
from backend.engines.trie import Method
from backend.engines.weights import Weights
from labelstudio_config.codebook import Kind, Question
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import LLAMA2, llama, real_tokenizer, tiny_tokenizer
from tests.backend.engines.plain import items_of, plain_model, plainly
from tests.backend.engines.questions import question as number

EMOTION = asked("EMOTION", TASKS["EMOTION"])
POOL = ("so glad", "Output: joy\nno - anger", "it will be well", "x" * 9)


@pytest.fixture(scope="module", params=["real", "letters"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "letters":
        return llama(folder / "model", tiny_tokenizer(), key_values=2, window=900, max_position_embeddings=1024)
    shared = request.getfixturevalue("shared")
    if not (shared / LLAMA2).is_file():
        pytest.skip("shared material absent")
    return llama(folder / "model", real_tokenizer(shared, folder / "vocabulary"), hidden_size=16, window=900)


def lines(question: Question, places: Sequence[int]) -> str:
    """The examples at these places of the pool."""
    size = len(question.fields)
    labels = len(question.labels)
    return shown_lines(
        question,
        Ours(),
        [((POOL[n], POOL[n][::-1])[:size], question.label_ids[n % labels]) for n in places],
    )


def test_a_line_for_each_example_in_the_order_given() -> None:
    assert lines(EMOTION, [1, 0]) == "Output: joy no - anger - joy\nso glad - anger"
    assert shown_lines(EMOTION, Ours(), [(("a\ud800  \r\n\u2028b",), frozenset(["label3"]))]) == "a? b - sadness"
    assert shown_lines(EMOTION, Ours(), []) == ""


def test_a_pair_stands_on_one_line_as_in_the_input() -> None:
    joined, titled = (asked(name, TASKS[name]) for name in ("SAMESIDESTANCE", "FLUTE"))
    assert shown_lines(joined, Ours(), [(("a\nb", "c"), "label1")]) == "a b [SEP] c - same side"
    assert shown_lines(titled, Ours(), [(("a\nb", "c"), "label3")]) == "Premise: a b Hypothesis: c - simile"


def test_words_are_those_of_the_wording() -> None:
    turned = replace(
        asked("BIASEDIMPLICATION", TASKS["BIASEDIMPLICATION"]), verbalisers=(("label0", "biased"), ("label1", "fair"))
    )
    example = [(("a",), "label1")]
    assert shown_lines(turned, Ours(), example) == "a - biased"
    assert shown_lines(turned, Ours(verbalised=True), example) == "a - fair"


def test_examples_stand_inside_the_instruction() -> None:
    (ask,) = asks(EMOTION, Ours())
    prompt = str(ask.prompt(("Hi",), tuple(lines(EMOTION, [0, 2]).split("\n"))))
    assert prompt.endswith(
        "\nAnswer with one of these: anger, joy, optimism, sadness."
        "\nSome texts with their right answers:\nso glad - anger\nit will be well - optimism"
        "\nAnswer for the input below in the same way.\nInput: Hi\nOutput:"
    )
    assert str(ask.prompt(("Hi",), ())) == str(ask.prompt(("Hi",)))
    written = replace(EMOTION, labels=tuple(replace(x, examples=(f"Text of {x.wording}",)) for x in EMOTION.labels))
    told = [((label.examples[0],), label.id) for label in written.labels]
    assert str(asks(written, Ours(), 1)[0].prompt(("Hi",))) == str(
        ask.prompt(("Hi",), tuple(shown_lines(written, Ours(), told).split("\n")))
    )


@pytest.mark.parametrize("method", ["label", "choice"])
@pytest.mark.parametrize("name", ["EMOTION", "FLUTE"])
def test_scores_are_those_of_whole_forwards(model: Weights, name: str, method: Method) -> None:
    engine, plain, question = (
        CausalEngine(model, device="cpu", method=method),
        plain_model(model),
        asked(name, TASKS[name]),
    )
    items = items_of(question)
    own = [lines(question, [n % 4, (n + 1) % 4][: n % 3]) for n in range(len(items))]
    assert len(set(own)) > 3
    assert "" in own
    none = engine.score(question, items).log_probabilities
    for shown in ([lines(question, [0, 1, 2])] * len(items), own):
        found = engine.score(question, items, shown=shown)
        assert not found.cut.any()
        expected = plainly(plain, engine, question, items, method, shown)
        np.testing.assert_allclose(found.log_probabilities, expected, atol=1e-4)
        assert np.abs(found.log_probabilities - none).max() > 1e-2
    empty = engine.score(question, items, shown=[""] * len(items)).log_probabilities
    np.testing.assert_allclose(empty, none, atol=1e-5)


def test_examples_that_all_share_are_run_once(model: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def counted(model: Any, ids: Sequence[int]) -> Any:
        runs.append(len(ids))
        return run_prefix(model, ids)

    monkeypatch.setattr("backend.engines.causal.run_prefix", counted)
    engine, items = CausalEngine(model, device="cpu"), items_of(EMOTION)
    engine.score(EMOTION, items)
    for _ in range(2):
        engine.score(EMOTION, items, shown=[lines(EMOTION, [0, 1, 2])] * len(items))
    own = [lines(EMOTION, [n % 4]) for n in range(len(items))]
    engine.score(EMOTION, items, shown=own)
    assert len(runs) == 2
    assert runs[1] > runs[0] + 20


def test_prefixes_of_many_examples_do_not_pile_up(model: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = CausalEngine(model, device="cpu")
    for kept, limit in ((4, 4000), (1, 1)):
        monkeypatch.setattr("backend.engines.causal.KEPT_TOKENS", limit)
        for n in range(4):
            engine.score(EMOTION, [("a",)], shown=[lines(EMOTION, [n, n, n])])
        assert len(engine._prefixes) == kept


def test_examples_are_cut_first_and_by_whole_lines(model: Weights) -> None:
    wide = CausalEngine(model, device="cpu")
    shown = lines(EMOTION, [0, 1, 2, 3])
    long = "abc. " * 30
    whole, bare = (
        len(wide.tokens.ids([str(asks(EMOTION, Ours())[0].prompt((long,), tuple(x.split("\n")) if x else ()))])[0])
        for x in (shown, "")
    )
    (frame,) = wide.frames(EMOTION)
    reserve = max(map(len, frame.seams.answers)) - 1 - frame.seams.back
    engine = CausalEngine(replace(model, window=whole + reserve - 1), device="cpu")
    found = engine.score(EMOTION, [(long,), ("short",)], shown=[shown, shown])
    fewer = wide.score(EMOTION, [(long,), ("short",)], shown=[lines(EMOTION, [1, 2, 3]), shown])
    np.testing.assert_allclose(found.log_probabilities, fewer.log_probabilities, atol=1e-4)
    assert found.cut[0] > 1
    assert found.cut[1] == 0

    engine = CausalEngine(replace(model, window=bare + reserve), device="cpu")
    found = engine.score(EMOTION, [(long,)], shown=[shown])
    np.testing.assert_allclose(found.log_probabilities, wide.score(EMOTION, [(long,)]).log_probabilities, atol=1e-4)
    assert found.cut[0] == whole - bare

    engine = CausalEngine(replace(model, window=bare + reserve - 10), device="cpu")
    found, without = engine.score(EMOTION, [(long,)], shown=[shown]), engine.score(EMOTION, [(long,)])
    np.testing.assert_allclose(found.log_probabilities, without.log_probabilities, atol=1e-4)
    assert found.cut[0] == without.cut[0] + whole - bare


def test_which_prompts_lost_examples_is_told(model: Weights) -> None:
    tokens: Tokens = CausalEngine(model, device="cpu", ready=False).tokens
    (ask,) = asks(EMOTION, Ours())
    prompts = [ask.prompt(("a",), ("b - joy",)), ask.prompt(("a",)), ask.prompt(("c " * 50,))]
    room = len(tokens.ids([str(prompts[1])])[0])
    found = tokens.fitted(prompts, room)
    assert found.fewer.tolist() == [True, False, False]
    assert found.ids[0] == found.ids[1]
    assert [len(ids) <= room for ids in found.ids] == [True, True, True]


def test_several_labels_are_each_shown_with_yes_and_no(model: Weights) -> None:
    several = asked("EMOTION", ("joy", "anger"), Kind.MULTIPLE)
    examples: list[tuple[Item, frozenset[str]]] = [
        (("ha",), frozenset(["label0"])),
        (("grr",), frozenset(["label1"])),
        (("both",), frozenset(several.label_ids)),
        (("none",), frozenset()),
    ]
    shown = shown_lines(several, Ours(), examples)
    assert shown == "ha - yes\ngrr - no\nboth - yes\nnone - no\n\nha - no\ngrr - yes\nboth - yes\nnone - no"
    assert shown_lines(several, Ours(), [(("ha",), "label0")]) == "ha - yes\n\nha - no"
    engine, plain = CausalEngine(model, device="cpu"), plain_model(model)
    items = items_of(several)
    two = shown_lines(several, Ours(), examples[:2])
    for own in ([shown] * len(items), [(shown, two, "")[n % 3] for n in range(len(items))]):
        scores = engine.score(several, items, shown=own)
        assert scores.family is Family.BERNOULLI
        for column, label in enumerate(several.labels):
            lines_of = [text.split("\n\n")[column] if text else "" for text in own]
            expected = plainly(plain, engine, applies(several, label), items, "label", lines_of)
            np.testing.assert_allclose(scores.log_probabilities[:, column], expected[:, 0], atol=1e-4)
    with pytest.raises(EngineError, match="in 1 paragraphs, but each of the 2 labels"):
        engine.score(several, [("a",)], shown=["ha - yes"])


def test_what_is_no_example_is_refused() -> None:
    def reason(question: Question, *examples: Any) -> str:
        with pytest.raises(EngineError) as refused:
            shown_lines(question, Ours(), list(examples))
        return str(refused.value)

    assert "has the label 'fear', which the question 'EMOTION' does not have" in reason(EMOTION, (("a",), "fear"))
    assert "has 2 labels" in reason(EMOTION, (("a",), frozenset(["label0", "label1"])))
    assert "has 0 labels" in reason(EMOTION, (("a",), frozenset()))
    assert "Item 0 has 2 texts" in reason(EMOTION, (("a", "b"), "label0"))
    assert "no labels to score" in reason(number(Kind.NUMBER), (("a",), "label0"))


def test_engines_without_a_prompt_read_no_examples(model: Weights, encoder: EncoderEngine) -> None:
    for engine in (KeywordEngine(), encoder):
        with pytest.raises(EngineError, match="it reads no examples"):
            engine.score(EMOTION, [("a",)], shown=["b - joy"])
    with pytest.raises(EngineError, match="There are 2 items, but examples for 1"):
        CausalEngine(model, device="cpu").score(EMOTION, [("a",), ("b",)], shown=[""])
