"""Whether the model's probabilities mean what they say, on blind labels; and how right it is where it is surest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import FAMILY, Family
from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table
from backend.findings.sample import Role, labels
from backend.findings.weighed import shown
from backend.learning.estimate import FEW, Estimate
from backend.stats import calibration as stats
from backend.stats.anchoring import Arm, share
from backend.stats.f1 import Array, Marks
from backend.stats.share import student
from labelstudio_config.codebook import Question

TITLE = "Whether the model's probabilities mean what they say"
COVERAGE = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.1)  # shares of texts that are kept, the surest first
ENOUGH = 100  # texts below which neither a temperature is fitted nor a calibration error shown
TEXT = (
    "Of the texts that a calibrated model gives a label with 80 % probability, people give it to 80 %. The Brier score "
    "is the mean squared distance of what is said and what is so (0 is perfect, 1 the worst), the log loss punishes "
    "what is surely wrong most. One temperature makes all probabilities more or less sure and changes no label; "
    "'calibrated' shows what it would give, fitted each time on other texts than those it is judged by.",
    "The expected calibration error (ECE) is the mean distance of what is said and what is so, over groups of equally "
    "many texts. It is biased upwards: a perfectly calibrated model shows some on few texts, too. So 'by chance' says "
    "how much such a model would show here on average, and how much in one of 20 samples at most. An interval of the "
    "ECE itself would promise more than it holds, and is left out.",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Texts [n] with the model's raw log-probabilities [n, K], what people say [n, K], and their clusters [n]."""

    question: Question
    part: Role
    raw: Array
    truth: Marks
    cluster: NDArray[np.int64]
    several: bool


def section(facts: Facts) -> Section:
    """On gate labels, and on those of the test once it is opened, where the temperature is the one of the gate."""
    tables: list[Table] = []
    few: list[str] = []
    for question in facts.book.questions:
        if question.kind not in FAMILY:
            continue
        gate = judged(facts, question, "gate")
        if len(gate.truth) >= ENOUGH:
            tables += _tables(facts, gate, gate)
        else:
            few.append(f"{question.id}: {_why(facts, len(gate.truth))}")
        if facts.opened:
            test = judged(facts, question, "test")
            if min(len(gate.truth), len(test.truth)) >= ENOUGH:
                tables += _tables(facts, test, gate)
    if not tables:
        return Section("calibration", TITLE, missing=" ".join(few) or "No question has labels with probabilities.")
    return Section("calibration", TITLE, (*TEXT, *few), tuple(tables))


def judged(facts: Facts, question: Question, part: Role) -> Judged:
    """The texts of a part of the audit that have an accepted label and scores of the current release."""
    mine = [one for one in labels(facts, part).accepted if one.question == question.id]
    several = FAMILY[question.kind] is Family.BERNOULLI
    ids = np.array([one.text_id for one in mine], dtype=np.int64)
    truth = np.array([[label in one.labels for label in question.label_ids] for one in mine], dtype=np.bool_)
    truth = truth.reshape(len(mine), len(question.labels))
    scores = facts.scores.get(question.id)
    if scores is None:
        return Judged(question, part, np.zeros((0, truth.shape[1])), truth[:0], ids[:0], several)
    there, places = scores.at(ids)
    cluster = facts.texts.cluster[facts.texts.at(ids[there])]
    return Judged(question, part, scores.raw[places], truth[there], cluster, several)


def _why(facts: Facts, n: int) -> str:
    if facts.release is None:
        return "there is no release yet: run `socialite push`."
    return (
        f"{n:,} gate texts have an accepted label and scores, too few to judge probabilities by: {ENOUGH} are needed."
    )


def _tables(facts: Facts, of: Judged, gate: Judged) -> list[Table]:
    seed = facts.project.seed
    if of is gate:
        heat = stats.cross_fitted(of.raw, of.truth, of.cluster, several=of.several, seed=seed)
    else:
        heat = np.full(len(of.raw), stats.temperature(gate.raw, gate.truth, several=gate.several))
    calibrated = replace(of, raw=stats.heated(of.raw, heat, several=of.several))
    return [
        _scores(facts, of, calibrated, heat),
        _reliability(facts, of, "raw"),
        _reliability(facts, calibrated, "calibrated"),
        _coverage(facts, of),
    ]


