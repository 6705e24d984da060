"""`analysis.do`: shares and regressions that allow for the model's errors, in Stata, from the same table."""

from __future__ import annotations

from itertools import groupby

from backend.findings.table import AnalysisTable
from backend.reports.methods.shown import covariate, outcome

_HEAD = """* Corrected estimates from table.csv, for Stata 15 or later; data-dictionary.csv says what its columns are.
* Run it in this folder. A program wrote it and checked its syntax; the program's makers had no Stata to run it in.
*
* The outcome of a row is the model's label, plus (people's - the model's) / chance where people's is known
* (design-based supervised learning: Egami, Hinck, Stewart & Wei 2023). Chances are scaled so that the weights of the
* known rows add up to all rows. analysis.R weighs the model by how good it is, as the report does: the shares here are
* a little less exact. Standard errors are clustered, since clusters of texts are what was drawn.

version 15
clear all
set more off
import delimited using "table.csv", clear varnames(1) case(preserve) encoding("UTF-8") bindquotes(strict)
"""
_CLOSED = """
display as text "The test is not open, so the model's labels of audit texts are not in the table."
display as text "Run socialite open-test, then socialite methods again, and this file on the new table."
* What people say of the sample, alone:
"""


def analysis_do(table: AnalysisTable) -> str:
    """The do-file for a table, which lies beside it."""
    parts = [_HEAD] if table.opened else [_HEAD, _CLOSED]
    if not table.outcomes:
        parts.append('\ndisplay as text "The codebook has no question with labels, so there is no share to correct."\n')
    for pi, group in groupby(table.outcomes, key=lambda one: one.pi):
        outcomes = list(group)
        parts.append(_shares(table, pi, outcomes[0].sampled, [one.stem for one in outcomes]))
    if table.opened:
        parts.append(_regressions(table))
    return "".join(parts)


def _shares(table: AnalysisTable, pi: str, sampled: str, stems: list[str]) -> str:
    names = " ///\n    ".join(stems)
    lines = ["", f"* ---- how often: {pi.removesuffix('_pi')}", "preserve", f"keep if {pi} > 0 & !missing({pi})"]
    if not table.opened:
        lines += [
            f"foreach outcome in {names} {{",
            f"    capture noisily regress `outcome'_gold if {sampled} == 1, vce(cluster cluster)",
            "}",
        ]
    else:
        lines += [
            *_weight(pi, sampled),
            f"foreach outcome in {names} {{",
            *(f"    {line}" for line in _design_based("`outcome'", sampled)),
            "    capture noisily regress design_based, vce(cluster cluster)",
            "    drop design_based",
            "}",
        ]
    return "\n".join([*lines, "restore", ""])


def _weight(pi: str, sampled: str) -> list[str]:
    return [
        f"generate double weight = {sampled} / {pi}",
        "quietly summarize weight",
        "quietly replace weight = weight * _N / r(sum)",
    ]


def _design_based(stem: str, sampled: str) -> list[str]:
    return [
        f"quietly generate double design_based = {stem}_pred",
        f"quietly replace design_based = {stem}_pred + weight * ({stem}_gold - {stem}_pred) if {sampled} == 1",
    ]


def _regressions(table: AnalysisTable) -> str:
    """A linear and a logistic regression of one outcome on one column; a person puts others in their place."""
    first, column = outcome(table), covariate(table)
    if first is None:
        return '\ndisplay as text "People\'s labels of the sample are all alike, or there are none: no regression."\n'
    keep = f"keep if {first.pi} > 0 & !missing({first.pi})" + (f" & !missing({column.name})" if column else "")
    lines = ["", "* ---- regressions: put another outcome, and other columns, here", "preserve", keep]
    term = ""
    if column and column.numeric:
        term = f"c.{column.name}"
    elif column:
        lines.append(f"encode {column.name}, generate(level)")
        term = "i.level"
    lines += [*_weight(first.pi, first.sampled), *_design_based(first.stem, first.sampled)]
    lines.append(f"regress design_based {term}".rstrip() + ", vce(cluster cluster)")
    if term:
        logit = f"gmm (design_based - invlogit({{xb: {term} _cons}})), instruments({term}) onestep vce(cluster cluster)"
        lines += ["* a logit by its moments, since the outcome is not only 0 or 1", logit]
    lines.append("restore")
    return "\n".join([*lines, ""])
