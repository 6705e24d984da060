"""The authors' rule against ours: the same where theirs is sound, and what each of its faults does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from backend.paper.authors_rule import (
    Lists,
    fault,
    label_table,
    lists_in_step,
    lists_that_slip,
    macro_f1,
    macro_f1_as_they_slip,
    ours,
    their_macro_f1,
    theirs,
    where_sound,
)
from backend.stats import f1
from tests.backend.engines.label_sets import TASKS

EMOTION = label_table(TASKS["EMOTION"])
ANGER, JOY, OPTIMISM, SADNESS, WRONG = range(5)
PROMPT = "<s> Instruction: Which emotion?\nInput: some text\nOutput:"


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (" joy</s>", JOY),
        (" Joy</s>", JOY),
        (" joy\nInstruction: more", JOY),
        (" joy", JOY),
        ("  joy</s>", JOY),
        (" joy.</s>", WRONG),
        (" joy </s>", WRONG),
        (" great joy</s>", WRONG),
        ("</s>", WRONG),
        (" </s>", WRONG),
        (" <unk><unk>", WRONG),
    ],
)
def test_what_is_said_is_read_alike(answer: str, read: int) -> None:
    assert theirs(PROMPT + answer, EMOTION) == read
    assert ours(answer, EMOTION) == read


def test_an_input_that_says_output_breaks_the_cut() -> None:
    prompt = "<s> Instruction: Which emotion?\nInput: He typed 'Output: sadness\nand laughed.\nOutput:"
    assert theirs(f"{prompt} joy</s>", EMOTION) == SADNESS
    assert ours(" joy</s>", EMOTION) == JOY
    assert fault(prompt, " joy</s>") == "the prompt says 'output:' before its end"
    plain = f"{PROMPT} joy</s>"
    gold = [JOY, JOY, SADNESS, SADNESS]
    answers = [" joy</s>", " joy</s>", " sadness</s>", " joy</s>"]
    wholes = [f"{prompt} joy</s>", plain, f"{PROMPT} sadness</s>", plain]
    by_them = their_macro_f1(lists_that_slip(wholes, gold, EMOTION))
    by_us = macro_f1(lists_in_step(answers, gold, EMOTION), 4)
    assert by_them == pytest.approx(np.mean([2 * 1 / 4, 2 * 1 / 4]))
    assert by_us == pytest.approx(np.mean([2 * 2 / 5, 2 * 1 / 3]))


def test_an_empty_answer_shifts_the_lists() -> None:
    gold = [JOY, SADNESS, JOY, SADNESS, JOY, SADNESS]
    answers = [" joy</s>", "", " joy</s>", " sadness</s>", " joy</s>", " sadness</s>"]
    slipped = lists_that_slip([PROMPT + answer for answer in answers], gold, EMOTION)
    assert slipped.predicted.tolist() == [JOY, WRONG, JOY, SADNESS, JOY, SADNESS]
    assert slipped.gold.tolist() == [JOY, JOY, SADNESS, JOY, SADNESS]
    with pytest.raises(ValueError, match="6 predictions face 5 true labels"):
        their_macro_f1(slipped)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        f1_score(slipped.gold == JOY, slipped.predicted == JOY)
    assert macro_f1_as_they_slip(slipped) == pytest.approx(np.mean([2 * 1 / 6, 0.0]))
    kept = lists_in_step(answers, gold, EMOTION)
    assert (kept.in_step, kept.predicted.tolist()[1]) == (True, WRONG)
    assert macro_f1(kept, 4) == their_macro_f1(kept) == pytest.approx(np.mean([1.0, 2 * 2 / 5]))


@pytest.mark.parametrize("answer", ["", " ", " x", "\n\n"])
def test_what_counts_as_empty(answer: str) -> None:
    assert theirs(PROMPT + answer, EMOTION) is None
    assert ours(answer, EMOTION) == WRONG
    assert fault(PROMPT, answer) == "nothing is said, so the true label is left out"


@pytest.mark.parametrize(
    ("prompt", "answer", "why"),
    [
        (PROMPT.replace("some", "</s>"), " joy</s>", "the prompt says '</s>'"),
        (PROMPT, "joy</s>", "the answer does not begin with one blank"),
        (PROMPT, "   joy</s>", "the answer does not begin with one blank"),
        (PROMPT, " joy</s> and\nmore", "the answer goes on behind the end token"),
    ],
)
def test_smaller_faults(prompt: str, answer: str, why: str) -> None:
    assert theirs(prompt + answer, EMOTION) == WRONG
    assert ours(answer, EMOTION) == JOY
    assert fault(prompt, answer) == why


def test_another_end_token_is_known_to_ours_only() -> None:
    assert theirs(f"{PROMPT} joy<|end|>", EMOTION) == WRONG
    assert ours(" joy<|END|>", EMOTION, "<|end|>") == JOY
    assert fault(PROMPT, " joy<|end|>", "<|end|>") == "the model's end token is not '</s>'"
    assert fault(PROMPT, " joy\n", "<|end|>") is None


WORDS = [f"{blank}{word}" for word in (*TASKS["EMOTION"], "Joy", "fear", "joyful") for blank in (" ", "", "  ", "\n")]
PIECES = st.sampled_from(["Output:", "\n", " ", "</s>", "joy", "text İ Σ", "OUTPUT", ":"])
INPUTS = st.lists(PIECES, max_size=5).map("".join)
ANSWERS = st.tuples(
    st.sampled_from([*WORDS, "", " ", "\n\n"]), st.sampled_from(["</s>", "\n", "", "</s>\n", " x", "."])
)


@given(st.lists(st.tuples(INPUTS, ANSWERS.map("".join), st.integers(0, 3)), min_size=1, max_size=12))
@settings(max_examples=200)
def test_both_rules_agree_where_theirs_is_sound(texts: list[tuple[str, str, int]]) -> None:
    prompts = [f"<s> Instruction: Which?\nInput: {text}\nOutput:" for text, _, _ in texts]
    answers, gold = [answer for _, answer, _ in texts], [label for *_, label in texts]
    wholes = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    sound = where_sound(prompts, answers)
    for whole, answer, good in zip(wholes, answers, sound, strict=True):
        assert not good or theirs(whole, EMOTION) == ours(answer, EMOTION)
    slipped, kept = lists_that_slip(wholes, gold, EMOTION), lists_in_step(answers, gold, EMOTION)
    if sound.all():
        assert slipped.in_step
        assert macro_f1(kept, 4, "gold") == pytest.approx(their_macro_f1(slipped), abs=1e-12)
    some = [place for place, good in enumerate(sound) if good]
    if some:
        them = lists_that_slip([wholes[n] for n in some], [gold[n] for n in some], EMOTION)
        us = lists_in_step([answers[n] for n in some], [gold[n] for n in some], EMOTION)
        np.testing.assert_array_equal(them.predicted, us.predicted)
        assert macro_f1(us, 4, "gold") == pytest.approx(their_macro_f1(them), abs=1e-12)


def lists_of(draw: list[tuple[int, int]]) -> Lists:
    return Lists(np.array([p for _, p in draw]), np.array([g for g, _ in draw]))


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30)


@given(PAIRS)
@settings(max_examples=150)
def test_their_average_is_over_the_labels_that_occur_among_the_true_ones(pairs: list[tuple[int, int]]) -> None:
    lists = lists_of(pairs)
    occur = sorted(set(lists.gold.tolist()))
    by_scikit = f1_score(lists.gold, lists.predicted, labels=occur, average="macro", zero_division=0)
    assert their_macro_f1(lists) == pytest.approx(by_scikit, abs=1e-12)
    assert macro_f1(lists, 4, "gold") == pytest.approx(by_scikit, abs=1e-12)
    table = f1_score(lists.gold, lists.predicted, labels=range(4), average="macro", zero_division=0)
    assert macro_f1(lists, 4, "table") == pytest.approx(table, abs=1e-12)


@given(PAIRS)
@settings(max_examples=150)
def test_our_scorer_agrees_unless_a_label_is_predicted_that_no_text_has(pairs: list[tuple[int, int]]) -> None:
    lists = lists_of(pairs)
    only_said = set(lists.predicted.tolist()) - set(lists.gold.tolist()) - {WRONG}
    if (
        WRONG not in lists.predicted
    ):  # then the scorer's own figure, as reports give it, needs no class for what is wrong
        direct = float(f1.macro(f1.f1(f1.tally(f1.confusion(lists.gold, lists.predicted, 4)))))
        assert macro_f1(lists, 4) == pytest.approx(direct, abs=1e-12)
    same = macro_f1(lists, 4) == pytest.approx(their_macro_f1(lists), abs=1e-12)
    assert same or only_said
    if only_said:
        assert macro_f1(lists, 4) <= their_macro_f1(lists)


def test_the_three_averages_differ_where_labels_are_missing() -> None:
    lists = Lists(np.array([JOY, JOY, ANGER, WRONG]), np.array([JOY, JOY, JOY, SADNESS]))
    each = {"joy": 4 / 5, "sadness": 0.0, "anger": 0.0}
    assert macro_f1(lists, 4, "gold") == pytest.approx((each["joy"] + each["sadness"]) / 2)
    assert macro_f1(lists, 4, "either") == pytest.approx(sum(each.values()) / 3)
    assert macro_f1(lists, 4, "table") == pytest.approx(sum(each.values()) / 4)
    assert np.isnan(their_macro_f1(Lists(np.array([], dtype=int), np.array([], dtype=int))))


def test_labels_that_differ_by_capitals_are_refused() -> None:
    with pytest.raises(ValueError, match="differ by capitals only"):
        label_table(["Joy", "joy"])
    with pytest.raises(ValueError, match="2 answers for 1 labels"):
        lists_in_step(["a", "b"], [1], EMOTION)
