"""What a causal model is asked: SOCIALITE-LLAMA's template around an instruction and the texts; pure text.

    Instruction: <instruction>
    Input: <text>
    Output: <word>

A pair of texts is joined by a mark, or each text stands on a line behind its title where the fields have titles. The
instruction may end in examples, a line each, between two sentences of ours. A text may hold anything, 'Output:'
included: scores are not read from what a model writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Protocol

from backend.engines.protocol import EngineError, Item
from backend.engines.scorable import checked
from labelstudio_config.codebook import Control, Field, Kind, Label, Provenance, Question

BEGIN, INPUT, OUTPUT = "Instruction: ", "\nInput: ", "\nOutput:"
BETWEEN = " [SEP] "  # two texts without titles
GAP = " "  # between the template and the answer
YES, NO = "yes", "no"
SHOWN = "Some texts with their right answers:"
AFTER_SHOWN = "Answer for the input below in the same way."
IS = " - "  # between an example and its label
PARAGRAPH = "\n\n"  # between the examples for one label and those for the next, where each is asked for by itself
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


Lines = tuple[str, ...]  # examples, one a line


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole prompt in pieces, so that it can be cut inside its examples and its texts.

    `head` is the instruction, `shown` are examples, `frame` has one piece more than `texts`.
    """

    head: str
    frame: tuple[str, ...]
    texts: tuple[str, ...]
    shown: Lines = ()

    def __str__(self) -> str:
        examples = "".join(f"\n{line}" for line in (SHOWN, *self.shown, AFTER_SHOWN)) if self.shown else ""
        pieces = zip_longest(self.frame, self.texts, fillvalue="")
        return "".join([self.head, examples, *(part for pair in pieces for part in pair)])

    def with_texts(self, texts: Sequence[str]) -> Prompt:
        return replace(self, texts=tuple(texts))

    def with_examples(self, n: int) -> Prompt:
        """The same with the last `n` examples, nearest to the text; with none, the sentences around them go too."""
        return replace(self, shown=self.shown[len(self.shown) - n :])


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing asked of every item: the instruction, the prompt's frame, and the words that may be answered.

    `shown` are examples that the prompt of every item shows, unless the item has some of its own.
    """

    head: str
    frame: tuple[str, ...]
    words: tuple[str, ...]
    shown: Lines = ()

    def prompt(self, item: Item, shown: Lines | None = None) -> Prompt:
        examples = self.shown if shown is None else shown
        return Prompt(self.head, self.frame, tuple(sound(text).strip() for text in item), examples)

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


def shown_lines(question: Question, wording: Wording, examples: Sequence[tuple[Item, AbstractSet[str] | str]]) -> str:
    """What `Engine.score` takes as the examples of one item: a line for each, `text - word`, in the order given.

    `examples` are items with their label ids (one; any number where the question is multiple choice, a string is one
    label). Texts of a pair stand on the line as they do in the input. Where each label is asked for by itself there is
    a paragraph of lines for each label, in which every example says yes or no. Too long a prompt loses its last lines
    first. `EngineError` when an example does not fit the question.
    """
    checked(question, [item for item, _ in examples])
    answers = [frozenset([given]) if isinstance(given, str) else frozenset(given) for _, given in examples]
    for given in answers:
        _check_answer(question, given)
    texts = [_on_a_line(question, item) for item, _ in examples]
    if question.kind is not Kind.MULTIPLE:
        words = dict(zip(question.label_ids, wording.words(question), strict=True))
        return "\n".join(_line(text, words[label]) for text, (label,) in zip(texts, answers, strict=True))
    paragraphs = []
    for label in question.labels:
        yes, no = wording.words(applies(question, label))
        each = zip(texts, answers, strict=True)
        paragraphs.append("\n".join(_line(text, yes if label.id in given else no) for text, given in each))
    return PARAGRAPH.join(paragraphs) if examples else ""


def showing(
    question: Question, wording: Wording, shots: int, shown: Sequence[str] | None
) -> tuple[tuple[Ask, tuple[Lines, ...] | None], ...]:
    """What is asked, each with the examples that each item shows of its own: None where all show the same.

    `shown` is one string of `shown_lines` for each item; with it, none of the codebook's own examples are shown.
    `EngineError` when a string is not for this question.
    """
    if not shown:
        return tuple((ask, None) for ask in asks(question, wording, shots))
    found = asks(question, wording)
    of_asks = zip(*(_paragraphs(question, one, len(found)) for one in shown), strict=True)
    return tuple(
        (ask, each) if len(set(each)) > 1 else (replace(ask, shown=each[0]), None)
        for ask, each in zip(found, of_asks, strict=True)
    )


def applies(question: Question, label: Label) -> Question:
    """The question whether one label applies, with the answers 'yes' and 'no'."""
    name = dict.fromkeys((label.wording, " ".join(label.hint.split())))
    about = f"Does this apply: {' - '.join(part for part in name if part)}?"
    return replace(
        question,
        kind=Kind.SINGLE,
        control=Control.CHOICES,
        instruction=f"{question.asked.strip()}\n{about}",
        wording=f"{(question.wording or question.asked).strip()}\n{about}",
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
    frame[0] = INPUT + frame[0]
    frame[-1] += OUTPUT
    return Ask(sound(BEGIN + instruction), tuple(map(sound, frame)), tuple(map(sound, words)))


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
    """Lines of the codebook's examples: the first of every label, then the second of every label, and so on."""
    lines = [
        _line(label.examples[place], word)
        for place in range(shots)
        for word, label in zip(words, question.labels, strict=True)
        if place < len(label.examples)
    ]
    if lines:
        yield from (SHOWN, *lines, AFTER_SHOWN)


def _line(text: str, word: str) -> str:
    return sound(f"{' '.join(text.split())}{IS}{' '.join(word.split())}")


def _on_a_line(question: Question, item: Item) -> str:
    pieces = zip_longest(_frame(question.fields), item, fillvalue="")
    return "".join(part for pair in pieces for part in pair)


def _check_answer(question: Question, given: AbstractSet[str]) -> None:
    if foreign := sorted(given - set(question.label_ids)):
        raise EngineError(
            f"An example has the label '{foreign[0]}', which the question '{question.name}' does not have; it has: "
            f"{', '.join(question.label_ids)}."
        )
    if question.kind is not Kind.MULTIPLE and len(given) != 1:
        raise EngineError(
            f"An example has {len(given)} labels, but the question '{question.name}' is answered with one. Show "
            "examples that have one."
        )


def _paragraphs(question: Question, shown: str, asks: int) -> tuple[Lines, ...]:
    """The examples for each thing that is asked, of one item's string."""
    parts = shown.split(PARAGRAPH) if shown.strip() and asks > 1 else [shown] * (1 if shown.strip() else asks)
    if len(parts) != asks:
        raise EngineError(
            f"The examples are in {len(parts)} paragraphs, but each of the {asks} labels of the question "
            f"'{question.name}' is asked for by itself. Make them with `shown_lines` for this question."
        )
    return tuple(tuple(sound(line) for line in part.split("\n") if line.strip()) for part in parts)
