from __future__ import annotations

from pathlib import Path

import pytest

from backend.engines import estimate, models
from backend.engines.prompts import Ours
from labelstudio_config.codebook import Kind
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import question


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
    assert estimate.duration(seconds) == words
    assert estimate.sentence(seconds, 10_000) == f"About {words} for 10,000 texts on this processor."


def test_time_grows_with_texts_questions_and_tokens_not_with_the_instruction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = llama(tmp_path, tiny_tokenizer(), window=4096)
    monkeypatch.setattr(estimate, "rate", lambda: 1e9)
    count = models.parameters(weights.folder)

    def seconds(*asked: tuple[object, list[tuple[str, ...]]], texts: int = 10) -> float:
        return estimate.seconds(weights, Ours(), 0, asked, texts)  # type: ignore[arg-type]

    short, long = [("xyz",)], [("xyz" * 10,)]
    once = seconds((question(), short))
    assert seconds((question(), short), texts=20) == pytest.approx(2 * once)
    assert seconds((question(), short), (question(), short)) == pytest.approx(2 * once)
    assert seconds((question(), short), (question(), [])) == once
    per_token = 2 * count * 10 / (estimate.SHARE * 1e9)
    assert seconds((question(), long)) - once == pytest.approx(27 * per_token)
    longer = question(instruction="Say what the mood is. " * 4)
    assert seconds((longer, short)) == pytest.approx(once)
    assert seconds((question(Kind.MULTIPLE), short)) > 1.5 * once  # three times yes or no, each shorter than a label


def test_the_rate_is_measured() -> None:
    assert 1e8 < estimate.rate() < 1e15
