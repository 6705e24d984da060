"""What the report is about and what may be concluded, in plain sentences with the numbers that matter most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.findings.agreement import People, reading
from backend.findings.coders import coding
from backend.findings.facts import PRODUCTION, Facts
from backend.findings.fit import GATE, TEST, Fit
from backend.findings.report import Cell, Column, Section, Table
from backend.findings.words import counted, figure
from backend.learning.measured import MACRO

TITLE = "What this is, and what may be concluded"
SENTENCES = 6  # questions up to which each is told in a sentence, too
NOT_PRODUCTION = (
    "These are labels of the {phase} phase, in which the codebook and the coders are tried out. They tell how far "
    "coders agree, and what to make clearer; they are no measure of a model, and no sample to count in, so that those "
    "sections are left out here. Labels of the {phase} phase never enter gold."
)


def section(
    facts: Facts, blind: Sequence[People], fits: Mapping[str, Sequence[Fit]], others: Sequence[Section] = ()
) -> Section:
    """Tables of the key numbers, a row a question, and what they mean. `others`: sections that have more of them."""
    text = [_what(facts)]
    if facts.phase != PRODUCTION:
        text.append(NOT_PRODUCTION.format(phase=facts.phase))
    if not facts.answers:
        return Section(
            "summary", TITLE, tuple(text), missing="Nothing can be concluded yet: nobody has coded anything."
        )
    by_role = {role: {one.question.id: one for one in found} for role, found in fits.items()}
    if len(blind) <= SENTENCES:
        text += [_sentence(one, by_role) for one in blind]
    text += _limits(facts) if facts.phase == PRODUCTION else []
    return Section("summary", TITLE, tuple(text), (_table(blind, by_role), *_also(blind, others)))


def _what(facts: Facts) -> str:
    who, given = coding(answer for answer in facts.answers if answer.phase == facts.phase)
    answered = f"{counted(who, 'coder')} gave {counted(given, 'answer')}" if given else "nobody has answered"
    gate, test = (len({one.text_id for one in role.accepted}) for role in (facts.gate, facts.test))
    return (
        f"'{facts.project.title}' holds {counted(len(facts.texts.ids), 'text')}. Its codebook, '{facts.book.title}' in "
        f"revision {facts.revision.number}, asks {counted(len(facts.book.questions), 'question')}. In the "
        f"{facts.phase} phase {answered}; {gate:,} gate texts and {test:,} test texts, drawn at random and coded "
        "blind, have an accepted value."
    )


def _sentence(one: People, by_role: Mapping[str, Mapping[str, Fit]]) -> str:
    alpha, name = one.agreed.alpha, one.question.id
    verdict = reading(alpha)
    told = [f"{name}: coders agree with an alpha of {figure(alpha)}{', ' + verdict if verdict else ''}"]
    if alpha.value is None:
        told = [f"{name}: how far coders agree is not known, {alpha.missing}"]
    reached = []
    for role, before in ((GATE, "in development"), (TEST, "in the test")):
        fit = by_role.get(role, {}).get(name)
        if fit is not None and fit.measures[MACRO].value is not None:
            reached.append(f"{figure(fit.measures[MACRO], share=True)} {before}")
    if reached:
        told.append(f"the release reaches a macro F1 of {' and of '.join(reached)}")
    ceiling = one.ceiling.get(MACRO)
    if reached and ceiling is not None and ceiling.value is not None:
        told.append(f"a coder, measured by the others, {figure(ceiling, share=True)}")
    return "; ".join(told) + "."


def _limits(facts: Facts) -> list[str]:
    tested = (
        "The test texts were opened for this release: report their figures, with the number of openings."
        if facts.opened
        else "The test texts are closed: no figure of the model here is one of untouched texts, and none is to be "
        "reported as its quality."
    )
    return [
        tested,
        "Shares of labels in the corpus are to be taken from the corrected estimates, not from counting what the model "
        "says. Everything holds for the texts that were drawn from, for this codebook, and for these coders.",
    ]


def _table(blind: Sequence[People], by_role: Mapping[str, Mapping[str, Fit]]) -> Table:
    roles = [role for role in (GATE, TEST) if role in by_role]
    columns = [Column("texts coded twice", "count"), Column("alpha of coders", "coefficient")]
    for role in roles:
        columns += [
            Column(f"{role} texts", "count"),
            Column(f"alpha of the model, {role}", "coefficient"),
            Column(f"macro F1, {role}", "share"),
        ]
    columns += [Column("macro F1 of a coder", "share")] if roles else []
    cells = []
    for one in blind:
        row: list[Cell] = [one.agreed.texts, one.agreed.alpha]
        for role in roles:
            fit = by_role[role].get(one.question.id)
            row += [len(fit.ids), fit.alike.alpha, fit.measures.get(MACRO)] if fit else [None, None, None]
        row += [one.ceiling.get(MACRO)] if roles else []
        cells.append(tuple(row))
    return Table(
        key="summary",
        title="Key numbers",
        question="",
        head="question",
        rows=tuple(one.question.id for one in blind),
        columns=tuple(columns),
        cells=tuple(cells),
        origin="audit texts, coded blind; the model by the accepted values of gate texts (development) and test texts",
    )


def _also(blind: Sequence[People], others: Sequence[Section]) -> tuple[Table, ...]:
    """Calibration and anchoring of each question, as their own sections have them; none where they have nothing."""
    tables = {(table.key, table.question): table for one in others for table in one.tables}
    cells = {
        one.question.id: (
            *(_looked_up(_calibrated(tables, one.question.id), "ECE", column) for column in ("raw", "calibrated")),
            _looked_up(tables.get(("anchoring", "")), one.question.id, "difference"),
        )
        for one in blind
    }
    if not any(cell for row in cells.values() for cell in row):
        return ()
    table = Table(
        key="summary-also",
        title="Key numbers of calibration and anchoring",
        question="",
        head="question",
        rows=tuple(cells),
        columns=(
            Column("ECE, raw", "number"),
            Column("ECE, calibrated", "number"),
            Column("anchoring", "difference"),
        ),
        cells=tuple(cells.values()),
        origin="audit texts, coded blind, and control texts, assisted; the sections on each say how",
    )
    return (table,)


def _calibrated(tables: Mapping[tuple[str, str], Table], question: str) -> Table | None:
    """On the test once it is open."""
    return tables.get(("calibration-test", question)) or tables.get(("calibration-gate", question))


def _looked_up(table: Table | None, row: str, column: str) -> Cell:
    """A cell by the names of its row and column; None where there is none."""
    names = [one.name for one in table.columns] if table else []
    if table is None or row not in table.rows or column not in names:
        return None
    return table.cells[table.rows.index(row)][names.index(column)]
