from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import proof_vllm
from scripts.proof import llamas, remote_checks
from scripts.proof.vllm_server import KEY
from tests.backend.engines.fake_vllm import FakeVllm, serving

FIGURES: dict[str, Any] = {
    "equal": {
        "texts": 6,
        "from_forwards": {"single, label": 1e-6},
        "from_causal": {"single, label": 2e-6},
        "max_from_forwards": 1e-6,
        "max_from_causal": 2e-6,
    },
    "replaced": {
        "batches": 12,
        "adapters": 3,
        "requests_of_a_stranger": 40,
        "mixed_up_for_the_stranger": 2,
        "loaded": 9,
        "unloaded": 7,
        "wrong_batches": 0,
        "max_difference": 1e-6,
        "smallest_difference_between_adapters": 0.1,
    },
    "killed": {
        "texts": 80,
        "texts_the_adapter_changes": 79,
        "impatient": {"requests_answered_before": 7, "said": "It fails.", "max_difference_on_retry": 1e-6},
        "patient": {"requests_answered_before": 8, "seconds_until_it_ended": 40.5, "max_difference": 1e-6},
    },
}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> llamas.Llama:
    return llamas.make(tmp_path_factory.mktemp("proof"), None, window=proof_vllm.WINDOW)


@pytest.fixture
def fake(llama: llamas.Llama) -> Iterator[FakeVllm]:
    with serving(FakeVllm(llama.weights, key=KEY, limit=proof_vllm.LENGTH)) as server:
        yield server


def test_equal_scores_are_found_equal_and_others_are_not(
    fake: FakeVllm, llama: llamas.Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_checks, "METHODS", ("label",))
    server: Any = fake
    figures = remote_checks.equal(server, llama, 3, lambda method: proof_vllm.local(llama, method))
    assert set(figures["from_forwards"]) == {f"{name}, label" for name in remote_checks.questions()}
    assert figures["max_from_forwards"] < remote_checks.TOLERANCE
    assert figures["max_from_causal"] < remote_checks.TOLERANCE

    def lower(answer: dict[str, Any]) -> dict[str, Any]:
        for choice in answer["choices"]:
            for top in (choice["logprobs"] or {}).get("top_logprobs", []):
                top[list(top)[-1]] -= 0.05
        return answer

    fake.tamper = lower
    figures = remote_checks.equal(server, llama, 3, lambda method: proof_vllm.local(llama, method))
    assert figures["max_from_forwards"] > remote_checks.TOLERANCE
    assert figures["max_from_causal"] > remote_checks.TOLERANCE


def test_adapters_are_taken_from_each_other_without_a_wrong_score(
    fake: FakeVllm, llama: llamas.Llama, tmp_path: Path
) -> None:
    server: Any = fake
    identity = remote_checks.client(server, llama).identity
    folders = llamas.adapters(llama, tmp_path, 3, identity, remote_checks.questions()["single"])
    figures = remote_checks.replaced(server, llama, folders, batches=4, n=2)
    assert figures["batches"] == 8
    assert figures["wrong_batches"] == figures["mixed_up_for_the_stranger"] == 0
    assert figures["requests_of_a_stranger"] > 0
    assert figures["unloaded"] > 0
    assert figures["smallest_difference_between_adapters"] > 10 * remote_checks.TOLERANCE


def changed(path: str, value: Any) -> dict[str, Any]:
    figures = copy.deepcopy(FIGURES)
    *parts, last = path.split(".")
    inner = figures
    for part in parts:
        inner = inner[part]
    inner[last] = value
    return figures


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("equal.max_from_forwards", 2e-4),
        ("equal.max_from_causal", 2e-4),
        ("replaced.max_difference", 2e-4),
        ("replaced.smallest_difference_between_adapters", 1e-5),
        ("replaced.unloaded", 0),
        ("killed.texts_the_adapter_changes", 9),
        ("killed.impatient.said", ""),
        ("killed.impatient.max_difference_on_retry", 2e-4),
        ("killed.patient.max_difference", 2e-4),
    ],
)
def test_anything_wrong_is_not_as_it_should_be(path: str, value: Any) -> None:
    assert proof_vllm.ok(FIGURES)
    assert not proof_vllm.ok(changed(path, value))


def test_the_figures_are_told_in_sentences() -> None:
    told = "\n".join(proof_vllm.lines(FIGURES | {"ok": True, "took_s": 90}))
    assert "from the causal engine by 2.0e-06 (allowed: 1e-04)" in told
    assert (
        "beside 40 requests of a stranger (2 mixed up by vLLM), 3 adapters, loaded 9 and unloaded 7 times: 0 wrong"
        in told
    )
    assert "ended the batch by itself after 40.5 s" in told
    assert "All as it should be, 90 s." in told
    short = changed(
        "killed", {key: FIGURES["killed"][key] for key in ("texts", "texts_the_adapter_changes", "impatient")}
    )
    assert "left out by --quick" in "\n".join(proof_vllm.lines(short | {"ok": False, "took_s": 90}))


def test_a_vocabulary_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        proof_vllm.parsed(["--tokenizer", str(tmp_path / "none.model")])
    assert "There is no file" in capsys.readouterr().err
