"""A comparison as tables for people: macro F1 of each system on each task, means, and differences to the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backend.paper.comparison import Comparison, Figure, Mean, Test
from backend.paper.figures import DRAWS, SWAPS
from backend.paper.run import NEAREST, RANDOM, Row
from backend.paper.saw import Saw
from backend.paper.systems import AUTHORS
from backend.reports.estimates import NOBODY, number
from backend.reports.page import Section, Table
from backend.reports.sheet import lettered
from backend.stats.interval import Interval

MARKS = {Saw.TRAINED: "t", Saw.SEEN: "s", Saw.UNSEEN: "u", Saw.UNKNOWN: "?"}
ALPHA = 0.05
NO_FAMILY = "of one's own"


def sections(found: Comparison, title: str) -> list[Section]:
    """The page: the table, then what is behind it."""
    tables = [_scores(found), *_differences(found), *_seeds(found), *_wordings(found), *_unparsed(found)]
    return [Section(title, tables=tuple(tables)), Section("Notes", text=tuple(notes(found)))]


def heading(row: Row) -> str:
    """What a system is called at the head of its column."""
    shown = "" if row.shots is None else f", {row.shots} shot{'s' * (row.shots != 1)}"
    return f"{row.system}{shown}{f', {NEAREST}' if row.examples == NEAREST else ''}"


def _scores(found: Comparison) -> Table:
    reasons = lettered(
        [one.missing for one in found.figures.values()]
        + [one.thin for one in found.figures.values()]
        + [one.missing for one in found.means.values()]
    )
    names = dict(found.references)
    marked = [f"{heading(row)} (reference)" if row in names.values() else heading(row) for row in found.rows]
    rows = [
        (name, n, *(_cell(found.figures[row, task], reasons) for row in found.rows)) for name, n, task in _tasks(found)
    ]
    rows += [
        (f"mean: {group}", f"{len(tasks)} tasks", *(_mean_cell(found.means[row, group], reasons) for row in found.rows))
        for group, tasks in found.groups.items()
    ]
    told = [f"({mark}) {reason}" for reason, mark in reasons.items()]
    return Table(("task", "n", *marked), tuple(rows), tuple(told), "Macro F1 in points")


def _tasks(found: Comparison) -> Iterator[tuple[str, str, str]]:
    """Tasks by family, in the order of the families' first: what a line is called, its n, the task."""
    families = dict.fromkeys(one.task.family for one in found.tasks)
    for family in families:
        for one in found.tasks:
            if one.task.family == family:
                where = f" ({family})" if family else ""
                yield f"{one.task.name}{where}", f"{len(one.items):,}", one.task.name


def _cell(figure: Figure, reasons: Mapping[str, str]) -> str:
    if figure.macro is None:
        return f"{NOBODY} ({reasons[figure.missing]})"
    thin = f" ({reasons[figure.thin]})" if figure.thin else ""
    return f"{_share(figure.macro)} {MARKS[figure.saw]}{_star(figure.test)}{thin}"


def _mean_cell(mean: Mean, reasons: Mapping[str, str]) -> str:
    if mean.macro is None:
        return f"{NOBODY} ({reasons[mean.missing]})"
    return f"{_share(mean.macro)}{_star(mean.test)}"


def _share(found: Interval) -> str:
    low, high = number(found.lower, "share"), number(found.upper, "share")
    return f"{number(found.value, 'share')} [{low}, {high}]"


def _star(test: Test | None) -> str:
    return " *" if test is not None and test.adjusted < ALPHA else ""


def _differences(found: Comparison) -> Iterator[Table]:
    """Each row that is tested, on each task and in the means."""
    tested = [row for row in found.rows if any(f.test for (r, _), f in found.figures.items() if r == row)]
    if not tested:
        return
    head = ("task", *(f"{heading(row)} - {heading(found.references[row])}" for row in tested))
    rows = [(name, *(_difference(found.figures[row, task].test) for row in tested)) for name, _, task in _tasks(found)]
    rows += [
        (f"mean: {group}", *(_difference(found.means[row, group].test) for row in tested)) for group in found.groups
    ]
    yield Table(head, tuple(rows), (), "Differences of macro F1 to the reference, in points")


def _difference(test: Test | None) -> str:
    if test is None:
        return NOBODY
    value, low, high = (number(getattr(test.difference, part), "difference") for part in ("value", "lower", "upper"))
    return f"{value} [{low}, {high}], p {_p(test.adjusted)}"


def _p(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)


def _seeds(found: Comparison) -> Iterator[Table]:
    """How far draws of examples differ, where there are several."""
    drawn = [row for row in found.rows if any(len(f.seeds) > 1 for (r, _), f in found.figures.items() if r == row)]
    if not drawn:
        return
    rows = []
    for name, _, task in _tasks(found):
        cells = [[seed.macro.value for seed in found.figures[row, task].seeds] for row in drawn]
        rows.append((name, *(_range(values) for values in cells)))
    for group in found.groups:
        spreads = [found.means[row, group].spread for row in drawn]
        rows.append((f"mean: {group}", *(NOBODY if x != x else f"SD {number(x, 'share')}" for x in spreads)))
    seeds = ", ".join(map(str, found.plan.seeds))
    yield Table(
        ("task", *map(heading, drawn)),
        tuple(rows),
        (),
        f"Lowest and highest macro F1 over the draws of examples (seeds {seeds}), in points",
    )