def _scores(facts: Facts, raw: Judged, calibrated: Judged, heat: Array) -> Table:
    n = len(raw.raw)
    both = (raw, calibrated)
    rows = ("Brier score", "log loss", "ECE", "ECE by chance: on average", "ECE by chance: at most")
    cells: list[tuple[Cell, ...]] = []
    cells += losses(raw.raw, calibrated.raw, raw.truth, raw.cluster, several=raw.several)
    said = [stats.judgements(one.raw, one.truth, several=one.several) for one in both]
    why = "biased upwards: hold it against what chance gives"
    cells.append((*(Estimate(n, stats.ece(p, right), missing=why) for p, right, _ in said), None))
    chance = [stats.by_chance(p, seed=facts.project.seed) for p, _, _ in said]
    cells += [(*(one[which] for one in chance), None) for which in (0, 1)]
    release = facts.scores[raw.question.id].temperature
    return Table(
        key=f"calibration-{raw.part}",
        title="Quality of the probabilities",
        question=raw.question.id,
        head="measure",
        rows=rows,
        columns=(Column("raw", "number"), Column("calibrated", "number"), Column("calibrated less raw", "number")),
        cells=tuple(cells),
        origin=_origin(raw),
        notes=(
            f"The temperature is {_heat(heat)}; the current release reads its scores at {release:.2f}.",
            "Below 0, 'calibrated less raw' is a gain. 'By chance' is simulated with the probabilities of these texts.",
        ),
    )


def losses(
    raw: Array, calibrated: Array, truth: Marks, cluster: NDArray[np.int64], *, several: bool
) -> list[tuple[Estimate, ...]]:
    """Brier score and log loss of log-probabilities [n, K], raw, calibrated, and the difference."""
    found = []
    for score in (stats.brier, stats.log_loss):
        before, after = (score(one, truth, several=several) for one in (raw, calibrated))
        each = stats.clustered(np.column_stack([before, after, after - before]), cluster)
        bounds = student(each.value, each.variance, each.degrees)
        figures = zip(each.value, *bounds, strict=True)
        found.append(tuple(Estimate(len(raw), float(v), float(low), float(high)) for v, low, high in figures))
    return found


def _heat(heat: Array) -> str:
    low, high = float(heat.min()), float(heat.max())
    return f"{low:.2f}" if high - low < 0.005 else f"{low:.2f} to {high:.2f}, by the texts it was fitted to"


def _origin(of: Judged) -> str:
    rule = "development: the gate's labels chose the release" if of.part == "gate" else "test, opened for this release"
    return f"{len(of.raw):,} {of.part} texts, random, coded blind ({rule})"


def _reliability(facts: Facts, of: Judged, how: str) -> Table:
    p, right, text = stats.judgements(of.raw, of.truth, several=of.several)
    rows, cells = [], []
    for one in stats.bins(p, right):
        low, high = p[one.places].min(), p[one.places].max()
        rows.append(f"{low:.2f} to {high:.2f}")
        cells.append((one.said, _share(right[one.places], of.cluster[text[one.places]])))
    what = "probabilities of labels" if of.several else "probabilities of the suggested label"
    return Table(
        key=f"reliability-{of.part}-{how}",
        title=f"Reliability, {how}",
        question=of.question.id,
        head=what,
        rows=tuple(rows),
        columns=(Column("said", "share"), Column("so", "share")),
        cells=tuple(cells),
        origin=_origin(of),
        drawn="reliability",
    )


def _coverage(facts: Facts, of: Judged) -> Table:
    """A temperature leaves the order of texts nearly as it is, so that this is told of the raw scores alone."""
    sure, right = _surest(of)
    order = np.argsort(-sure, kind="stable")
    rows, cells = [], []
    for kept in COVERAGE:
        n = round(kept * len(order))
        if n < FEW:
            continue
        mine = order[:n]
        rows.append(f"{100 * kept:.0f} %")
        cells.append((float(sure[mine].min()), _share(right[mine], of.cluster[mine])))
    return Table(
        key=f"coverage-{of.part}",
        title="Accuracy where the model is surest",
        question=of.question.id,
        head="texts kept, the surest first",
        rows=tuple(rows),
        columns=(Column("probability at least", "share"), Column("as people say", "share")),
        cells=tuple(cells),
        origin=_origin(of),
        notes=("In a multiple choice all labels of a text must be right, and its least sure label decides.",)
        if of.several
        else (),
    )


def _surest(of: Judged) -> tuple[Array, NDArray[np.bool_]]:
    """How sure [n] the model is of a text, and whether it is right [n]."""
    p = np.exp(of.raw)
    if not of.several:
        return p.max(axis=1), of.truth[np.arange(len(p)), p.argmax(axis=1)]
    return np.maximum(p, 1 - p).min(axis=1), ((p >= 0.5) == of.truth).all(axis=1)


def _share(right: NDArray[np.bool_], cluster: NDArray[np.int64]) -> Cell:
    found = share(Arm(right.astype(np.float64), np.ones(len(right)), cluster))
    return shown(found, found.n)
