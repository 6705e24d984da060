"""Tables as LaTeX, in the manner of the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backend.reports.page import Section, Table

NEEDS = "% Needs \\usepackage{booktabs} and, before TeX Live 2018, \\usepackage[utf8]{inputenc}."
_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "–": "--",
}
_ESCAPED = str.maketrans(_SIGNS)


def latex(sections: Sequence[Section], label: str) -> str:
    """A floating table for each table; the sentences of all sections stand below the first one."""
    tables = [table for section in sections for table in section.tables]
    notes = [sentence for section in sections for sentence in section.text]
    lines = [NEEDS]
    for n, table in enumerate(tables):
        below = [*table.notes, *([] if n else notes)]
        lines += ["", *_floating(table, below, f"{label}-{n + 1}")]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """The text on one line, without what TeX would take for a command."""
    return " ".join(text.split()).translate(_ESCAPED)


def _floating(table: Table, notes: Sequence[str], label: str) -> list[str]:
    return [
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escaped(table.title)}}}",
        rf"\label{{tab:{label}}}",
        r"\scriptsize",
        rf"\begin{{tabular}}{{{'l' * len(table.head)}}}",
        r"\toprule",
        _row(table.head),
        r"\midrule",
        *_rows(table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\medskip"] if notes else []),
        *(rf"\parbox{{\linewidth}}{{\footnotesize {escaped(note)}}}\par" for note in notes),
        r"\end{table*}",
    ]


def _rows(rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    """A rule stands before the means."""
    means = False
    for row in rows:
        if row[0].startswith("mean: ") and not means:
            means = True
            yield r"\midrule"
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    """A cell that begins with a bracket is kept apart from the line break before it, which could take one."""
    first, *rest = map(escaped, cells)
    return " & ".join([f"{{}}{first}" if first.startswith("[") else first, *rest]) + r" \\"
