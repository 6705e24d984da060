from __future__ import annotations

from pathlib import Path

import pytest

from backend.engines import cost
from backend.engines.causal import CausalEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import EngineError
from labelstudio_config.codebook import Kind
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import llama, tiny_tokenizer


@pytest.fixture
def engine(tmp_path: Path) -> CausalEngine:
    return CausalEngine(llama(tmp_path / "model", tiny_tokenizer(), window=500), device="cpu")


def test_time_grows_with_what_must_be_run(engine: CausalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "rate", lambda _: 1e9)
    question = asked("EMOTION", TASKS["EMOTION"])
    (frame,) = engine.frames(question)
    ids = engine.tokens.encode(frame.ask, frame.seams, [("some text",)]).ids[0]
    weights = 2 * (4 * 32 * 32 + 3 * 32 * 48 + 2 * 32)
    tokens = len(ids) + len(frame.trie.tokens)
    assert cost.seconds(engine, question, [("some text",)]) == pytest.approx(2 * weights * tokens / (0.5 * 1e9))
    more = len(ids) - len(frame.seams.prefix) + len(frame.trie.tokens)
    assert cost.seconds(engine, question, [("some text",)] * 1000) == pytest.approx(
        2 * weights * (len(frame.seams.prefix) + 1000 * more) / (0.5 * 1e9)
    )
    several = asked("EMOTION", TASKS["EMOTION"], Kind.MULTIPLE)
    needed = sum(
        len(engine.tokens.encode(frame.ask, frame.seams, [("x",)]).ids[0]) + len(frame.trie.tokens)
        for frame in engine.frames(several)
    )
    assert cost.seconds(engine, several, [("x",)]) == pytest.approx(2 * weights * needed / (0.5 * 1e9))
    assert cost.seconds(engine, question, []) == 0


def test_the_machine_is_asked(engine: CausalEngine) -> None:
    assert 0 < cost.seconds(engine, asked("EMOTION", TASKS["EMOTION"]), [("some text",)] * 10) < 3600
    with pytest.raises(EngineError, match="has 2 texts"):
        cost.seconds(engine, asked("EMOTION", TASKS["EMOTION"]), [("a", "b")])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (40, "40 s"),
        (100, "2 min"),
        (3570, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (86_399, "1 d 0 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert cost.duration(seconds) == words


def test_a_sample_stands_for_all_texts(engine: CausalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "rate", lambda _: 1e9)
    question, items = asked("EMOTION", TASKS["EMOTION"]), [("some text",)] * 10
    assert cost.seconds(engine, question, items, 5000) == pytest.approx(cost.seconds(engine, question, items * 500))


def test_only_a_processor_has_a_forecast(engine: CausalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "seconds", lambda *_: 6000.0)
    several = [(asked("EMOTION", TASKS["EMOTION"]), [("some text",)])] * 2
    waiting = CausalEngine(engine.weights, device="cpu", ready=False)
    assert cost.forecast(waiting, several, 10_000) == "About 3 h 20 min for 10,000 texts on this processor."
    assert "base" not in vars(waiting.model), "nothing was loaded for it"
    assert cost.forecast(KeywordEngine(), several, 10_000) == ""
    monkeypatch.setattr(waiting.model, "device", "cuda")
    assert cost.forecast(waiting, several, 10_000) == ""