def _range(values: Sequence[float]) -> str:
    if not values:
        return NOBODY
    return f"{number(min(values), 'share')} to {number(max(values), 'share')}"


def _wordings(found: Comparison) -> Iterator[Table]:
    asked = [row for row in found.rows if any(f.sensitivity for (r, _), f in found.figures.items() if r == row)]
    if not asked:
        return
    rows, wordings = [], set()
    for name, _, task in _tasks(found):
        cells = []
        for row in asked:
            one = found.figures[row, task].sensitivity
            if one is None:
                cells.append(NOBODY)
                continue
            wordings.add(one.wordings)
            low, high, sd, changed = (number(x, "share") for x in (one.lowest, one.highest, one.deviation, one.changed))
            cells.append(f"{low} to {high}, SD {sd}, {changed} % of texts")
        rows.append((name, *cells))
    many = " or ".join(map(str, sorted(wordings)))
    note = "The last figure is the share of texts whose label is not the same under all wordings."
    yield Table(
        ("task", *map(heading, asked)),
        tuple(rows),
        (note,),
        f"Macro F1 under {many} wordings of the same instruction, in points",
    )


def _unparsed(found: Comparison) -> Iterator[Table]:
    if found.plan.decode != AUTHORS:
        return
    rows = []
    for name, _, task in _tasks(found):
        figures = [found.figures[row, task] for row in found.rows]
        rows.append((name, *(_lost(one) for one in figures)))
    yield Table(
        ("task", *map(heading, found.rows)),
        tuple(rows),
        (),
        "Answers that were none of the labels, which count as wrong",
    )


def _lost(figure: Figure) -> str:
    asked = figure.n * len(figure.seeds)
    if not asked:
        return NOBODY
    return f"{figure.unparsed:,} of {asked:,} ({number(figure.unparsed / asked, 'share')} %)"


def notes(found: Comparison) -> Iterator[str]:
    """What a reviewer asks, a sentence or two each."""
    plan, level = found.plan, f"{100 * found.level:g} %"
    yield (
        "Macro F1 is the mean of the F1 of the labels that occur in the truth or in the answers; each label counts the "
        "same. Errors of each label are in per_label.csv, accuracy in table.csv."
    )
    yield (
        f"In brackets: {level} percentile intervals of {DRAWS:,} bootstrap resamples of the texts of each task, whole "
        "groups of near-duplicates at a time (Efron & Tibshirani 1993). A mean is over the tasks, each counting the "
        "same; its interval is of the same resamples, with the tasks taken as given: it says nothing of other tasks."
    )
    if found.references:
        names = ", ".join(dict.fromkeys(heading(row) for row in found.references.values()))
        yield (
            f"Reference: {names}; a row is compared with the reference that is shown as many examples, if there is "
            f"one. p is two-sided, by approximate randomisation ({SWAPS:,} exchanges of the two systems' answers to a "
            "text; Noreen 1989, Yeh 2000), adjusted by Holm's method (1979) over the tasks of a column, and over its "
            f"means. *: adjusted p below {ALPHA:g}. Intervals of differences are not adjusted. The test asks "
            "whether it matters who of the two gave an answer: where they err on different labels altogether it is "
            "cautious, and p may be high although the interval leaves out 0."
        )
    yield (
        "t: the system learned from this task's training texts for this task; s: they were among the instructions that "
        "a general model was tuned on; u: it did not see them; ?: its makers do not say. For the released SOCIALITE "
        "weights this is what their authors state."
    )
    if any(row.shots is None for row in found.rows):
        yield "Systems without a number of shots are shown no examples."
    if any(row.shots for row in found.rows):
        yield _shown(found)
    if plan.decode == AUTHORS:
        yield (
            "Answers were written greedily and parsed as SOCIALITE-LLAMA's authors do; what is none of the labels "
            "counts as no label. Elsewhere the label with the highest log P(label and end token) is the answer."
        )
    if plan.paraphrases:
        yield "Wordings: the system's own and fixed paraphrases of it, with the first draw of examples."
    if plan.limit is not None:
        yield f"Of each task at most {plan.limit:,} texts of the {plan.split} split, drawn with seed {plan.seed}."
    yield from _data(found)
    yield "Published figures are not repeated here: every number was computed from answers to these texts."


def _shown(found: Comparison) -> str:
    plan = found.plan
    how = {
        RANDOM: "the same for all texts of a task, drawn at random with labels in turn; a figure is the mean over the "
        f"draws (seeds {', '.join(map(str, plan.seeds))}), and its interval is of the texts, not of the draws",
        NEAREST: "for each text those nearest to it by TF-IDF, the nearest last",
    }
    return (
        f"Shots are the number of examples shown in all: {how[plan.examples]}. They are training texts that are not in "
        f"the {plan.split} split, nor near-duplicates of any text of it."
    )


def _data(found: Comparison) -> Iterator[str]:
    for one in found.tasks:
        terms = (one.task.licence or "no terms are stated").rstrip(".")
        said = " ".join(one.task.remarks)
        yield f"{one.task.name}: {one.task.source}; {terms}.{f' {said}' if said else ''}"
    cut = sorted({figure.task for figure in found.figures.values() if figure.cut})
    if cut:
        yield f"Some texts were too long for a system and were read in part: {', '.join(cut)} ('cut' in table.csv)."
