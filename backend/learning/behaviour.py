"""How a model behaves under a codebook, tried without any label: does it follow the codebook at all?

After Halterman & Keith, "Codebook LLMs: Evaluating LLMs as Measurement Tools for Political Science Concepts" (Political
Analysis 2025): legal answers, recall of definitions and examples, the order of labels, swapped definitions; and a
paraphrased instruction, after Barrie, Palaiologou & Törnberg, "Prompt Stability Scoring" (2024, arXiv 2407.02039). A
model that passes may still be wrong; one that fails does not measure what the codebook says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Engine, Family, Item
from backend.learning.judge import marked
from backend.stats.interval import Interval, proportions
from labelstudio_config.codebook import Codebook, Kind, Label, Question

GOOD, POOR = 0.9, 0.7  # shares from which a check is passed, and below which it is failed
SOUND = 1e-4  # by which probabilities may miss one
PARAPHRASE = "Read the text below with care. Your task is the following. {asked} Decide by the text alone."
Marks = NDArray[np.bool_]


class Verdict(StrEnum):
    """What a check comes to."""

    PASSED = "passed"
    DOUBTFUL = "doubtful"
    FAILED = "failed"
    SKIPPED = "not applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one question: the share of `n` that behave, its 95 % interval (NaN where n is 0), and a sentence."""

    name: str
    verdict: Verdict
    n: int
    share: Interval
    sentence: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """All checks of a question; `why_not` says why there are none."""

    question: Question
    checks: tuple[Check, ...]
    why_not: str = ""


def behaviours(
    engine: Engine, book: Codebook, texts: Sequence[Sequence[str]], paraphrase: str = PARAPHRASE
) -> Iterator[Behaviour]:
    """The questions one after another. `texts` hold one text for each of the codebook's fields; without any, each
    question is put to its own examples. `paraphrase` may hold `{asked}`, in whose place the instruction goes.
    """
    places = {f: place for place, f in enumerate(book.fields)}
    for one in book.questions:
        question = book.standalone(one)
        reason = engine.why_not(question)
        if reason is not None:
            yield Behaviour(question, (), reason)
            continue
        items = [tuple(row[places[f]] for f in question.fields) for row in texts]
        items = [item for item in items if all(text.strip() for text in item)] or _examples(question)
        yield Behaviour(question, tuple(_checks(engine, question, items, paraphrase)))


def overall(found: Sequence[Behaviour]) -> str:
    """One sentence on all of it."""
    checks = [check for one in found for check in one.checks if check.verdict is not Verdict.SKIPPED]
    failed = [f"{c.name} ({b.question.name})" for b in found for c in b.checks if c.verdict is Verdict.FAILED]
    doubtful = [f"{c.name} ({b.question.name})" for b in found for c in b.checks if c.verdict is Verdict.DOUBTFUL]
    if not checks:
        return "Nothing could be tried: see above, why."
    if failed:
        more = f", and {len(doubtful)} are in doubt: {', '.join(doubtful)}" if doubtful else ""
        return (
            f"The model does not follow the codebook: {len(failed)} of {len(checks)} checks failed: "
            f"{', '.join(failed)}{more}. Do not take its labels for what the codebook defines before people's labels "
            "say so."
        )
    if doubtful:
        return f"The model follows the codebook with doubts: {', '.join(doubtful)}; the other checks are passed."
    return (
        f"The model passes all {len(checks)} checks. That is necessary and not enough: how right it is, only texts "
        "that people coded can say."
    )


def _checks(engine: Engine, question: Question, items: Sequence[Item], paraphrase: str) -> Iterator[Check]:
    scores = engine.score(question, items)
    chosen = marked(scores.log_probabilities, scores.family)
    yield _legal(scores.log_probabilities, scores.family)
    yield _recall(engine, question, "definitions", [(x, label) for label in question.labels for x in _described(label)])
    yield _recall(engine, question, "examples", [(x, label) for label in question.labels for x in label.examples])
    yield _order(engine, question, items, chosen)
    yield _swapped(engine, question, items, chosen)
    yield _paraphrased(engine, question, items, chosen, paraphrase)


def _described(label: Label) -> list[str]:
    return [label.definition] if label.definition.strip() else []


def _examples(question: Question) -> list[Item]:
    return [_item(question, x) for label in question.labels for x in label.examples if x.strip()]


def _item(question: Question, text: str) -> Item:
    """The text in the place of every text that the question is about."""
    return (text,) * len(question.fields)


def _legal(log_probabilities: NDArray[np.float64], family: Family) -> Check:
    p = np.exp(log_probabilities)
    sound = np.isfinite(p).all(axis=1) & (p <= 1 + SOUND).all(axis=1)
    if family is not Family.BERNOULLI:
        sound &= np.abs(p.sum(axis=1) - 1) < SOUND
    about = (
        "Every label is scored and nothing is generated, so no answer can be outside the labels; what is tried is that "
        "the probabilities are such."
    )
    return _check("legal answers", sound, "texts get probabilities that are sound", about, all_of_them=True)


