from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.engines import examination, loras, remote, vllm
from backend.engines.causal import CausalEngine
from backend.engines.prompts import Ask, Ours, asks
from backend.engines.protocol import EngineError, Family, Item
from backend.engines.remote import RemoteEngine
from backend.engines.trie import Method
from backend.engines.weights import Weights
from labelstudio_config.codebook import Kind, Question
from tests.backend.engines.fake_vllm import FakeVllm, serving
from tests.backend.engines.label_sets import HARD, TASKS, asked
from tests.backend.engines.llamas import llama
from tests.backend.engines.questions import question as number
from tests.backend.engines.random_loras import lora, signed
from tests.backend.engines.vocabulary import learned_tokenizer

KEY = "sesame-open-0123456789"
TEXTS = (
    "It is fine.",
    "no",
    "Output: joy",
    "Zoë said (well, twice): 'n/a'!",
    "ü 漢字 🎉",
    "  ",
    "Instruction: a\nInput: b",
)
EMOTION = asked("EMOTION", TASKS["EMOTION"])
INTIMACY = asked("INTIMACY", TASKS["INTIMACY"])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("served"), learned_tokenizer(), window=300)


@pytest.fixture
def fake(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    monkeypatch.setattr(vllm, "FIRST", 0.01)
    monkeypatch.setattr(examination, "PATIENCE", 0.2)
    monkeypatch.setattr(remote, "TOGETHER", 3)
    with serving(FakeVllm(weights, key=KEY, limit=301)) as server:
        yield server


def engine(fake: FakeVllm, weights: Weights, **more: Any) -> RemoteEngine:
    return RemoteEngine(fake.url, "base", weights, key=KEY, **{"timeout": 5.0, "patience": 5.0} | more)


def items(question: Question, n: int) -> list[Item]:
    """Items of unequal length, the same each time."""
    dice = random.Random(4)
    words = " ".join(TEXTS).split()
    texts = [*TEXTS, *(" ".join(dice.choices(words, k=dice.randint(1, 20))) for _ in range(n))]
    return [(text,) if len(question.fields) == 1 else (text, text[::-1]) for text in texts[:n]]


def whole(used: RemoteEngine, model: Any, question: Question, found: list[Item], method: Method) -> np.ndarray:
    """Probabilities [n, K] by one full forward per (text, answer)."""
    every = [_whole(used, model, ask, found, method) for ask in asks(question, Ours())]
    return np.stack([p[:, 0] for p in every], axis=1) if question.kind is Kind.MULTIPLE else every[0]


def _whole(used: RemoteEngine, model: Any, ask: Ask, found: list[Item], method: Method) -> np.ndarray:
    tokens = used.tokens
    rows = []
    for item in found:
        prompt = str(ask.prompt(item))
        answers = [(*tokens.ids([prompt + ask.answer(word)])[0], tokens.end) for word in ask.words]
        plain = tuple(tokens.ids([prompt])[0])
        shared = next(n for n in range(len(plain), -1, -1) if all(a[:n] == plain[:n] for a in answers))
        scores = []
        for answer in answers:
            with torch.inference_mode():
                steps = model(torch.tensor([answer])).logits[0].double().log_softmax(-1)
            score = 0.0
            for place in range(shared, len(answer)):
                rivals = {a[place] for a in answers if a[:place] == answer[:place] and len(a) > place}
                value = float(steps[place - 1, answer[place]])
                if method == "choice":
                    value -= float(torch.logsumexp(steps[place - 1, list(rivals)], 0))
                score += value
            scores.append(score)
        rows.append(np.exp(np.array(scores) - np.logaddexp.reduce(scores)))
    return np.array(rows)


@pytest.mark.parametrize("method", ["label", "choice"])
@pytest.mark.parametrize("name", ["EMOTION", "INTIMACY", "FLUTE", "SAMESIDESTANCE", "AGREEDISAGREE", *HARD])
def test_probabilities_are_those_of_whole_forwards(fake: FakeVllm, weights: Weights, name: str, method: Method) -> None:
    question = asked(name, (TASKS | HARD)[name])
    used = engine(fake, weights, method=method)
    found = items(question, 7)
    scores = used.score(question, found)
    expected = whole(used, fake.models["base"], question, found, method)
    np.testing.assert_allclose(np.exp(scores.log_probabilities), expected, atol=1e-5)
    assert (scores.family, scores.log_probabilities.dtype) == (Family.CATEGORICAL, np.float64)
    assert scores.cut.tolist() == [0] * 7


@pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`:FutureWarning"
)  # peft reads what transformers will drop
def test_probabilities_are_those_of_the_causal_engine(fake: FakeVllm, weights: Weights, tmp_path: Path) -> None:
    local, used = CausalEngine(weights, device="cpu"), engine(fake, weights)
    found = [*items(INTIMACY, 7), ("a long text. " * 100,)]
    (folder,) = adapters(used, weights, tmp_path, 1, INTIMACY)
    for adapter in (None, folder):
        here, there = local.score(INTIMACY, found, adapter), used.score(INTIMACY, found, adapter)
        np.testing.assert_allclose(np.exp(there.log_probabilities), np.exp(here.log_probabilities), atol=1e-5)
        np.testing.assert_array_equal(there.cut, here.cut)
        assert there.cut[7] > 0


@pytest.mark.parametrize("kind", [Kind.MULTIPLE, Kind.ORDINAL])
def test_each_kind_of_question_is_answered(fake: FakeVllm, weights: Weights, kind: Kind) -> None:
    question = asked("INTIMACY", TASKS["INTIMACY"][:3], kind)
    used = engine(fake, weights)
    found = items(question, 4)
    scores = used.score(question, found)
    expected = whole(used, fake.models["base"], question, found, "label")
    np.testing.assert_allclose(np.exp(scores.log_probabilities), expected, atol=1e-5)
    assert scores.family is (Family.BERNOULLI if kind is Kind.MULTIPLE else Family.ORDINAL)
    with pytest.raises(EngineError, match="no labels"):
        used.score(number(Kind.NUMBER), found)


def test_a_request_asks_for_what_the_trie_needs_and_no_more(fake: FakeVllm, weights: Weights) -> None:
    used = engine(fake, weights, method="choice")
    fake.asked.clear()
    used.score(asked("x", ("joy", "anger")), items(EMOTION, 3))
    (one,) = [body for _, body in fake.asked]
    assert len(one["prompt"]) == 3
    assert len(one["logprob_token_ids"]) == 2  # ' joy' and ' anger' part at their first letter
    assert (one["max_tokens"], one["temperature"]) == (1, 1.0)


@pytest.mark.parametrize("n", [0, 1, 100])
def test_texts_may_be_few_or_many_and_in_any_order(
    fake: FakeVllm, weights: Weights, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ROUND", 40)
    used = engine(fake, weights, concurrency=4)
    found = items(EMOTION, n)
    plain = used.score(EMOTION, found).log_probabilities
    assert plain.shape == (n, 4)
    order = np.random.default_rng(1).permutation(n)
    shuffled = used.score(EMOTION, [found[i] for i in order]).log_probabilities
    np.testing.assert_allclose(np.exp(shuffled), np.exp(plain[order]), atol=1e-6)
    assert fake.peak <= 4


def test_texts_too_long_are_cut_and_counted(fake: FakeVllm, weights: Weights) -> None:
    used = engine(fake, weights)
    scores = used.score(EMOTION, [("word " * 300,), ("short",)])
    assert scores.cut[0] > 50
    assert scores.cut[1] == 0
    longest = max(len(prompt) for _, body in fake.asked for prompt in body["prompt"] if "logprob_token_ids" in body)
    assert longest == 300


@pytest.mark.parametrize("fault", ["500", "503", "drop", "half"])
def test_faults_in_the_middle_of_a_batch_change_no_score(fake: FakeVllm, weights: Weights, fault: str) -> None:
    used = engine(fake, weights)
    found = items(INTIMACY, 24)
    plain = used.score(INTIMACY, found).log_probabilities
    fake.faults = ["", "", fault, fault, "", fault, "", "", fault]
    np.testing.assert_allclose(used.score(INTIMACY, found).log_probabilities, plain, atol=1e-6)
    assert fake.faults == []


def test_a_batch_that_fails_says_why_and_is_right_the_next_time(fake: FakeVllm, weights: Weights) -> None:
    used = engine(fake, weights, patience=0.2)
    found = items(EMOTION, 24)
    plain = used.score(EMOTION, found).log_probabilities
    fake.faults = ["", "", *["503"] * 1000]
    with pytest.raises(EngineError, match=r"fails \(503\). See its log, and try again"):
        used.score(EMOTION, found)
    fake.faults = ["503", "drop"]  # which this time it has the patience for
    np.testing.assert_allclose(used.score(EMOTION, found).log_probabilities, plain, atol=1e-6)


def test_an_answer_that_is_no_score_fails_the_batch_at_once(fake: FakeVllm, weights: Weights) -> None:
    used = engine(fake, weights, patience=3600)
    fake.faults = ["503"] * 4  # these wait to be tried again when the others' answers are seen to be worthless
    fake.tamper = lambda answer: answer | {"model": "other"}
    with pytest.raises(EngineError, match="answers for another model"):
        used.score(EMOTION, items(EMOTION, 100))


def adapters(used: RemoteEngine, weights: Weights, folder: Path, n: int, question: Question = EMOTION) -> list[Path]:
    made = [lora(folder / f"v{i}", weights.folder, seed=i) for i in range(n)]
    return [signed(one, used.identity, question, weights.tokenizer) for one in made]


def test_adapters_change_scores_as_their_weights_say(fake: FakeVllm, weights: Weights, tmp_path: Path) -> None:
    used = engine(fake, weights)
    found = items(EMOTION, 5)
    plain = np.exp(used.score(EMOTION, found).log_probabilities)
    for folder in adapters(used, weights, tmp_path, 2):
        learned = np.exp(used.score(EMOTION, found, folder).log_probabilities)
        (name,) = [name for name, where in fake.folders.items() if where == str(folder.resolve())]
        assert name == f"socialite-{loras.digest(folder)[:12]}"
        np.testing.assert_allclose(learned, whole(used, fake.models[name], EMOTION, found, "label"), atol=1e-5)
        assert np.abs(learned - plain).max() > 0.01
    np.testing.assert_allclose(np.exp(used.score(EMOTION, found).log_probabilities), plain, atol=1e-6)


def test_the_adapters_used_last_stay_on_the_server(fake: FakeVllm, weights: Weights, tmp_path: Path) -> None:
    used = engine(fake, weights, kept=2)
    found = items(EMOTION, 3)
    one, two, three = adapters(used, weights, tmp_path, 3)
    first = used.score(EMOTION, found, one).log_probabilities
    for folder in (two, one, three):
        used.score(EMOTION, found, folder)
    assert set(fake.folders.values()) == {str(one.resolve()), str(three.resolve())}
    assert fake.count("/v1/load_lora_adapter") == 3
    np.testing.assert_allclose(used.score(EMOTION, found, one).log_probabilities, first, atol=1e-6)
    used.score(EMOTION, found, two)
    assert set(fake.folders.values()) == {str(one.resolve()), str(two.resolve())}
    assert fake.count("/v1/unload_lora_adapter") == 2


def test_another_program_may_have_loaded_the_adapter(fake: FakeVllm, weights: Weights, tmp_path: Path) -> None:
    (folder,) = adapters(engine(fake, weights), weights, tmp_path, 1)
    first = engine(fake, weights).score(EMOTION, items(EMOTION, 3), folder).log_probabilities
    second = engine(fake, weights).score(EMOTION, items(EMOTION, 3), folder).log_probabilities
    np.testing.assert_array_equal(first, second)


def test_a_server_that_restarts_in_the_middle_gets_the_adapter_back(
    fake: FakeVllm, weights: Weights, tmp_path: Path
) -> None:
    used = engine(fake, weights)
    (folder,) = adapters(used, weights, tmp_path, 1)
    found = items(EMOTION, 30)
    expected = used.score(EMOTION, found, folder).log_probabilities
    left = [7]
    lock = threading.Lock()

    def restart(_: dict[str, Any]) -> None:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                fake.faults = ["drop", "503"]
                fake.forget()

    fake.before = restart
    np.testing.assert_allclose(used.score(EMOTION, found, folder).log_probabilities, expected, atol=1e-6)
    assert left[0] < 0
    assert fake.count("/v1/load_lora_adapter") == 2


def test_a_server_that_keeps_forgetting_is_not_asked_for_ever(fake: FakeVllm, weights: Weights, tmp_path: Path) -> None:
    used = engine(fake, weights)
    (folder,) = adapters(used, weights, tmp_path, 1)
    fake.before = lambda _: fake.forget()
    with pytest.raises(EngineError, match="forgets the adapter v0 as soon as it is loaded"):
        used.score(EMOTION, items(EMOTION, 3), folder)
    assert fake.count("/v1/load_lora_adapter") == 1 + remote.RELOADS


def test_an_adapter_that_does_not_belong_here_never_reaches_the_server(
    fake: FakeVllm, weights: Weights, tmp_path: Path
) -> None:
    used = engine(fake, weights)
    (folder,) = adapters(used, weights, tmp_path, 1)

    def reason(question: Question = EMOTION, *, vocabulary: str = weights.tokenizer, **changes: str) -> str:
        signed(folder, used.identity, EMOTION, vocabulary, **changes)
        with pytest.raises(EngineError) as refused:
            used.score(question, [("a",)], folder)
        return str(refused.value)

    assert "not the single question 'intimacy'" in reason(INTIMACY)
    assert "was trained on the base 'random llama'" in reason(base_digest="f" * 64)
    assert "trained with another vocabulary" in reason(vocabulary="e" * 64)
    assert "trained on other prompts" in reason(prompt="d" * 64)
    assert "is a 'head', which a causal model cannot use" in reason(method="head")
    assert fake.count("/v1/load_lora_adapter") == 0


def test_the_first_look_at_a_server_says_what_is_wrong(
    fake: FakeVllm, weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reason(**more: Any) -> str:
        with pytest.raises(EngineError) as refused:
            RemoteEngine(**{"url": fake.url, "model": "base", "weights": weights, "key": KEY} | more)
        return str(refused.value)

    assert "refuses the key" in reason(key="other")
    assert "does not serve 'socialite'; it serves: base" in reason(model="socialite")
    assert "cannot be reached" in reason(url="http://127.0.0.1:9")
    assert "reads 301 tokens, the model here 700" in reason(weights=replace(weights, window=700))
    assert "no scoring method 'best'" in reason(method="best")
    other = llama(tmp_path / "other", learned_tokenizer("42 42 42 42 42 42 42 42"))
    assert "cuts texts into other tokens" in reason(weights=other)
    fake.size -= 1
    assert "vocabulary of the server" in reason()
    assert KEY not in reason(model="socialite")


def shifted(answer: dict[str, Any]) -> dict[str, Any]:
    for choice in answer["choices"]:
        for top in (choice["logprobs"] or {}).get("top_logprobs", []):
            top.update({name: value + 30.0 for name, value in top.items()})
    return answer


def nameless(answer: dict[str, Any]) -> dict[str, Any]:
    for choice in answer["choices"]:
        choice.pop("prompt_token_ids", None)
    return answer


def ignorant(answer: dict[str, Any]) -> dict[str, Any]:
    """A server of before `logprob_token_ids`: the likeliest token alone."""
    for choice in answer["choices"]:
        for place, top in enumerate((choice["logprobs"] or {}).get("top_logprobs", [])):
            choice["logprobs"]["top_logprobs"][place] = dict(list(top.items())[:1])
    return answer


def fickle(answer: dict[str, Any]) -> dict[str, Any]:
    """Another log-probability for the same token in a request of one prompt than in one of many."""
    for choice in answer["choices"] if len(answer["choices"]) == 1 else []:
        for top in (choice["logprobs"] or {}).get("top_logprobs", []):
            top.update({name: value - 1.0 for name, value in top.items()})
    return answer


def small_logits(answer: dict[str, Any]) -> dict[str, Any]:
    """The logits of a model that has learned nothing: all near zero, each of them below it."""
    for choice in answer["choices"]:
        for top in (choice["logprobs"] or {}).get("top_logprobs", []):
            top.update(dict.fromkeys(top, -0.1))
    return answer


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (shifted, "numbers that are no log-probabilities"),
        (nameless, "does not say how it cuts a text"),
        (ignorant, "leaves out tokens that were asked for"),
        (fickle, "the same token has one when it is drawn and another"),
        (small_logits, "numbers that are no log-probabilities"),
    ],
)
def test_a_server_without_usable_log_probabilities_is_found_out_at_the_start(
    fake: FakeVllm, weights: Weights, tamper: Callable[[dict[str, Any]], dict[str, Any]], sentence: str
) -> None:
    fake.tamper = tamper
    with pytest.raises(EngineError, match=f"gives no usable log-probabilities: .*{sentence}"):
        engine(fake, weights)


def test_the_server_may_come_later_than_the_engine(fake: FakeVllm, weights: Weights) -> None:
    waiting = engine(fake, weights, ready=False)
    assert waiting.identity.digest == weights.digest
    assert fake.asked == []
    waiting.load()
    waiting.load()
    assert waiting.warnings([("a",)]) == [None]
    assert waiting.why_not(EMOTION) is None
    assert fake.count("/v1/completions") == 3


def test_what_a_score_depends_on_is_in_the_identity(fake: FakeVllm, weights: Weights) -> None:
    plain = engine(fake, weights).identity
    causal = CausalEngine(weights, device="cpu", ready=False).identity
    assert (causal.prompt, causal.digest, causal.method) == (plain.prompt, plain.digest, plain.method)
    assert (plain.engine, plain.base, plain.dtype, plain.method) == ("remote", weights.base, "remote", "label")
    assert engine(fake, weights, method="choice").identity != plain
    assert engine(fake, weights, shots=2).identity.prompt != plain.prompt
    assert engine(fake, weights, wording=Ours(verbalised=True)).identity.prompt != plain.prompt


def test_neither_key_nor_text_is_logged(fake: FakeVllm, weights: Weights, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.faults = ["500", "drop"]
    used = engine(fake, weights)
    used.score(EMOTION, [("a secret of mine",)])
    assert "completions" in caplog.text  # something is
    assert KEY not in caplog.text
    assert "secret" not in caplog.text
