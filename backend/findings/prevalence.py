"""How often each label occurs in the corpus: by the model alone, by people alone, and corrected by both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.findings.facts import Facts, FindingsError
from backend.findings.report import Cell, Column, Section, Table, Unit
from backend.findings.sample import Frame, NoSampleError, Role, frame, role
from backend.findings.weighed import Weighed, weighed
from backend.stats.f1 import Array
from labelstudio_config.codebook import Kind, Question

TITLE = "How often each label occurs in the corpus"
VALUES = 30  # of a metadata column, at most
EMPTY = "(empty)"
Row = tuple[int, str, Mapping[str, object]]

_TEXT = (
    "The corpus is what was drawn from: every row counts, so that a text which occurs three times counts three times. "
    "'Model alone' counts the labels that the current release suggests. Its errors do not cancel out, and its interval "
    "does not know of them: it is printed because it is what is often published, and should not be. 'People alone' is "
    "what the accepted labels of the random audit sample say.",
    "'Corrected' is the model's count plus what people and the model differ by in the sample (prediction-powered "
    "inference: Angelopoulos, Duchi & Zrnic 2023; for a share the same as design-based supervised learning: Egami et "
    "al. 2023). It is as trustworthy as the sample, and narrower the better the model is. How much the model counts, "
    "from 0 to 1, is chosen so that the interval is narrowest; at 0 the corrected share is the people's.",
    "The model's label is what counts, not its probability: it is what a coder sees and a table exports, and a "
    "calibration does not change it.",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with what can be estimated: values [T, K] of a frame's texts under `names`."""

    question: Question
    frame: Frame
    names: tuple[str, ...]
    human: Array
    model: Array | str


def section(facts: Facts, rows: Iterable[Row] = (), by: Sequence[str] = ()) -> Section:
    """`rows`: the corpus's rows with their other columns (`corpus.metadata`), needed where `by` names some of them.

    FindingsError where a column of `by` is in no row.
    """
    part = role(facts)
    groups = _groups(facts, rows, by) if by else {}
    tables: list[Table] = []
    refused: dict[str, list[str]] = {}
    for question in facts.book.questions:
        try:
            sample = frame(facts, question.id, part)
        except NoSampleError as error:
            refused.setdefault(str(error), []).append(question.id)
            continue
        asked = [_shares(facts, question, sample)] if question.labels else []
        if question.kind in (Kind.ORDINAL, Kind.NUMBER):
            asked.append(_mean(facts, question, sample))
        for one in asked:
            tables.append(_overall(facts, one, part))
            tables += [_by(facts, one, part, name, groups[name]) for name in by]
    told = [f"{', '.join(names)}: {why}" for why, names in refused.items()]
    if not tables:
        return Section("prevalence", TITLE, missing=" ".join(refused) or "The codebook has no questions.")
    return Section("prevalence", TITLE, (*_TEXT, *told), tuple(tables))


def _shares(facts: Facts, question: Question, sample: Frame) -> _Asked:
    ids = facts.texts.ids[sample.texts]
    human = np.zeros((len(ids), len(question.labels)))
    for place in np.flatnonzero(sample.coded):
        given = sample.accepted[int(ids[place])].labels
        human[place] = [label in given for label in question.label_ids]
    marks = _marks(facts, question, sample)
    model = marks if isinstance(marks, str) else marks.astype(np.float64)
    return _Asked(question, sample, tuple(label.code for label in question.labels), human, model)


def _mean(facts: Facts, question: Question, sample: Frame) -> _Asked:
    """The mean place of an ordered label, counted from 1, or of a number."""
    ids = facts.texts.ids[sample.texts]
    human = np.zeros((len(ids), 1))
    place_of = {label: n for n, label in enumerate(question.label_ids, 1)}
    for place in np.flatnonzero(sample.coded):
        one = sample.accepted[int(ids[place])]
        human[place] = one.number if one.number is not None else place_of[min(one.labels)]
    if question.kind is Kind.NUMBER:
        return _Asked(
            question, sample, ("mean",), human, "the model suggests no numbers: people's mean is the estimate"
        )
    marks = _marks(facts, question, sample)
    model = marks if isinstance(marks, str) else 1.0 + marks.argmax(axis=1)[:, None]
    return _Asked(question, sample, ("mean",), human, model)


def _marks(facts: Facts, question: Question, sample: Frame) -> NDArray[np.bool_] | str:
    """What the current release suggests [T, K]; or why that is not known of every text that has rows."""
    if facts.release is None:
        return "there is no release yet: run `socialite push`"
    needed = facts.texts.rows[sample.texts] > 0
    found = facts.scores.get(question.id)
    total = int(needed.sum())
    if found is None:
        return f"0 of {total:,} texts are scored: run `socialite push`"
    there, places = found.at(facts.texts.ids[sample.texts])
    lacking = int((needed & ~there).sum())
    if lacking:
        return f"{total - lacking:,} of {total:,} texts are scored: run `socialite push`"
    marks = np.zeros((len(needed), len(question.labels)), dtype=np.bool_)
    marks[there] = found.marks[places]
    return marks


