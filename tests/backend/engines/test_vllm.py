from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.engines import vllm
from backend.engines.protocol import EngineError
from backend.engines.vllm import Server
from backend.engines.vllm_errors import UnknownModelError
from backend.engines.weights import Weights
from tests.backend.engines.fake_vllm import FakeVllm, serving
from tests.backend.engines.llamas import llama, tiny_tokenizer

KEY = "sesame-open-0123456789"
PROMPTS = [[1, 20, 30], [1, 40, 50, 60], [1, 7]]
IDS = [2, 9, 11, 80]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("served"), tiny_tokenizer())


@pytest.fixture
def fake(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    monkeypatch.setattr(vllm, "FIRST", 0.01)
    with serving(FakeVllm(weights, key=KEY)) as server:
        yield server


@pytest.fixture
def server(fake: FakeVllm) -> Iterator[Server]:
    client = Server(fake.url, KEY, timeout=0.5, patience=2.0)
    yield client
    client.close()


def expected(fake: FakeVllm, prompts: list[list[int]] = PROMPTS, ids: list[int] = IDS) -> np.ndarray:
    with torch.inference_mode():
        rows = [fake.models["base"](torch.tensor([p])).logits[0, -1].double().log_softmax(-1)[ids] for p in prompts]
    return np.stack([row.numpy() for row in rows])


def test_log_probabilities_are_those_of_the_model_in_the_order_asked(fake: FakeVllm, server: Server) -> None:
    np.testing.assert_allclose(server.log_probabilities("base", PROMPTS, IDS), expected(fake), atol=1e-5)
    back = IDS[::-1]
    np.testing.assert_allclose(server.log_probabilities("base", PROMPTS, back), expected(fake, ids=back), atol=1e-5)
    assert fake.count("/v1/completions") == 2


def test_more_tokens_than_a_request_takes_are_asked_for_in_several(
    fake: FakeVllm, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm, "IDS", 3)
    ids = list(range(10))
    np.testing.assert_allclose(server.log_probabilities("base", PROMPTS, ids), expected(fake, ids=ids), atol=1e-5)
    assert [len(body["logprob_token_ids"]) for _, body in fake.asked] == [3, 3, 3, 1]


@pytest.mark.parametrize("fault", ["500", "502", "503", "504", "429", "drop", "half", "late"])
def test_a_fault_that_passes_is_tried_again(fake: FakeVllm, server: Server, fault: str) -> None:
    fake.faults = [fault, fault]
    np.testing.assert_allclose(server.log_probabilities("base", PROMPTS, IDS), expected(fake), atol=1e-5)
    assert fake.count("/v1/completions") == 3


def test_a_server_that_asks_for_time_gets_it(fake: FakeVllm, server: Server) -> None:
    fake.faults = ["500", "429", "500"]
    waits: list[float] = []
    wait = server._given_up.wait
    server._given_up.wait = lambda seconds: waits.append(seconds) or wait(0)  # type: ignore[method-assign, func-returns-value]
    server.log_probabilities("base", PROMPTS, IDS)
    assert waits[1] == 0.2  # what Retry-After says
    assert 0 < waits[0] <= 0.01 < waits[2] <= 0.04  # growing, and with chance in it


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", r"fails \(500\). See its log"),
        ("429", "has too many requests"),
        ("drop", "cannot be reached"),
        ("late", "takes too long"),
    ],
)
def test_patience_ends_with_a_sentence(fake: FakeVllm, fault: str, sentence: str) -> None:
    client = Server(fake.url, KEY, timeout=0.2, patience=0.3)
    fake.faults = [fault] * 100
    with pytest.raises(EngineError, match=sentence) as failed:
        client.log_probabilities("base", PROMPTS, IDS)
    assert 2 <= fake.count("/v1/completions") < 20
    assert failed.value.__cause__ is None
    client.close()


def test_whoever_waits_can_be_told_to_give_up(fake: FakeVllm) -> None:
    client = Server(fake.url, KEY, patience=3600)
    fake.faults = ["503"] * 1000
    client.give_up()
    with pytest.raises(EngineError, match="fails"):
        client.log_probabilities("base", PROMPTS, IDS)
    fake.faults = ["503"]
    client.resume()
    assert client.log_probabilities("base", PROMPTS, IDS).shape == (3, 4)
    client.close()


def without(answer: dict[str, Any]) -> dict[str, Any]:
    answer["choices"][0]["logprobs"] = None
    return answer


def likeliest_only(answer: dict[str, Any]) -> dict[str, Any]:
    for choice in answer["choices"]:
        top = choice["logprobs"]["top_logprobs"][0]
        choice["logprobs"]["top_logprobs"] = [dict([max(top.items(), key=lambda x: x[1])])]
    return answer


