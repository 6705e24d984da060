"""Reports made by hand: nothing, little, much, and texts that are not what they seem."""

from __future__ import annotations

from backend.findings.report import Cell, Column, Drawn, Example, Examples, Report, Section, Table
from backend.learning.estimate import Estimate

MARKUP = "<script>alert('x')</script> & \"quotes\" | `code` *stars* [link](http://example.org) {{ 7 * 7 }} </td>"
ARABIC = "نص عربي طويل قليلا 123 <b>(مثال)</b>!"
HEBREW = "טקסט בעברית, 2024"
FORMULA = '=HYPERLINK("http://example.org";"click")'
BLIND = "gate texts, coded blind by 3 coders"
FEW = "too few: 6 of at least 10 texts"
WITHHELD = "12 double-coded texts: the interval is wider than .5; 200 would give about .15"
NAMES = ("joy", "anger", "sadness", HEBREW, ARABIC, MARKUP)


def estimate(value: float, wide: float = 0.06, n: int = 240) -> Estimate:
    return Estimate(n, value, max(value - wide, 0.0), value + wide)


def table(
    key: str,
    columns: tuple[Column, ...],
    rows: tuple[str, ...],
    cells: tuple[tuple[Cell, ...], ...],
    *,
    title: str = "",
    question: str = "emotion",
    drawn: Drawn = "",
    head: str = "label",
    notes: tuple[str, ...] = (),
) -> Table:
    return Table(key, title or key, question, head, rows, columns, cells, BLIND, notes, drawn)


def work() -> Table:
    columns = (Column("texts", "count"), Column("blind", "count"), Column("median time", "seconds"), Column("since"))
    cells = ((1240, 260, 11.4, "2026-03-02"), (980, 260, 9.0, "2026-03-05"), (12, 0, None, ""))
    rows = ("coder-1", "coder-2", ARABIC)
    return table("work", columns, rows, cells, title="Answers by coder", question="", head="coder")


def agreement(rows: tuple[str, ...] = NAMES) -> Table:
    """Of unequal n, with withheld intervals and missing numbers."""
    columns = (Column("percent", "share"), Column("alpha", "coefficient"), Column("AC1", "coefficient"))
    numbers = (estimate(0.84), estimate(0.71, 0.09), estimate(0.78, 0.05))
    small = (Estimate(12, 0.75, missing=WITHHELD), Estimate(12, 0.41, missing=WITHHELD), Estimate(12, missing=FEW))
    none = (Estimate(6, missing=FEW), Estimate(6, missing=FEW), Estimate(6, missing=FEW))
    mixed = (estimate(0.66, n=230), Estimate(240, -0.05, -0.21, 0.12), None)
    cells = tuple((numbers, small, none, mixed)[k % 4] for k in range(len(rows)))
    return table(
        "by-label",
        columns,
        rows,
        cells,
        title="Agreement of coders by label, each label against all others",
        drawn="intervals",
        notes=("A lower bound of .80 or more is called reliable.",),
    )


def prevalence() -> Table:
    columns = tuple(Column(name, "share") for name in ("naive", "people only", "corrected"))
    columns += (Column("naive - corrected", "difference"),)
    rows = NAMES[:4]
    cells = tuple(
        (estimate(p, 0.004), estimate(p * 0.8, 0.05), estimate(p * 0.85, 0.03), Estimate(240, -p / 9, -p / 5, p / 40))
        for p in (0.31, 0.2, 0.11, 0.02)
    )
    return table("shares", columns, rows, cells, title="Prevalence of each label", drawn="intervals")


def releases(k: int = 6) -> Table:
    columns = (Column("labels", "count"), Column("macro F1", "share"), Column("alpha with people", "coefficient"))
    rows = tuple(f"2026-03-{n + 1:02d}" for n in range(k))
    cells = tuple(
        (
            100 * n,
            estimate(0.52 + 0.05 * n, 0.06) if n != 2 else Estimate(0, missing=FEW),
            Estimate(40, 0.4 + 0.04 * n, missing=WITHHELD) if n < 2 else estimate(0.4 + 0.04 * n),
        )
        for n in range(k)
    )
    return table("releases", columns, rows, cells, title="Releases over time", drawn="time", head="release")


