"""What a causal model is asked: SOCIALITE-LLAMA's template around an instruction and the texts; pure text.

    Instruction: <instruction>
    Input: <text>
    Output: <word>

A pair of texts is joined by a mark, or each text stands on a line behind its title where the fields have titles. Nobody
parses what a model writes, so a text may hold anything, 'Output:' included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Protocol

from backend.engines.protocol import Item
from labelstudio_config.codebook import Control, Field, Kind, Label, Provenance, Question

BEGIN, INPUT, OUTPUT = "Instruction: ", "\nInput: ", "\nOutput:"
BETWEEN = " [SEP] "  # two texts without titles
GAP = " "  # between the template and the answer
YES, NO = "yes", "no"
SHOWN = "Some texts with their right answers:"
AFTER_SHOWN = "Answer for the input below in the same way."
TEMPLATE = hashlib.sha256(repr(("v1", BEGIN, INPUT, OUTPUT, BETWEEN, GAP, YES, NO, SHOWN, AFTER_SHOWN)).encode())


class Wording(Protocol):
    """Where instructions and the words for labels come from."""

    @property
    def digest(self) -> str:
        """sha256 of all that decides what `instruction` and `words` give for a codebook."""
        ...

    def instruction(self, question: Question) -> str: ...

    def words(self, question: Question) -> tuple[str, ...]:
        """The word a model says for each label, in the order of `Question.labels`."""
        ...


@dataclass(frozen=True, slots=True)
class Ours:
    """Instructions from the codebook: what is asked, each label's word, definition and rules, and the legal answers.

    `verbalised` takes the words of `Question.verbalisers` where there are some: they belong to SOCIALITE's weights.
    """

    verbalised: bool = False

    @property
    def digest(self) -> str:
        return hashlib.sha256(
            f"ours v1: asked, definitions, answers; verbalised {self.verbalised}".encode()
        ).hexdigest()

    def instruction(self, question: Question) -> str:
        words = self.words(question)
        pairs = zip(words, question.labels, strict=True)
        defined = [f"- {word}: {' '.join(label.hint.split())}" for word, label in pairs if label.hint]
        order = ", from the lowest to the highest" if question.kind is Kind.ORDINAL else ""
        return "\n".join([question.asked.strip(), *defined, f"Answer with one of these{order}: {', '.join(words)}."])

    def words(self, question: Question) -> tuple[str, ...]:
        own = dict(question.verbalisers) if self.verbalised else {}
        return tuple(own.get(label.id, label.wording).strip() for label in question.labels)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole prompt in pieces, so that it can be cut inside its texts: `frame` has one piece more than `texts`."""

    frame: tuple[str, ...]
    texts: tuple[str, ...]

    def __str__(self) -> str:
        pieces = zip_longest(self.frame, self.texts, fillvalue="")
        return "".join(part for pair in pieces for part in pair)

    def with_texts(self, texts: Sequence[str]) -> Prompt:
        return replace(self, texts=tuple(texts))


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing asked of every item: the prompt's frame, and the words that may be answered."""

    frame: tuple[str, ...]
    words: tuple[str, ...]

    def prompt(self, item: Item) -> Prompt:
        return Prompt(self.frame, tuple(sound(text).strip() for text in item))

    def answer(self, word: str) -> str:
        """What follows a prompt before the end token."""
        return GAP + word


def asks(question: Question, wording: Wording, shots: int = 0) -> tuple[Ask, ...]:
    """What is asked to answer the question: one thing, or one for each label when any number of them may apply.

    `shots` examples of each label are shown inside the instruction, as many as the codebook has. Where each label is
    asked for by itself none are: an example of one label may well deserve another too.
    """
    if question.kind is not Kind.MULTIPLE:
        return (_ask(question, wording, shots),)
    return tuple(_ask(applies(question, label), wording, 0) for label in question.labels)


def applies(question: Question, label: Label) -> Question:
    """The question whether one label applies, with the answers 'yes' and 'no'."""
    name = dict.fromkeys((label.wording, " ".join(label.hint.split())))
    about = f"Does this apply: {' - '.join(part for part in name if part)}?"
    return replace(
        question,
        kind=Kind.SINGLE,
        control=Control.CHOICES,
        instruction=f"{question.asked.strip()}\n{about}",
        labels=(Label("yes", YES, YES), Label("no", NO, NO)),
        verbalisers=(),
        provenance=Provenance(),
    )


def recipe(wording: Wording, shots: int, tokenizer: str, window: int) -> str:
    """sha256 of what turns a codebook and texts into tokens: an adapter fits every engine of which it is the same."""
    words = hashlib.sha256(f"{TEMPLATE.hexdigest()} {wording.digest} {shots}".encode()).hexdigest()
    return hashlib.sha256(f"{words} {tokenizer} {window}".encode()).hexdigest()


def sound(text: str) -> str:
    """The text as a tokenizer takes it: half of a surrogate pair is no character."""
    return text.encode("utf-8", "replace").decode()


def _ask(question: Question, wording: Wording, shots: int) -> Ask:
    words = wording.words(question)
    instruction = "\n".join([wording.instruction(question), *_shown(question, words, shots)])
    frame = list(_frame(question.fields))
    frame[0] = BEGIN + instruction + INPUT + frame[0]
    frame[-1] += OUTPUT
    return Ask(tuple(sound(piece) for piece in frame), tuple(sound(word) for word in words))


def _frame(fields: Sequence[Field]) -> Iterator[str]:
    """What stands before, between and after the texts inside the input."""
    if len(fields) > 1 and all(field.title for field in fields):
        yield f"{fields[0].title}: "
        yield from (f"\n{field.title}: " for field in fields[1:])
    else:
        yield ""
        yield from (BETWEEN for _ in fields[1:])
    yield ""


def _shown(question: Question, words: tuple[str, ...], shots: int) -> Iterator[str]:
    """Lines of examples: the first of every label, then the second of every label, and so on."""
    lines = [
        f"{' '.join(label.examples[place].split())} - {word}"
        for place in range(shots)
        for word, label in zip(words, question.labels, strict=True)
        if place < len(label.examples)
    ]
    if lines:
        yield from (SHOWN, *lines, AFTER_SHOWN)
