"""A table in, the same table with labels out; one chunk of rows in memory at a time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from backend.assist.asked import Asked, Values, asked
from backend.assist.order import POLICY, margin
from backend.assist.scoring import EMPTY, Outcome, score
from backend.corpus.intake import text_columns
from backend.corpus.long_table import BETWEEN
from backend.corpus.tables.cells import Cell
from backend.corpus.tables.table import Table, TableError
from backend.corpus.tables.writing import Column, Kind, new_table
from backend.engines.protocol import FAMILY, Engine, Family, Item, expected
from db.releases import release_name
from labelstudio_config.codebook import Codebook, Question

CHUNK = 256  # rows: enough for an engine to sort by length, few enough for a bar that moves
LONGEST = 32  # characters of a variable's name in Stata
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
Report = Callable[[int, int], None]  # rows done, rows in all
Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Coding:
    """A codebook as it is put to a table: where its texts stand in a row, which questions are answered, by which
    release.
    """

    cells: tuple[int, ...]
    questions: tuple[Asked, ...]
    release: str


@dataclass(slots=True)
class Summary:
    """What was done, for a person."""

    columns: tuple[str, ...] = ()
    rows: int = 0
    empty: int = 0  # rows without a label, because a text is missing
    cut: int = 0  # rows of which a question could not read all
    problems: Counter[str] = field(default_factory=Counter)  # sentence -> rows without a label for another reason
    warnings: Counter[str] = field(default_factory=Counter)  # sentence -> rows whose labels deserve less trust
    remarks: list[str] = field(default_factory=list)  # of the file that was written


def codings(
    engine: Engine, codebooks: Sequence[Codebook], table: Table, text: str | None, pair: str | None
) -> tuple[list[Coding], list[str]]:
    """The codebooks put to the table, and a sentence for each question that is left out. TableError when a column is
    missing.
    """
    made, left_out = [], []
    for book in codebooks:
        cells = text_columns(book, table, text, pair)
        questions = asked(engine, book, {q.id: i for i, q in enumerate(book.questions)})
        answered = {one.question.id for one in questions}
        left_out += [f"Left out: {_why(engine, q)}" for q in book.questions if q.id not in answered]
        made.append(Coding(cells, questions, _release(engine, book)))
    if not any(coding.questions for coding in made):
        raise TableError(" ".join(["None of the questions can be answered.", *left_out]))
    return made, left_out


def sample(table: Table, made: Sequence[Coding], rows: int = 100) -> list[tuple[Question, list[Item]]]:
    """Every question that is answered, with the texts of the table's first rows that have some."""
    some = list(islice(table.rows(), rows))
    found = []
    for coding in made:
        fields = [tuple(row[i] for i in coding.cells) for row in some]
        for one in coding.questions:
            items = (one.item(texts) for texts in fields)
            found.append((one.question, [item for item in items if item is not None]))
    return found


def predict(
    table: Table,
    made: Sequence[Coding],
    engine: Engine,
    output: Path,
    *,
    limit: int | None = None,
    overwrite: bool = False,
    report: Report = lambda done, total: None,
) -> Summary:
    """Write the table with its labels; nothing has the output's name before all of it is there."""
    total = min(table.n, limit or table.n)
    new = new_columns(table, made)
    summary = Summary(columns=tuple(one.name for one in new))
    report(0, total)
    with new_table(output, [*table.columns, *new], overwrite=overwrite) as writer:
        rows = islice(table.rows(), limit)
        while chunk := list(islice(rows, CHUNK)):
            texts = [[tuple(row[i] for i in coding.cells) for row in chunk] for coding in made]
            outcomes = [score(engine, coding.questions, some) for coding, some in zip(made, texts, strict=True)]
            for row, *per_coding in zip(chunk, *outcomes, strict=True):
                writer.writerow([*row, *_new_cells(made, per_coding)])
            _count(summary, zip(*outcomes, strict=True))
            there = [fields for fields in texts[0] if all(text.strip() for text in fields)]
            summary.warnings.update(warning for warning in engine.warnings(there) if warning)
            report(summary.rows, total)
    summary.remarks = writer.remarks
    return summary