def _estimates(one: _Asked, rows: NDArray[np.int64]) -> Weighed:
    share = one.names != ("mean",)
    return weighed(one.frame, rows.astype(np.float64), one.human, one.model, share=share)


def _overall(facts: Facts, one: _Asked, part: Role) -> Table:
    found = _estimates(one, facts.texts.rows[one.frame.texts])
    shares = one.names != ("mean",)
    return Table(
        key="prevalence" if shares else "prevalence-mean",
        title="Share of each label" if shares else _mean_title(one.question),
        question=one.question.id,
        head="label" if shares else "",
        rows=one.names,
        columns=(*_columns(shares), Column("how much the model counts", "number")),
        cells=tuple((*figures, weight) for figures, weight in zip(_cells(found), found.weight, strict=True)),
        origin=_origin(one, part),
        notes=_notes(facts, one, part, found.rows),
        drawn="intervals",
    )


def _by(facts: Facts, one: _Asked, part: Role, name: str, groups: Mapping[str, Sequence[int]]) -> Table:
    shares = one.names != ("mean",)
    shown = sorted(groups, key=lambda value: (-len(groups[value]), value))[:VALUES]
    rows: list[str] = []
    cells: list[tuple[Cell, ...]] = []
    for value in shown:
        mine = np.bincount(groups[value], minlength=len(facts.texts.ids))
        found = _estimates(one, mine[one.frame.texts])
        for label, figures in zip(one.names, _cells(found), strict=True):
            rows.append(f"{value} · {label}" if shares else value)
            cells.append((found.rows, *figures))
    rest = sum(len(groups[value]) for value in groups.keys() - set(shown))
    left = f"{len(groups) - len(shown):,} rarer values with {rest:,} rows are left out." if rest else ""
    return Table(
        key=f"{'prevalence' if shares else 'prevalence-mean'}-by-{_slug(name)}",
        title=f"{'Share of each label' if shares else _mean_title(one.question)} by {name}",
        question=one.question.id,
        head=f"{name} · label" if shares else name,
        rows=tuple(rows),
        columns=(Column("rows", "count"), *_columns(shares)),
        cells=tuple(cells),
        origin=_origin(one, part),
        notes=(left,) if left else (),
    )


def _columns(shares: bool) -> tuple[Column, ...]:
    unit: Unit = "share" if shares else "number"
    return tuple(Column(name, unit) for name in ("model alone", "people alone", "corrected"))


def _cells(found: Weighed) -> list[tuple[Cell, ...]]:
    return list(zip(found.naive, found.human, found.corrected, strict=True))


def _mean_title(question: Question) -> str:
    return "Mean" if question.kind is Kind.NUMBER else f"Mean place among the {len(question.labels)} ordered labels"


def _origin(one: _Asked, part: Role) -> str:
    n = int(one.frame.coded.sum())
    return f"{n:,} {part} texts drawn at random and coded blind; the current release on the whole corpus"


def _notes(facts: Facts, one: _Asked, part: Role, rows: int) -> tuple[str, ...]:
    sample, notes = one.frame, [f"The estimates are about {rows:,} rows of the corpus."]
    if sample.outside:
        notes.append(
            f"{sample.outside:,} rows are not among them: their texts were seen with a suggestion before they could be "
            "drawn, or came after the draws that the sample is from."
        )
    if sample.missing:
        notes.append(
            f"{sample.missing:,} texts of the sample have no accepted value and are left out: see nonresponse for why, "
            "and for what they could change."
        )
    if part == "gate" and facts.release is not None and not isinstance(one.model, str):
        notes.append(
            "The gate labels also decided which release is used, so the corrected figures may be a little too good; "
            "labels of the test have no such part in it, once it is opened."
        )
    return tuple(notes)


def _groups(facts: Facts, rows: Iterable[Row], by: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Column -> value -> the place in `Facts.texts` of each row's text. FindingsError."""
    place = {text: n for n, text in enumerate(facts.texts.ids.tolist())}
    texts: dict[str, dict[str, list[int]]] = {name: {} for name in by}
    seen: set[str] = set()
    for text, _, other in rows:
        seen |= other.keys()
        for name in by:
            value = other.get(name)
            texts[name].setdefault(EMPTY if value is None or value == "" else str(value), []).append(place[text])
    unknown = [name for name in by if name not in seen]
    if unknown:
        raise FindingsError(
            f"No row of the corpus has a column '{unknown[0]}'. The columns are: {', '.join(sorted(seen)) or 'none'}."
        )
    return texts


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "column"
