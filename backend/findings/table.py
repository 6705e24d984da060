"""The table that conclusions are drawn from: a row a row of the corpus, never a text in it, and what its columns mean.

Design-based estimates (Egami, Hinck, Stewart and Wei 2023, "Using imperfect surrogates for downstream inference") need
for every row what the model says, for a random sample of known probability what people say, and that probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.corpus.long_table import BETWEEN, NONE
from backend.corpus.tables.cells import is_number
from backend.corpus.tables.names import Names
from backend.findings.corpus import ROLES, STREAMS, Ints, metadata
from backend.findings.facts import Facts
from backend.findings.sample import Frame, NoSampleError, frame, role
from labelstudio_config.codebook import Kind, Question

LONGEST_CELL = 100  # characters; a column with longer ones may be a text, and is left out
ENDINGS = ("_pred", "_gold", "_pi", "_r")
Column = list[str]


@dataclass(frozen=True, slots=True)
class Variable:
    """A column. `type`: text, number, or 0/1; `question` and `label` are ids of the codebook, or ''."""

    name: str
    type: str
    meaning: str
    question: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A quantity that is known for the sample and predicted for all: names of its columns.

    `binary`: it is 0 or 1, the share of a label; else steps of an ordinal scale.
    """

    question: str
    label: str
    stem: str
    pi: str
    sampled: str
    binary: bool

    @property
    def predicted(self) -> str:
        return f"{self.stem}_pred"

    @property
    def gold(self) -> str:
        return f"{self.stem}_gold"


@dataclass(frozen=True, slots=True)
class Covariate:
    """A column of the corpus itself. `levels`: different values that it has; `empty`: rows without one."""

    name: str
    numeric: bool
    levels: int
    empty: int


@dataclass(frozen=True, slots=True)
class AnalysisTable:
    """Columns of cells [variables][n], as they are written. `opened`: the model's labels of audit texts are in it.

    `samples`: question -> the random sample, or why there is none. `left_out`: names of the corpus' columns that are
    not in the table, because their cells may be texts.
    """

    variables: tuple[Variable, ...]
    columns: tuple[Column, ...]
    outcomes: tuple[Outcome, ...]
    covariates: tuple[Covariate, ...]
    samples: Mapping[str, Frame | str]
    opened: bool
    left_out: tuple[str, ...]
    n: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.variables)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The rows."""
        return zip(*self.columns, strict=True)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of the corpus: their names, the places [n] of their texts, and their other columns."""

    ids: list[str]
    places: Ints
    other: list[dict[str, object]]


def analysis_table(s: Session, facts: Facts) -> AnalysisTable:
    """The table of a project as it is now.

    People's labels are those of the sample alone, coded blind: the test's once it is opened, before that the gate's.
    Before the test is opened there is no label of the model for any audit text in it.
    """
    read = list(metadata(s, facts.project.id))
    rows = _Rows(
        [name for _, name, _ in read],
        facts.texts.at(np.array([text for text, _, _ in read], dtype=np.int64)),
        [other for _, _, other in read],
    )
    named, stems = Names(), Names(room=max(map(len, ENDINGS)))
    found = _about(facts, rows, named)
    covariates, left_out, columns = _covariates(rows, named)
    found += columns
    outcomes: list[Outcome] = []
    samples: dict[str, Frame | str] = {}
    for question in facts.book.questions:
        samples[question.id] = found_sample = _sample(facts, question.id)
        made, columns = _question(facts, question, found_sample, rows, stems)
        outcomes += made
        found += columns
    return AnalysisTable(
        variables=tuple(variable for variable, _ in found),
        columns=tuple(column for _, column in found),
        outcomes=tuple(outcomes),
        covariates=tuple(covariates),
        samples=samples,
        opened=facts.opened is not None,
        left_out=tuple(left_out),
        n=len(rows.ids),
    )


def _sample(facts: Facts, question: str) -> Frame | str:
    try:
        return frame(facts, question, role(facts))
    except NoSampleError as error:
        return str(error)


def chances(sample: Frame, texts: int) -> NDArray[np.float64]:
    """Of each of the project's texts to be in the sample: n / N clusters of the draw that placed it; 0 for others."""
    found = np.zeros(texts)
    share = np.bincount(sample.stratum, sample.drawn) / np.bincount(sample.stratum)
    found[sample.texts] = share[sample.stratum[sample.cluster]]
    return found


def sampling_units(facts: Facts) -> Ints:
    """The sampling unit [texts] of each text, 1 and up: its place in the draw, or its cluster where it has none."""
    texts = facts.texts
    place = np.where(texts.rank >= 0, texts.rank, texts.cluster)
    _, unit = np.unique(np.stack([texts.draw, place]), axis=1, return_inverse=True)
    return np.asarray(unit, dtype=np.int64).reshape(-1) + 1


def _about(facts: Facts, rows: _Rows, named: Names) -> list[tuple[Variable, Column]]:
    """Which row it is, and where its text is in the design."""
    at, texts = rows.places, facts.texts
    columns = (
        ("row", "number", "number of the row in this table", [str(n) for n in range(1, len(rows.ids) + 1)]),
        ("id", "text", "name of the row in the corpus", rows.ids),
        ("text", "number", "number of the text; rows with the same text have the same", _whole(texts.ids[at])),
        ("cluster", "number", "texts that belong together (near-duplicates, groups) have the same; drawn together",
         _whole(sampling_units(facts)[at])),
        ("draw", "number", "the random draw that placed the text; 0: none", _whole(texts.draw[at])),
        ("stream", "text", "audit: coded blind; control: random, coded with suggestions; work: coded in any order",
         [STREAMS[n] for n in texts.stream[at]]),
        ("role", "text", "of an audit text: gate (used in development) or test (kept for the end)",
         [ROLES[n] for n in texts.role[at]]),
    )  # fmt: skip
    return [(Variable(named.fresh(name), kind, meaning), cells) for name, kind, meaning, cells in columns]