def changed(value: Callable[[float], float]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def tamper(answer: dict[str, Any]) -> dict[str, Any]:
        for choice in answer["choices"]:
            top = choice["logprobs"]["top_logprobs"][0]
            choice["logprobs"]["top_logprobs"] = [{name: value(x) for name, x in top.items()}]
        return answer

    return tamper


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (without, "no usable log-probabilities: it gives no log-probabilities"),
        (likeliest_only, "leaves out tokens that were asked for"),
        (changed(lambda x: x + 9), "numbers that are no log-probabilities"),
        (changed(lambda _: -0.1), "numbers that are no log-probabilities"),
        (changed(lambda _: float("nan")), "numbers that are no log-probabilities"),
        (lambda answer: answer | {"model": "other"}, "answers for another model"),
        (lambda answer: answer | {"choices": answer["choices"][1:]}, "did not give 3 completions"),
        (lambda answer: {"model": "base"}, "its completion has no choices"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_no_score(
    fake: FakeVllm, server: Server, tamper: Callable[[dict[str, Any]], dict[str, Any]], sentence: str
) -> None:
    fake.tamper = tamper
    with pytest.raises(EngineError, match=sentence):
        server.log_probabilities("base", PROMPTS, IDS)
    assert fake.count("/v1/completions") == 1


def test_what_no_other_try_cures_is_said_at_once(fake: FakeVllm, server: Server) -> None:
    with pytest.raises(UnknownModelError, match=r"does not serve 'nobody'\. Give the name it was started with"):
        server.log_probabilities("nobody", PROMPTS, IDS)
    with pytest.raises(EngineError, match=r"vocabulary of the server .* is smaller"):
        server.log_probabilities("base", PROMPTS, [2, 100_000])
    with pytest.raises(EngineError, match=r"longer than the server .* takes\. Start it with a larger --max-model-len"):
        server.log_probabilities("base", [[1] * 256], IDS)
    with pytest.raises(EngineError, match=r"refuses the request \(418\)"):
        fake.faults = ["418"]
        server.log_probabilities("base", PROMPTS, IDS)
    assert fake.count("/v1/completions") == 4


def test_adapters_are_loaded_and_unloaded_once(fake: FakeVllm, server: Server, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"did not load the adapter .*VLLM_ALLOW_RUNTIME.*does not find the folder"):
        server.load_adapter("nothing", str(tmp_path / "nothing"))
    server.unload_adapter("nothing")
    assert server.models() == {"base": 256}


@pytest.mark.parametrize(
    ("key", "sentence"), [("wrong-key-9876543210", "refuses the key"), ("", "asks for a key, and none was given")]
)
def test_a_wrong_key_is_said_without_saying_it(
    fake: FakeVllm, key: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Server(fake.url, key)
    for call in (client.models, lambda: client.log_probabilities("base", PROMPTS, IDS)):
        with pytest.raises(EngineError, match=sentence) as refused:
            call()
        assert not key or key not in str(refused.value) + repr(client) + caplog.text
    client.close()


def test_the_right_key_is_in_no_log_and_no_error(
    fake: FakeVllm, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.log_probabilities("base", PROMPTS, IDS)
    fake.faults = ["418"]
    with pytest.raises(EngineError) as refused:
        server.log_probabilities("base", PROMPTS, IDS)
    assert KEY not in str(refused.value) + repr(server) + caplog.text
    assert "quoted" not in str(refused.value)  # what a server says of an error may hold a prompt


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_saying_it(key: str) -> None:
    with pytest.raises(EngineError, match="holds characters that no key has") as refused:
        Server("http://127.0.0.1:1", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["gpu:8000", "ftp://gpu", "http://", "", "http://gpu:99999", "http://gpu?x=1", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(EngineError, match="is not one: it must look like http://gpu-server:8000"):
        Server(url)


def test_an_address_with_a_password_is_refused_without_saying_it() -> None:
    with pytest.raises(EngineError, match="holds a user name or a password") as refused:
        Server("http://me:hidden@gpu:8000")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "given", ["http://gpu:8000", "http://gpu:8000/", "http://gpu:8000/v1", " http://gpu:8000/v1/ "]
)
def test_the_address_may_be_given_with_its_version(given: str) -> None:
    client = Server(given)
    assert client.url == "http://gpu:8000"
    client.close()


def test_another_program_at_the_address_is_recognised(fake: FakeVllm) -> None:
    client = Server(f"{fake.url}/elsewhere", KEY)
    with pytest.raises(EngineError, match="may be another program than vLLM"):
        client.log_probabilities("base", PROMPTS, IDS)
    with pytest.raises(EngineError, match="its list of models is not one"):
        client.models()
    client.close()
