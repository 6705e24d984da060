"""How far people agree with each other: on what they coded blind, and apart from it on what they coded with help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.findings.coefficients import coefficients
from backend.findings.facts import Facts
from backend.findings.report import Cell, Column, Section, Table, Unit
from backend.findings.words import counted
from backend.learning.accepted import CODERS
from backend.learning.agreed import Agreed, Votes, agreed
from backend.learning.ceiling import ceilings
from backend.learning.estimate import FEW, Estimate
from backend.learning.measured import KAPPA, MACRO, STEPS
from backend.stats.promise import AIM, needed
from labelstudio_config.codebook import Question

TITLE = "How far people agree with each other"
RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff 2004, Human Communication Research 30(3)
WIDE = 0.2  # width of alpha's interval above which more texts are advised
BALANCED, RARE = 200, 400  # double-coded texts that give about .15 where labels are balanced, .2 for one of 10 %
UNITS: Mapping[str, Unit] = {MACRO: "share", KAPPA: "coefficient", STEPS: "steps"}


@dataclass(frozen=True, slots=True)
class People:
    """Of one question: the blind votes of audit texts of both roles, how far they agree, and by measure how well each
    coder does by what the others come to.
    """

    question: Question
    votes: Votes
    agreed: Agreed
    ceiling: Mapping[str, Estimate]


def people(facts: Facts) -> tuple[People, ...]:
    """One a question. No model is involved, so that texts of the test count, too."""
    found, clusters, seed = [], facts.clusters, facts.project.seed
    for question in facts.book.questions:
        both = (facts.gate.votes, facts.test.votes)
        votes = {text: cast for each in both for (text, key), cast in each.items() if key == question.id}
        alike = agreed(question, votes, clusters, seed)
        found.append(People(question, votes, alike, ceilings(question, votes, clusters, seed)))
    return tuple(found)


def section(facts: Facts, blind: Sequence[People], assisted: Mapping[str, Votes]) -> Section:
    """`assisted`: question key -> votes on texts that were coded with suggestions in sight."""
    helped = _assisted(facts, assisted)
    if not any(one.agreed.texts for one in blind):
        return Section("agreement", TITLE, tables=helped, missing=_nothing(facts, blind))
    others = coefficients({one.question.id: one.agreed for one in blind})
    planned = int(facts.project.sampling_design.get("coders", CODERS))
    tables = [_main(blind, planned), *others, _ceiling(blind), *(_by_label(one) for one in blind if one.agreed.texts)]
    return Section("agreement", TITLE, _TEXT, (*(table for table in tables if table.rows), *helped))


_TEXT = (
    "Only texts of the audit count here: drawn at random and coded without any suggestion by two coders or more. It is "
    "what each of them said, before anything was discussed or adjudicated; a skipped text is a missing answer.",
    "Percent agreement is the share of pairs of a text's answers that are equal, on average over texts; it is high by "
    "itself where one label is frequent. Krippendorff's alpha takes off what chance alone would give: 1 is perfect, 0 "
    "is chance. By his convention (2004) labels are reliable from .800 on and good for tentative conclusions from .667 "
    "on. Here the lower bound of the interval has to reach that, since a high value on few texts may be luck.",
    "Of subjective questions people may disagree for good reasons: then low agreement is a finding, and the "
    "distribution of their answers says more than one accepted label.",
)


def _nothing(facts: Facts, blind: Sequence[People]) -> str:
    once = max((len(one.votes) for one in blind), default=0)
    there = f"{counted(once, 'audit text')} of this phase {'has' if once == 1 else 'have'} been coded by one coder only"
    return (
        f"{there if once else 'No audit text of this phase has been coded yet'}, so agreement cannot be measured. Let "
        f"two coders or more code the same audit texts: about {BALANCED} give alpha an interval some {_short(AIM)} "
        f"wide where labels are balanced, {RARE} or more are needed for a label of one text in ten. "
        f"`socialite design --project {facts.project.key}` plans it."
    )


def _main(blind: Sequence[People], planned: int) -> Table:
    columns = (*_COLUMNS, Column("by convention"))
    rows = [(one.question.id, (*_row(one.agreed), reading(one.agreed.alpha))) for one in blind]
    return Table(
        key="agreement",
        title="Agreement before adjudication",
        question="",
        head="question",
        rows=tuple(name for name, _ in rows),
        columns=columns,
        cells=tuple(cells for _, cells in rows),
        origin="audit texts of both halves (gate and test), coded blind",
        notes=tuple(note for one in blind for note in (*_advice(one.question.id, one.agreed), *_more(one, planned))),
        drawn="intervals",
    )


_COLUMNS = (
    Column("level of measurement"),
    Column("coders", "count"),
    Column("texts coded twice", "count"),
    Column("alpha", "coefficient"),
    Column("percent agreement", "share"),
)


def _row(found: Agreed) -> tuple[Cell, ...]:
    return (found.level, found.coders, found.texts, found.alpha, found.percent)


def reading(alpha: Estimate) -> str:
    """What the convention says of a coefficient by its lower bound; '' where there is no interval to go by."""
    if alpha.lower is None:
        return ""
    if alpha.lower >= RELIABLE:
        return f"reliable: all of the interval is above {_short(RELIABLE)}"
    if alpha.lower >= TENTATIVE:
        return f"tentative: all of the interval is above {_short(TENTATIVE)}"
    if alpha.upper is not None and alpha.upper < TENTATIVE:
        return f"not reliable: all of the interval is below {_short(TENTATIVE)}"
    return f"not shown: the interval reaches below {_short(TENTATIVE)}"


def _more(one: People, planned: int) -> tuple[str, ...]:
    """What it means where some texts have more coders than planned."""
    n = sum(len(cast) > planned for cast in one.votes.values())
    if not n:
        return ()
    have = f"{counted(n, 'text')} {'has' if n == 1 else 'have'}"
    return (
        f"{one.question.id}: {have} more coders than the {planned} planned. "
        "If they were asked because the first ones differed, every figure here is off: let an adjudicator decide such "
        "texts (`socialite disagreements --push`), whose answers do not count here.",
    )


def _advice(name: str, found: Agreed) -> tuple[str, ...]:
    """What more texts coded twice would give, where the interval of alpha is wide or there is none."""
    alpha = found.alpha
    if alpha.value is None and found.texts < FEW:
        many = f"{BALANCED} give an interval some {_short(AIM)} wide where labels are balanced"
        return (f"{name}: {alpha.missing}, each coded by two. About {many}.",)
    if alpha.lower is None or alpha.upper is None:
        return (f"{name}: {alpha.missing}.",)
    width = alpha.upper - alpha.lower
    if width <= WIDE:
        return ()
    return (
        f"{name}, {found.texts:,} double-coded texts: the interval of alpha is {_short(round(width, 2))} wide; "
        f"{needed(found.texts, width):,} would give about {_short(AIM)}.",
    )


def _ceiling(blind: Sequence[People]) -> Table:
    names = [name for name in UNITS if any(name in one.ceiling for one in blind)]
    asked = [one for one in blind if one.ceiling]
    return Table(
        key="ceiling",
        title="The human ceiling: each coder by what the others come to",
        question="",
        head="question",
        rows=tuple(one.question.id for one in asked),
        columns=tuple(Column(name, UNITS[name]) for name in names),
        cells=tuple(tuple(one.ceiling.get(name) for name in names) for one in asked),
        origin="audit texts of both halves, coded blind by two coders or more",
        notes=(
            "A model can hardly be seen to do better than people do by this yardstick. With two coders the yardstick "
            "is one person, which is noisier than what both come to: the ceiling is then a cautious one.",
        ),
        drawn="intervals",
    )


def _by_label(one: People) -> Table:
    """Of two labels that exclude each other, each has the alpha of the question."""
    twice = [cast for cast in one.votes.values() if len(cast) > 1]
    answers = sum(len(cast) for cast in twice)
    codes = {label.id: label.code for label in one.question.labels}

    def share(label: str) -> float:
        return sum(label in vote.labels for cast in twice for vote in cast) / answers

    return Table(
        key="agreement-labels",
        title="Agreement on each label against all others",
        question=one.question.id,
        head="label",
        rows=tuple(codes.values()),
        columns=(Column("share of answers", "share"), Column("alpha", "coefficient")),
        cells=tuple((share(label), one.agreed.labels.get(label, one.agreed.alpha)) for label in codes),
        origin=f"{counted(len(twice), 'audit text')} of both halves, coded blind by two coders or more",
        drawn="intervals",
    )


def _assisted(facts: Facts, assisted: Mapping[str, Votes]) -> tuple[Table, ...]:
    """A table of its own, or none where no assisted text was coded twice."""
    clusters, seed = facts.clusters, facts.project.seed
    found = {
        question.id: agreed(question, assisted.get(question.id, {}), clusters, seed)
        for question in facts.book.questions
    }
    mine = {name: one for name, one in found.items() if one.texts}
    if not mine:
        return ()
    table = Table(
        key="agreement-assisted",
        title="Assisted: agreement of coders who saw the same suggestion",
        question="",
        head="question",
        rows=tuple(mine),
        columns=_COLUMNS,
        cells=tuple(_row(one) for one in mine.values()),
        origin="control and work texts, coded with suggestions in sight",
        notes=(
            "Agreement under pre-annotation is not reliability: who sees the same suggestion agrees with it, and so "
            "with each other. Do not report it in place of the table of the audit.",
        ),
    )
    return (table,)


def _short(value: float) -> str:
    """'.667', '.15', '1.2'."""
    return f"{value:g}".removeprefix("0") if value != RELIABLE else ".800"
