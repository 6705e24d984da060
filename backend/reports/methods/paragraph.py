"""A paragraph on how the labels came about, ready for an article, and what each of its numbers is.

It claims nothing that the store does not hold: where nothing was drawn, coded or tested, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.findings.study import Study
from backend.findings.validity import Validity
from backend.findings.words import counted, figure, listed, times
from backend.learning.agreed import LEVELS
from backend.learning.estimate import LEVEL, Estimate
from labelstudio_config.codebook import Kind, Question

FEW = 3  # questions that are spoken of one by one
HASH = 12  # characters of a hash that people are shown
KINDS = {
    Kind.SINGLE: "one label",
    Kind.MULTIPLE: "any number of labels",
    Kind.ORDINAL: "ordered labels",
    Kind.NUMBER: "a number",
}
RULES = {"majority": "the majority of coders", "unanimous": "all coders", "adjudicated": "adjudication"}


@dataclass(frozen=True, slots=True)
class Program:
    """What writes this: its version, and commit if that is known."""

    version: str
    commit: str | None

    def __str__(self) -> str:
        return f"socialite {self.version}" + (f" (commit {self.commit[:HASH]})" if self.commit else "")


def paragraph(study: Study, found: Sequence[Validity], program: Program) -> str:
    """150 to 300 words."""
    sentences = (
        _corpus(study),
        _design(study),
        _coding(study),
        _same(study),
        _gold(study, found),
        _model(study),
        _tried(study),
        *_validation(found),
        _opening(study),
        _estimates(study, found),
        f"Sampling, coding and scoring were recorded with {program}; versions, hashes and seeds are in the manifest.",
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _corpus(study: Study) -> str:
    book, texts = study.facts.book, len(study.facts.texts.ids)
    rows = f" ({counted(study.rows, 'row')})" if study.rows != texts else ""
    asked = f"revision {study.facts.revision.number} of the codebook '{book.title}'"
    if len(book.questions) > FEW:
        return f"The corpus of {counted(texts, 'text')}{rows} was coded on {len(book.questions)} questions by {asked}."
    questions = listed([_asked(question) for question in book.questions])
    return f"The corpus of {counted(texts, 'text')}{rows} was coded by {asked}, which asks for {questions}."


def _asked(question: Question) -> str:
    labels = f" of {len(question.labels)}" if question.kind is not Kind.NUMBER else ""
    return f"{question.name} ({KINDS[question.kind]}{labels})"


def _design(study: Study) -> str:
    if not study.draws:
        return (
            "No random sample of it was drawn, so that the labels say nothing about the corpus as a whole, and no text "
            "was set aside to be coded without suggestions."
        )
    n, audit, control = (sum(getattr(d, name) for d in study.draws) for name in ("population", "audit", "control"))
    how = "a seeded random order" if len(study.draws) == 1 else f"{len(study.draws)} seeded random orders"
    return (
        f"In {how} of {n:,} sampling units (texts; near-duplicates and groups are kept together), the first {audit:,} "
        "were set aside to be coded without suggestions, in turn for development and for a final test; the next "
        f"{control:,} were to be coded with suggestions as a random control."
    )


def _coding(study: Study) -> str:
    coded = study.coded
    given = coded.blind + coded.assisted + coded.not_blind
    if not given or coded.first is None or coded.last is None:
        return (
            f"Nobody has coded any of it in the phase '{study.facts.phase}' yet, so there is nothing to report of it."
        )
    blind = counted(coded.blind, "answer") if coded.blind else "no answer"
    wrong = f"; {counted(coded.not_blind, 'answer')} to such texts were not given blind and are left out"
    first, last = f"{coded.first:%Y-%m-%d}", f"{coded.last:%Y-%m-%d}"
    when = f"Between {first} and {last}" if first != last else f"On {first}"
    return (
        f"{when}, {counted(coded.coders, 'coder')} gave {blind} to "
        f"texts set aside, without a suggestion on the screen, and {coded.assisted:,} to others, where suggestions "
        f"may be shown ({coded.kept:,} left one unchanged); {coded.skipped:,} were skipped"
        f"{wrong if coded.not_blind else ''}."
    )


def _same(study: Study) -> str:
    """What people said of changes of the codebook, so that answers from before count."""
    if not study.said:
        return ""
    told = [f"{one.question} (revisions {one.earlier} and {one.later})" for one in study.said[:FEW]]
    more = f" and {len(study.said) - FEW} more" if len(study.said) > FEW else ""
    who = listed(sorted({one.by for one in study.said}))
    return f"{who} declared the meaning of {', '.join(told)}{more} unchanged, so that answers from before count."


def _gold(study: Study, found: Sequence[Validity]) -> str:
    rule = RULES[study.facts.project.gold_rule]
    judged = f", after {counted(study.coded.adjudicated, 'adjudication')}" if study.coded.adjudicated else ""
    known, told = sorted({one.n for one in found}), "none has"
    if any(known):
        told = f"{_range([f'{n:,}' for n in known])} {_texts(found[0].role)} texts have one"
    return f"A label counts as accepted by {rule} ({study.coders} a text){judged}: {told}."


def _model(study: Study) -> str:
    scorer, release = study.facts.scorer, study.facts.release
    if scorer is None or release is None:
        return "No model has suggested or assigned any label."
    tuned = "it was not tuned on this corpus"
    if taught := study.taught:
        tuned = f"it was tuned on {_range([f'{n:,}' for n in sorted(set(taught.values()))])} labelled work texts"
        tuned += f" for {counted(len(taught), 'question')}" if len(study.facts.book.questions) > 1 else ""
    elif scorer.adapter_digest:
        tuned = f"it was tuned (adapter {scorer.adapter_digest[:HASH]})"
    read = "calibrated" if study.calibrated else "uncalibrated"
    return (
        f"The model is {scorer.base} (engine {scorer.engine}, release {release.name}); {tuned}. It gives every label "
        f"of a question a probability ({read}), by which the label is chosen; no text is generated or sampled."
    )


def _tried(study: Study) -> str:
    if not study.releases:
        return ""
    looks, made = counted(len(study.decisions), "comparison"), counted(study.releases, "release")
    return (
        f"Configurations tried: {counted(study.revisions, 'codebook revision')}, {made} and "
        f"{counted(len(study.runs), 'tuning run')}, with {looks} of models on the development texts."
    )


def _validation(found: Sequence[Validity]) -> list[str]:
    """Agreement and fit of each question, or the least and the most of many."""
    some = [one for one in found if one.agreement.alpha.value is not None or one.fit.value is not None]
    if not some:
        return ["Neither agreement between coders nor accuracy of the model can be reported from so few coded texts."]
    if len(found) <= FEW:
        return [_one(one) for one in some]
    alphas = [one.agreement.alpha.value for one in some if one.agreement.alpha.value is not None]
    fits = [one.fit.value for one in some if one.fit.value is not None]
    told = []
    if alphas:
        told.append(f"Krippendorff's alpha of coders is {_between(alphas)} over {counted(len(alphas), 'question')}")
    if fits:
        where = _texts(found[0].role)
        which = " or ".join(sorted({one.measure for one in some if one.fit.value is not None}))
        told.append(f"the model's {which} on {where} texts is {_between(fits)} over {counted(len(fits), 'question')}")
    return [f"On texts coded blind, {listed(told)}; the report has each with its interval."]


def _between(values: Sequence[float]) -> str:
    return f"between {min(values):.2f} and {max(values):.2f}"


def _one(one: Validity) -> str:
    alpha, told = one.agreement.alpha, []
    if alpha.value is not None:
        told.append(
            f"Krippendorff's alpha ({LEVELS[one.question.kind]}) of coders is {_number(alpha)} on "
            f"{counted(alpha.n, 'text')} coded blind by two or more"
        )
    if one.fit.value is not None:
        told.append(f"the model's {one.measure} is {_number(one.fit)} on {one.fit.n:,} {_texts(one.role)} texts")
    return f"For {one.question.name}, {listed(told)}."


def _texts(role: str) -> str:
    return "test" if role == "test" else "development"


def _number(found: Estimate) -> str:
    """'0.71 [0.63, 0.78]'; a number whose interval is withheld stands alone, and says so."""
    if found.lower is None or found.upper is None:
        return f"{found.value:.2f} (no interval)"
    return f"{found.value:.2f} [{found.lower:.2f}, {found.upper:.2f}]"


def _opening(study: Study) -> str:
    looks, opened = study.facts.looks, study.facts.opened
    if opened is None:
        before = f" (it was opened {times(len(looks))} for an earlier release or codebook)" if looks else ""
        return (
            f"The final test has not been opened for this release{before}: what is said of the model rests on "
            "development texts, by which it was chosen, and may flatter it."
        )
    return f"The final test was opened {times(len(looks))}, for this release on {opened.created_at:%Y-%m-%d}."


def _estimates(study: Study, found: Sequence[Validity]) -> str:
    if study.facts.opened is None:
        return "No share is corrected for the model's errors before that."
    if all(one.no_sample for one in found):
        return "No share can be corrected for the model's errors, for want of a random sample that is coded."
    if not _wholly_scored(study):
        return "No share is corrected for the model's errors yet, since not every text has a label of the model."
    return (
        "Shares are corrected for the model's errors by the test texts, whose chance to be sampled is known "
        "(Angelopoulos et al. 2023; Egami et al. 2023), and the table beside the report allows the same of "
        f"regressions; intervals are at {100 * LEVEL:.0f} %."
    )


def _wholly_scored(study: Study) -> bool:
    """Whether the release has a score of every text that a row of the corpus shows, on some question."""
    texts = study.facts.texts
    shown = texts.ids[texts.rows > 0]
    return any(bool(one.at(shown)[0].all()) for one in study.facts.scores.values())


def _range(numbers: Sequence[str]) -> str:
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def what_numbers_are(study: Study, found: Sequence[Validity]) -> list[tuple[str, str, str]]:
    """(what, value, where it comes from) of every number that the paragraph may hold."""
    facts, coded = study.facts, study.coded
    rows = [
        ("texts", f"{len(facts.texts.ids):,}", "different texts of the corpus; the same text in two rows counts once"),
        ("rows", f"{study.rows:,}", "rows of the corpus, and of table.csv"),
        ("sampling units", f"{len(np.unique(facts.texts.cluster)):,}", "near-duplicates and groups count as one"),
        *((f"draw {d.number}", f"{d.audit:,} + {d.control:,} of {d.population:,}",
           f"set aside + control, of the units that could be drawn; seed {d.seed}") for d in study.draws),
        ("coders", f"{coded.coders:,}", f"who gave an answer in the phase '{facts.phase}'"),
        ("answers, blind", f"{coded.blind:,}", "to texts set aside, given where no suggestion is shown"),
        ("answers, other", f"{coded.assisted:,}", "to all other texts; from them a model may learn"),
        ("answers, not blind", f"{coded.not_blind:,}", "to texts set aside, given elsewhere; left out of everything"),
        ("answers, skipped", f"{coded.skipped:,}", "a coder gave the text back without an answer"),
        ("answers by nobody", f"{coded.bulk:,}", "annotations made from predictions; never counted"),
        ("releases", f"{study.releases:,}", "combinations of model, adapter, prompt, codebook and calibration"),
        ("tuning runs", f"{len(study.runs):,}", "finished, failed or broken off"),
        ("comparisons", f"{len(study.decisions):,}", "of a new model with the old one on the development texts"),
        ("openings", f"{len(facts.looks):,}", "of the final test, for whatever release"),
    ]  # fmt: skip
    for one in found:
        name, where = one.question.name, f"{_texts(one.role)} texts, coded blind"
        alpha = one.agreement.alpha
        rows += [
            (f"{name}: labels", f"{one.n:,}", f"{where}, with an accepted label"),
            (
                f"{name}: alpha",
                figure(alpha),
                f"Krippendorff's, of coders, on {alpha.n:,} texts coded blind by two or more",
            ),
        ]
        rows += [(f"{name}: {one.measure}", figure(one.fit), f"of the model, on {one.fit.n:,} {where}")] * bool(
            one.measure
        )
    return rows