def _covariates(rows: _Rows, named: Names) -> tuple[list[Covariate], list[str], list[tuple[Variable, Column]]]:
    """The corpus' other columns, those whose cells are too long to be anything but a text left out."""
    found, left_out, columns = [], [], []
    for key in dict.fromkeys(key for other in rows.other for key in other):
        cells = [_cell(other.get(key)) for other in rows.other]
        if any(len(cell) > LONGEST_CELL for cell in cells):
            left_out.append(key)
            continue
        given = {cell for cell in cells if cell}
        numeric = bool(given) and all(map(is_number, given))
        variable = Variable(named.fresh("x", key), "number" if numeric else "text", f"column '{key}' of the corpus")
        found.append(Covariate(variable.name, numeric, len(given), cells.count("")))
        columns.append((variable, cells))
    return found, left_out, columns


def _question(
    facts: Facts, question: Question, sample: Frame | str, rows: _Rows, stems: Names
) -> tuple[list[Outcome], list[tuple[Variable, Column]]]:
    """What is said of one question, whole and label by label."""
    stem, at = stems.fresh(question.id), rows.places
    part = role(facts)
    gold = {} if isinstance(sample, str) else sample.accepted
    pi = np.zeros(len(facts.texts.ids)) if isinstance(sample, str) else chances(sample, len(facts.texts.ids))
    by_text = [gold.get(text) for text in facts.texts.ids.tolist()]
    said, there = _marks(facts, question)
    codes = {label.id: label.code for label in question.labels}
    about = replace(Variable("", "", ""), question=question.id)
    people, model = "what people say, coded blind; only of the sample", "what the model says of the row's text"

    def column(name: str, kind: str, meaning: str, cells: Column, label: str = "") -> tuple[Variable, Column]:
        return replace(about, name=name, type=kind, meaning=meaning, label=label), [cells[n] for n in at]

    columns = [
        column(f"{stem}_pi", "number", f"chance that the text is in the {part} sample; 0: it could not be",
               [f"{p:.12g}" for p in pi]),
        column(f"{stem}_r", "0/1", f"1: the text is in the {part} sample, and people's label of it is known",
               ["1" if one else "0" for one in by_text]),
    ]  # fmt: skip
    if question.kind is Kind.NUMBER:
        cells = [f"{one.number:.12g}" if one and one.number is not None else "" for one in by_text]
        return [], [*columns, column(f"{stem}_gold", "number", people, cells)]

    def joined(labels: list[str]) -> str:
        return BETWEEN.join(codes[label] for label in labels) or NONE

    ids = question.label_ids
    told = [joined([ids[k] for k in np.flatnonzero(row)]) if yes else "" for row, yes in zip(said, there, strict=True)]
    agreed = [joined([i for i in ids if i in one.labels]) if one else "" for one in by_text]
    columns += [column(f"{stem}_pred", "text", model, told), column(f"{stem}_gold", "text", people, agreed)]
    outcomes = []

    def outcome(name: str, label: str, what: str, predicted: Column, known: Column) -> None:
        binary = bool(label)
        outcomes.append(Outcome(question.id, label, name, f"{stem}_pi", f"{stem}_r", binary))
        kind = "0/1" if binary else "number"
        columns.append(column(f"{name}_pred", kind, f"{what}: {model}", predicted, label))
        columns.append(column(f"{name}_gold", kind, f"{what}: {people}", known, label))

    if question.kind is Kind.ORDINAL:
        place = {label: str(n) for n, label in enumerate(ids, 1)}
        steps = [str(row.argmax() + 1) if yes else "" for row, yes in zip(said, there, strict=True)]
        known = [place[min(one.labels)] if one else "" for one in by_text]
        outcome(stems.fresh(question.id, "step"), "", f"place of the label from 1 to {len(ids)}", steps, known)
    for k, label in enumerate(ids):
        predicted = [str(int(mark)) if yes else "" for mark, yes in zip(said[:, k], there, strict=True)]
        known = [str(int(label in one.labels)) if one else "" for one in by_text]
        outcome(stems.fresh(question.id, label), label, f"1 if the label is '{codes[label]}'", predicted, known)
    return outcomes, columns


def _marks(facts: Facts, question: Question) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which labels [texts, K] the model gives, and of which texts [texts] it may be said."""
    marks = np.zeros((len(facts.texts.ids), len(question.labels)), dtype=np.bool_)
    scores = facts.scores.get(question.id)
    if scores is None:
        return marks, np.zeros(len(marks), dtype=np.bool_)
    there, places = scores.at(facts.texts.ids)
    marks[there] = scores.marks[places]
    blind = facts.texts.stream == STREAMS.index("audit")
    return marks, there if facts.opened else there & ~blind


def _whole(numbers: NDArray[Any]) -> Column:
    return [str(n) for n in numbers.tolist()]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)