def calibration() -> Table:
    columns = (Column("mean probability", "share"), Column("right", "share"), Column("texts", "count"))
    rows = tuple(f"{10 * k} to {10 * k + 10} %" for k in range(10))
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (0.1 * k + 0.05, estimate(0.9 * (0.1 * k + 0.04), 0.08, 24), 24) for k in range(9)
    )
    cells += ((None, Estimate(0, missing="no text has so high a probability"), 0),)
    return table("bins", columns, rows, cells, title="Reliability", drawn="reliability", head="probability")


def confusion(k: int = 6) -> Table:
    labels = (*NAMES, *(f"label number {n}" for n in range(len(NAMES), k)))[:k]
    cells = tuple(tuple(((i * 7 + j * 3) % 11) + 80 * (i == j) for j in range(k)) for i in range(k))
    columns = tuple(Column(name, "count") for name in labels)
    return table("confusion", columns, labels, cells, title="Model against people", drawn="confusion", head="people")


def shares(k: int = 6) -> Table:
    """A confusion in shares of a row, with intervals."""
    counts = confusion(k)
    columns = tuple(Column(column.name, "share") for column in counts.columns)
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        tuple(estimate(n / sum(row), 0.02, sum(row)) for n in row)  # type: ignore[arg-type, operator]
        for row in counts.cells
    )
    return table("confusion-shares", columns, counts.rows, cells, drawn="confusion", head="people")


def examples() -> Examples:
    texts = (
        Example("row-17", (MARKUP, "two\nlines"), {"coders": "joy", "suggested": MARKUP}),
        Example(FORMULA, (ARABIC,), {"coders": HEBREW, "suggested": "anger"}),
    )
    return Examples("Texts that people and model see differently", "emotion", texts, ("Drawn by seed 7.",))


def rich() -> Report:
    facts = {"project": "posts", "phase": "production", "codebook": "revision 3 (c0ffee123456)", "release": MARKUP}
    facts |= {"people's names": ARABIC, "seed": "7", "date": "2026-03-09 10:00 UTC"}
    text = (
        "Each text of the audit was coded by three people who saw no suggestion. " * 4,
        ARABIC,
    )
    sections = (
        Section("work", "Who coded how much", text, (work(),)),
        Section("agreement", "Agreement of coders", text[:1], (agreement(), agreement(NAMES[:1]))),
        Section("prevalence", "How often each label occurs", text[:1], (prevalence(),)),
        Section("model", "The model against people", (), (confusion(), shares(), confusion(30)), (examples(),)),
        Section("calibration", "Calibration", (), (calibration(),)),
        Section("releases", "Releases over time", text[:1], (releases(), releases(1))),
        Section("anchoring", MARKUP, missing="There are no control texts. `socialite design` says how many to draw."),
    )
    return Report("Report of posts", facts, sections)


def thirty(drawn: Drawn = "intervals") -> Report:
    """Thirty labels, everything about each."""
    names = tuple(f"a label with a rather long name, number {n}" for n in range(30))
    by_label = Section("agreement", "Agreement", tables=(agreement(names), shares(30), confusion(30)))
    return Report("Thirty labels", {"project": "many"}, (by_label,))


def one_label() -> Report:
    tables = (agreement(NAMES[:1]), confusion(1), shares(1), releases(1))
    return Report("One label", {"project": "one"}, (Section("agreement", "Agreement", tables=tables),))


def one_coder() -> Report:
    missing = "One coder has answered so far. Agreement needs texts that two or more coded."
    work_of_one = table(
        "work", (Column("texts", "count"),), ("coder-1",), ((3,),), title="Answers", question="", head="coder"
    )
    sections = (
        Section("work", "Who coded how much", tables=(work_of_one,)),
        Section("agreement", "Agreement", missing=missing),
    )
    return Report("One coder", {"project": "one"}, sections)


def no_data() -> Report:
    return Report(
        "Nothing yet", {"project": "none"}, (Section("work", "Work", missing="Nobody has coded a text yet."),)
    )


def empty() -> Report:
    return Report("Empty", {})