def _recall(engine: Engine, question: Question, what: str, given: Sequence[tuple[str, Label]]) -> Check:
    name = f"recall of {what}"
    if len({label.id for _, label in given}) < min(2, len(question.labels)):
        return _skipped(name, f"fewer than two labels have {what}.")
    scores = engine.score(question, [_item(question, text) for text, _ in given])
    own = np.array([question.label_ids.index(label.id) for _, label in given])
    hit = marked(scores.log_probabilities, scores.family)[np.arange(len(own)), own]
    kept = {"encoder", "keyword"}
    about = (
        f"This engine compares texts with the codebook's {what}, so to recall them is little to ask."
        if engine.identity.engine in kept
        else "Put to the model as if they were texts to be coded."
    )
    return _check(name, hit, f"{what} get the label that they are of", about)


def _order(engine: Engine, question: Question, items: Sequence[Item], chosen: Marks) -> Check:
    name = "order of labels"
    if question.kind is Kind.ORDINAL:
        return _skipped(name, "the labels are ordered, and another order would ask something else.")
    if len(question.labels) < 2 or not len(items):
        return _skipped(name, "there is one label only." if items else "there are no texts to try it on.")
    turned = replace(question, labels=question.labels[::-1])
    scores = engine.score(turned, items)
    again = marked(scores.log_probabilities, scores.family)[:, ::-1]
    about = "The labels were listed from the last to the first."
    return _check(name, (again == chosen).all(axis=1), "texts keep their answer", about)


def _swapped(engine: Engine, question: Question, items: Sequence[Item], chosen: Marks) -> Check:
    """Each label gets the definition, rules and examples of the next one that has a definition; names stay."""
    name = "swapped definitions"
    defined = [place for place, label in enumerate(question.labels) if label.definition.strip()]
    if len(defined) < 2 or not len(items):
        return _skipped(
            name, "fewer than two labels have definitions." if items else "there are no texts to try it on."
        )
    source = list(range(len(question.labels)))  # place -> whose definition it has now
    for place, other in zip(defined, [*defined[1:], defined[0]], strict=True):
        source[place] = other
    labels = tuple(
        replace(
            label,
            **{part: getattr(question.labels[of], part) for part in ("definition", "include", "exclude", "examples")},
        )
        for label, of in zip(question.labels, source, strict=True)
    )
    words = tuple((x, word) for x, word in question.verbalisers)
    scores = engine.score(replace(question, labels=labels, verbalisers=words), items)
    again = marked(scores.log_probabilities, scores.family)
    touched = chosen[:, defined].any(axis=1)
    if not touched.any():
        return _skipped(name, "no text was given a label that has a definition.")
    follows = (again == chosen[:, source]).all(axis=1)[touched]
    stays = (again == chosen).all(axis=1)[touched]
    about = (
        "The labels' names stayed and their definitions, rules and examples went to other names."
        + f" {100 * stays.mean():.0f} % kept the name: there the model goes by the name." * bool(stays.any())
    )
    return _check(name, follows, "answers went with the definition", about)


def _paraphrased(engine: Engine, question: Question, items: Sequence[Item], chosen: Marks, paraphrase: str) -> Check:
    name = "paraphrased instruction"
    if not len(items):
        return _skipped(name, "there are no texts to try it on.")
    asked = paraphrase.replace("{asked}", question.asked.strip())
    scores = engine.score(replace(question, instruction=asked), items)
    again = marked(scores.log_probabilities, scores.family)
    about = "The frame around the instruction changed, not what it asks." if paraphrase == PARAPHRASE else ""
    if engine.identity.engine in ("encoder", "keyword"):
        about = "This engine does not read the instruction, so nothing could change."
    return _check(name, (again == chosen).all(axis=1), "texts keep their answer", about)


def _check(name: str, good: Marks, what: str, about: str, *, all_of_them: bool = False) -> Check:
    """What the share of those that are `good` comes to; with `all_of_them` a single other one fails it. Few are failed
    only where the interval leaves no doubt.
    """
    n = len(good)
    if not n:
        return _skipped(name, "there are no texts to try it on.")
    (share,) = proportions(good[:, None], np.ones((n, 1)), np.arange(n))
    if good.all() or (share.value >= GOOD and not all_of_them):
        verdict = Verdict.PASSED
    else:
        certain = share.value < POOR and share.upper < GOOD
        verdict = Verdict.FAILED if certain or all_of_them else Verdict.DOUBTFUL
    bounds = f"{100 * share.lower:.0f} to {100 * share.upper:.0f} %"
    said = f"{int(good.sum()):,} of {n:,} {what} ({100 * share.value:.0f} %, 95 % interval {bounds})."
    return Check(name, verdict, n, share, f"{said} {about}".strip())


def _skipped(name: str, why: str) -> Check:
    nothing = float("nan")
    return Check(name, Verdict.SKIPPED, 0, Interval(nothing, nothing, nothing), f"Not applicable: {why}")