def _count(summary: Summary, rows: Iterable[tuple[Outcome, ...]]) -> None:
    for row in rows:
        problems = {outcome.problem for outcome in row}
        summary.rows += 1
        summary.empty += EMPTY in problems
        summary.problems.update(problems - {"", EMPTY})
        summary.cut += any(cut for outcome in row for _, cut in outcome.scores.values())


def _new_cells(made: Sequence[Coding], outcomes: Sequence[Outcome]) -> Iterator[Cell]:
    for coding, outcome in zip(made, outcomes, strict=True):
        for one in coding.questions:
            yield from _cells(one, outcome, coding.release)


def _cells(one: Asked, outcome: Outcome, release: str) -> list[Cell]:
    """One question's cells of one row: none where it has no scores."""
    if one.question_id not in outcome.scores:
        return [None] * len(_columns(one.question))
    log_p, cut = outcome.scores[one.question_id]
    p = [min(1.0, math.exp(x)) for x in log_p]
    mean = [float(expected(log_p))] if one.family is Family.ORDINAL else []
    shown = [float(f"{x:.6g}") for x in (*p, *mean, margin(log_p, one.family))]
    return [_label(one, log_p), *shown, cut, release]


def _label(one: Asked, log_p: Values) -> str:
    labels = one.question.labels
    if one.family is Family.BERNOULLI:
        return BETWEEN.join(label.code for label, x in zip(labels, log_p, strict=True) if math.exp(x) >= 0.5)
    return labels[int(log_p.argmax())].code


def _columns(question: Question) -> list[Column]:
    """The columns of a question, without a prefix; labels by their ids, as R and Stata can name a variable."""
    mean = Column(_mean(question), Kind.NUMBER, f"expected step of '{question.name}', counted from 1")
    return [
        Column("label", Kind.TEXT, f"label of '{question.name}' by the model; several are separated by {BETWEEN}"),
        *(Column(f"p_{label.id}", Kind.NUMBER, f"probability of '{label.code}'") for label in question.labels),
        *([mean] if FAMILY.get(question.kind) is Family.ORDINAL else []),
        Column("margin", Kind.NUMBER, "how sure the model is: 0 undecided, 1 sure"),
        Column("tokens_cut", Kind.INTEGER, "tokens of a long text that the model did not read"),
        Column("release", Kind.TEXT, "what made the label: engine, model, wording"),
    ]


def _mean(question: Question) -> str:
    """The column of an ordinal question's expected value; it names the question already."""
    return f"expected_{question.id}"


def new_columns(table: Table, made: Sequence[Coding]) -> tuple[Column, ...]:
    """The new columns: named behind the question's id where there are several, or the table has that name."""
    questions = [one.question for coding in made for one in coding.questions]
    alone = len(questions) == 1 and not {one.name for one in _columns(questions[0])} & set(table.columns)
    taken = set(table.columns)
    columns: list[Column] = []
    for question in questions:
        for one in _columns(question):
            name = one.name if alone or one.name == _mean(question) else f"{question.id}_{one.name}"
            columns.append(replace(one, name=_fresh(name, taken)))
            taken.add(columns[-1].name)
    return tuple(columns)


def _fresh(name: str, taken: set[str]) -> str:
    """The name as statistics programs allow one (letters, digits, '_', at most 32), and unlike those taken."""
    plain = _NOT_A_NAME.sub("_", name)
    candidate, number = plain[:LONGEST], 2
    while candidate in taken:
        ending = f"_{number}"
        candidate, number = plain[: LONGEST - len(ending)] + ending, number + 1
    return candidate


def _why(engine: Engine, question: Question) -> str:
    return engine.why_not(question) or f"The question '{question.name}' has no labels to score."


def _release(engine: Engine, book: Codebook) -> str:
    identity = engine.identity
    return release_name(
        engine=identity.engine,
        base_digest=identity.digest,
        adapter_digest="",
        prompt_hash=identity.prompt,
        scoring_hash=book.scoring_hash,
        dtype=identity.dtype,
        method=identity.method,
        content_hash=book.content_hash,
        order_policy=POLICY,
    )
