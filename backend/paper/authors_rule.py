"""How SOCIALITE-LLAMA's authors turn what a model says into macro F1, reproduced faithfully, and how we read the same.

Read in eval/eval_zeroshot.py and eval/macro_f1score.py of their repository (humanlab/SocialiteLlama, 12a404c); nothing
here is inferred but `macro_f1_as_they_slip`. The whole decoded text, prompt included, is lower-cased. Behind the first
"output:" one character is skipped, and a blank behind it; from there to the next newline, or else to the first "</s>"
of the whole text, it must be a label letter for letter. Anything else is a wrong class, numbered after the labels. F1
is averaged over the labels that occur among the true ones: a label that is only predicted, the wrong class included,
is not averaged, but costs the true label its recall.

Where it goes wrong, each shown by a test:

- An input, or an instruction, that says "output:" itself: the first one is taken, and the answer is never seen.
- Nothing but one or two characters behind "output:": the prediction is noted as wrong, its true label is not noted at
  all. All later predictions face the true label of the next text, and the two lists differ in length, at which
  scikit-learn stops. (An end token said at once is four characters long, so it counts as wrong, in step.)
- An input that says "</s>" itself cuts the answer before it begins, unless a newline follows the answer.
- An answer that does not begin with a blank loses its first character.

`ours` avoids them: only what was said behind the prompt is read, and an answer of nothing is wrong, in step. `fault`
says where the rules can differ; without a fault they must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.stats import f1

OUTPUT, END = "output:", "</s>"
Numbers = NDArray[np.int64]
Over = Literal["gold", "either", "table"]


@dataclass(frozen=True, slots=True)
class Lists:
    """The authors' two lists: class numbers that were predicted, and true ones, of which some may be missing."""

    predicted: Numbers
    gold: Numbers

    @property
    def in_step(self) -> bool:
        """Whether every prediction still faces its own text's label."""
        return len(self.predicted) == len(self.gold)


def label_table(words: Sequence[str]) -> dict[str, int]:
    """Each label's word, in small letters, and its number. `ValueError` when two are the same then."""
    table = {word.lower(): number for number, word in enumerate(words)}
    if len(table) < len(words):
        raise ValueError(f"Two of these labels differ by capitals only, or not at all: {', '.join(words)}.")
    return table


def theirs(whole: str, table: Mapping[str, int]) -> int | None:
    """The class that the authors' rule reads from a whole decoded text; None where it passes the text over."""
    text = whole.lower()
    start = text.find(OUTPUT) + len(OUTPUT) + 1
    if start >= len(text) - 1:
        return None
    if text[start] == " ":
        start += 1
    stop = text.find("\n", start)
    if stop == -1:
        stop = text.find(END)
    if stop == -1:
        stop = len(text)
    return table.get(text[start:stop], len(table))


def ours(answer: str, table: Mapping[str, int], end: str = END) -> int:
    """The class of what was said behind the prompt: its first line up to the end token; anything else is wrong."""
    line = answer.lower().lstrip().partition("\n")[0].partition(end.lower())[0]
    return table.get(line, len(table))


def lists_that_slip(wholes: Sequence[str], gold: Sequence[int], table: Mapping[str, int]) -> Lists:
    """The authors' lists over all texts: a text that is passed over is wrong, and leaves out its true label."""
    read = [theirs(whole, table) for whole in wholes]
    kept = [label for label, found in zip(gold, read, strict=True) if found is not None]
    predicted = [len(table) if found is None else found for found in read]
    return Lists(np.array(predicted, dtype=np.int64), np.array(kept, dtype=np.int64))


def lists_in_step(answers: Sequence[str], gold: Sequence[int], table: Mapping[str, int], end: str = END) -> Lists:
    """The same lists by our reading: every text has its prediction and its label."""
    if len(answers) != len(gold):
        raise ValueError(f"There are {len(answers)} answers for {len(gold)} labels. Give one answer for each text.")
    predicted = [ours(answer, table, end) for answer in answers]
    return Lists(np.array(predicted, dtype=np.int64), np.array(gold, dtype=np.int64))


def their_macro_f1(lists: Lists) -> float:
    """Macro F1 as they compute it: over the labels that occur in `gold`, each against all others, 0 where undefined.

    `ValueError` when the lists have slipped: their script stops there, too. NaN without labels.
    """
    if not lists.in_step:
        raise ValueError(
            f"The lists are out of step: {len(lists.predicted)} predictions face {len(lists.gold)} true labels."
        )
    found = []
    for label in np.unique(lists.gold):
        true, said = lists.gold == label, lists.predicted == label
        found.append(2 * int((true & said).sum()) / int(true.sum() + said.sum()))
    return float(np.mean(found)) if found else float("nan")


def macro_f1_as_they_slip(lists: Lists) -> float:
    """What their macro F1 is when the lists are paired as far as the shorter one goes, in step or not.

    Their script stops instead; this is what any reading that forgives the lengths would report.
    """
    n = min(len(lists.predicted), len(lists.gold))
    return their_macro_f1(Lists(lists.predicted[:n], lists.gold[:n]))


def macro_f1(lists: Lists, labels: int, over: Over = "either") -> float:
    """Macro F1 of lists that are in step, by the scorer of this product (`backend.stats.f1`).

    The wrong class is never averaged. Averaged are, of the table's `labels`: those that occur in truth or prediction
    ("either", this product's figure), those that occur in the truth ("gold", the authors'), or all, 0 where one occurs
    in neither ("table"). NaN where nothing is averaged.
    """
    counted = f1.tally(f1.confusion(lists.gold, lists.predicted, labels + 1))
    each = f1.f1(counted)[:labels]
    if over == "table":
        each = np.nan_to_num(each)
    elif over == "gold":
        each = np.where(counted.actual[:labels] > 0, each, np.nan)
    return float(f1.macro(each))


def fault(prompt: str, answer: str, end: str = END) -> str | None:
    """Why the authors' rule may read another class than `ours` from this text; None where both must agree."""
    before, after = prompt.lower(), answer.lower()
    if (before + after).find(OUTPUT) != len(before) - len(OUTPUT):
        return "the prompt says 'output:' before its end"
    if len(after) <= 2:
        return "nothing is said, so the true label is left out"
    blank = after[: len(after) - len(after.lstrip())]
    if not blank or blank[1:] not in ("", " "):
        return "the answer does not begin with one blank"
    line, newline, _ = after.lstrip().partition("\n")
    if newline and end.lower() in line:
        return "the answer goes on behind the end token"
    if not newline and END in before:
        return "the prompt says '</s>'"
    if not newline and end.lower() != END and (end.lower() in line or END in line):
        return "the model's end token is not '</s>'"
    return None


def where_sound(prompts: Sequence[str], answers: Sequence[str], end: str = END) -> NDArray[np.bool_]:
    """bool [n]: where both rules must read the same class."""
    return np.array([fault(*pair, end) is None for pair in zip(prompts, answers, strict=True)], dtype=np.bool_)
