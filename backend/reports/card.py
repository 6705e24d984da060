"""The card of a run for people, as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from backend.learning.card import CHALLENGER, CHAMPION, TFIDF, WHO, ZERO_SHOT, Card, Facts, Gold, Part, Used, Verdict
from backend.learning.estimate import FEW, Estimate
from backend.reports import page
from backend.reports.estimates import MEASURED, listed, reasons, shown, shown_or_why
from backend.reports.page import Section, Table, short
from labelstudio_config.codebook import Kind

NAMES = {
    ZERO_SHOT: "zero-shot",
    TFIDF: "TF-IDF + logistic regression",
    CHAMPION: "champion",
    CHALLENGER: "challenger",
}
CEILING = "a coder, by the others"
OUTCOMES = {"promote": "promoted", "keep": "champion kept", "undecided": "undecided"}
_HASH = 12  # characters of a hash that people are shown


def text(card: Card) -> str:
    """At most 100 columns wide."""
    return page.text(_sections(card))


def _sections(card: Card) -> list[Section]:
    title = f"Run {card.facts.run} of {card.facts.project}: {OUTCOMES[card.decision.outcome]}"
    intervals = (
        f"{100 * card.level:.0f} % intervals in brackets, {card.draws:,} bootstrap resamples of texts from seed "
        f"{card.seed}; no test text was looked at"
    )
    head = Section(title, (*_facts(card.facts), *_decided(card.decision), ("figures", intervals)))
    return [head, *(_question(part) for part in card.questions)]


def _facts(facts: Facts) -> tuple[tuple[str, str], ...]:
    return (
        ("date", f"{facts.date:%Y-%m-%d %H:%M} UTC"),
        ("champion", facts.champion),
        ("challenger", facts.challenger),
        ("tuner", f"{facts.tuner} on {facts.base}, seed {facts.seed}"),
        ("snapshot", facts.snapshot[:_HASH]),
        ("codebook", f"revision {facts.revision} ({facts.codebook[:_HASH]})"),
        ("adapter", facts.adapter[:_HASH] if facts.adapter else "none"),
    )


def _decided(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    figure = Estimate(verdict.n, verdict.delta, verdict.lower, verdict.upper)
    level = f"{100 * verdict.level:.0f} % interval, n = {verdict.n:,}, look {verdict.look} at these gate labels"
    return (("decision", verdict.sentence), ("difference", f"{shown(figure, 'difference')} points, {level}"))


def _question(part: Part) -> Section:
    facts = [*_used(part.used), *_gold(part.gold), *_agreed(part)]
    tables = [_measures(part)] if part.measures else []
    if part.measures and any(one.support >= FEW for one in part.labels):
        tables.append(_labels(part))
    return Section(f"{part.name} ({part.kind.value})", tuple(facts), tuple(tables))


def _used(used: Used | None) -> list[tuple[str, str]]:
    if used is None:
        return [("labels used", "none: nothing was learned for this question")]
    texts = (
        f"{used.texts:,} texts: {used.train:,} to learn from, {used.validation:,} to choose by; coders: {used.coders}"
    )
    return [("labels used", texts), ("  by label", listed(used.labels)), *_left_out(used.unresolved)]


def _gold(gold: Gold) -> list[tuple[str, str]]:
    if not gold.n:
        return [("gate texts", "none with an accepted value yet"), *_left_out(gold.unresolved)]
    coders = ", ".join(f"{k} ({n:,})" for k, n in gold.coders.items())
    texts = f"{gold.n:,}, a random sample, coded blind; accepted by {listed(gold.by)}; coders a text: {coders}"
    return [("gate texts", texts), *_left_out(gold.unresolved)]


def _left_out(unresolved: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("  left out", listed(unresolved))] if unresolved else []


def _agreed(part: Part) -> list[tuple[str, str]]:
    found = part.agreement
    whole = ", of all labels of a text together" if part.kind is Kind.MULTIPLE else ""
    each = [
        f"{label} {shown(figure, 'coefficient')}" for label, figure in found.labels.items() if figure.value is not None
    ]
    return [
        ("agreement", f"of coders, on {found.texts:,} gate texts coded by two or more; coders: {found.coders}"),
        ("  percent", shown_or_why(found.percent, "share")),
        ("  Krippendorff's alpha", f"{shown_or_why(found.alpha, 'coefficient')}, {found.level}{whole}"),
        *([("  alpha by label", "; ".join(each))] if each else []),
    ]


def _measures(part: Part) -> Table:
    """A row for each who labelled the gate texts, a column a measure."""
    rows = [
        (
            NAMES[who],
            *(shown(one.scores[who], MEASURED[one.name]) for one in part.measures),
            f"{part.measures[0].scores[who].n:,}",
        )
        for who in WHO
    ]
    people = part.measures[0].ceiling
    rows.append((CEILING, *(shown(one.ceiling, MEASURED[one.name]) for one in part.measures), f"{people.n:,}"))
    figures = [(NAMES[who], one.scores[who]) for who in WHO for one in part.measures]
    notes = reasons([*figures, *((CEILING, one.ceiling) for one in part.measures)])
    return Table(("on gate texts", *(one.name for one in part.measures), "n"), tuple(rows), notes)


def _labels(part: Part) -> Table:
    """F1 of each label."""
    rows, figures = [], []
    for one in part.labels:
        name, both = short(one.label), (one.f1[CHAMPION], one.f1[CHALLENGER])
        told = ["too few" if one.support < FEW else shown(figure, "share") for figure in both]
        rows.append((name, f"{one.support:,}", *told))
        figures += [(name, figure) for figure in both if one.support >= FEW]
    return Table(("F1 of each label", "texts", "champion", "challenger"), tuple(rows), reasons(figures))
