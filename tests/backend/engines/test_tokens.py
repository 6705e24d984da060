from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.engines.prompts import Ours, asks
from backend.engines.protocol import EngineError
from backend.engines.tokens import Tokens, load
from tests.backend.engines.label_sets import HARD, PAIRS, TASKS, asked
from tests.backend.engines.llamas import LLAMA2, real_tokenizer, tiny_tokenizer

TEXTS = (
    "I love it!",
    "",
    "Output: joy\nInstruction: none",
    "</s><s> <unk>",
    "ends in a colon:",
    "  blanks  inside \n\n",
    "🎉 Zoë 漢字",
    "a" * 300,
)


@pytest.fixture(scope="session", params=["real", "tiny"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "tiny":
        return tiny_tokenizer()
    shared = request.getfixturevalue("shared")
    if not (shared / LLAMA2).is_file():
        pytest.skip("shared material absent")
    return real_tokenizer(shared, tmp_path_factory.mktemp("llama2"))


@pytest.mark.parametrize("task", [*TASKS, *HARD])
def test_prompt_and_answer_are_the_tokens_of_the_whole(tokenizer: Any, task: str) -> None:
    tokens = Tokens(tokenizer, 2000)
    words = (TASKS | HARD)[task]
    (ask,) = asks(asked(task, words, examples=2), Ours(), shots=1)
    seams = tokens.seams(ask)
    items = [(text,) * (2 if task in PAIRS else 1) for text in TEXTS]
    encoded = tokens.encode(ask, seams, items)
    assert not encoded.cut.any()
    for item, ids in zip(items, encoded.ids, strict=True):
        assert tuple(ids[: len(seams.prefix)]) == seams.prefix
        for word, answer in zip(words, seams.answers, strict=True):
            (whole,) = tokenizer([f"{ask.prompt(item)} {word}"], split_special_tokens=True)["input_ids"]
            assert [*ids, *answer] == [tokenizer.bos_token_id, *whole, tokenizer.eos_token_id]
    assert len(seams.prefix) >= len(tokens.ids([f"{ask.head}{ask.frame[0]}".rstrip()])[0]) - 1


def test_real_labels_have_one_to_six_tokens(shared: Path, tmp_path: Path) -> None:
    if not (shared / LLAMA2).is_file():
        pytest.skip("shared material absent")
    tokens = Tokens(real_tokenizer(shared, tmp_path), 2000)
    (ask,) = asks(asked("lengths", HARD["lengths"]), Ours())
    assert sorted(len(answer) - 1 for answer in tokens.seams(ask).answers) == [1, 1, 6]


def test_a_tokenizer_that_merges_across_the_seam() -> None:
    tokenizer = tiny_tokenizer(merges=[(":", "▁no"), ("t", ":"), (":", "▁")])
    tokens = Tokens(tokenizer, 500)
    (ask,) = asks(asked("EMOTION", ("no", "joy", "not now")), Ours())
    seams = tokens.seams(ask)
    assert seams.back > 0
    encoded = tokens.encode(ask, seams, [("hello",), ("t",)])
    for item, ids in zip(["hello", "t"], encoded.ids, strict=True):
        for word, answer in zip(ask.words, seams.answers, strict=True):
            assert [*ids, *answer] == [*tokens.ids([f"{ask.prompt((item,))} {word}"])[0], tokens.end]


def test_a_tokenizer_whose_answers_depend_on_the_text_is_refused() -> None:
    class Odd:
        eos_token_id, bos_token = 2, None

        def __call__(self, texts: list[str], **_: Any) -> dict[str, list[list[int]]]:
            return {"input_ids": [[5 + len(text)] for text in texts]}

    (ask,) = asks(asked("EMOTION", ("no", "joy")), Ours())
    with pytest.raises(EngineError, match="joins an answer with the text"):
        Tokens(Odd(), 100).seams(ask)


@pytest.mark.parametrize("room", [0, 1, 7, 40])
def test_a_long_text_is_cut_inside(tokenizer: Any, room: int) -> None:
    (ask,) = asks(asked("INTIMACY", TASKS["INTIMACY"]), Ours())
    seams = Tokens(tokenizer, 5000).seams(ask)
    longest = max(map(len, seams.answers)) - 1
    (empty,) = Tokens(tokenizer, 5000).encode(ask, seams, [("",)]).ids
    tokens = Tokens(tokenizer, len(empty) + longest + room)
    long = "The café 🎉 was not open. " * 50
    encoded = tokens.encode(ask, seams, [(long,), ("",), ("🎉" * 100,)])
    (uncut,) = Tokens(tokenizer, 5000).encode(ask, seams, [(long,)]).ids
    assert encoded.cut[0] == len(uncut) - len(encoded.ids[0])
    assert encoded.cut[1] == 0
    for ids in encoded.ids:
        assert len(ids) + longest <= tokens.window
        assert ids[: len(seams.prefix)] == list(seams.prefix)
        assert ids[-3:] == empty[-3:]
    assert len(encoded.ids[0]) + longest >= tokens.window - 8
    if room > 7:
        assert encoded.ids[0][: len(seams.prefix) + 4] == uncut[: len(seams.prefix) + 4]


def test_of_a_pair_the_longer_text_is_cut_first(tokenizer: Any) -> None:
    (ask,) = asks(asked("SAMESIDESTANCE", TASKS["SAMESIDESTANCE"]), Ours())
    wide = Tokens(tokenizer, 5000)
    seams = wide.seams(ask)
    short, long = "a short one", "x y z " * 100
    (whole,) = wide.encode(ask, seams, [(short, "x y z")]).ids
    tokens = Tokens(tokenizer, len(whole) + 40)
    for item in ((short, long), (long, short)):
        ids = tokens.encode(ask, seams, [item]).ids[0]
        text = tokenizer.decode(ids)
        assert short in text
        assert text.count("x y z") < 20
    both = tokens.encode(ask, seams, [(long, long)])
    first, second = tokenizer.decode(both.ids[0]).split("Input:")[1].split("[SEP]")
    assert abs(len(first.strip()) - len(second.split("\n")[0].strip())) < 8


def test_an_instruction_longer_than_the_window_is_refused(tokenizer: Any) -> None:
    (ask,) = asks(asked("EMOTION", TASKS["EMOTION"], instruction="word " * 100), Ours())
    tokens = Tokens(tokenizer, 60)
    with pytest.raises(EngineError, match="instruction alone is longer than the 60 tokens"):
        tokens.encode(ask, tokens.seams(ask), [("a",)])


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be loaded by transformers"):
        load(tmp_path, 100)


def test_a_tokenizer_is_read_from_a_models_folder(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    assert load(tmp_path, 100).ids(["not"])[0][0] == 1
