"""A codebook as a table: a row for each label, and further rows for further examples.

    question  label     definition           include   exclude   example          code
    mood      positive  Speaks well of it.   relief    irony     What a day!      pos
              negative  Speaks ill of it.                        It rained.       neg

A cell of `question` may be left empty below its first row, as may `label` in a row that has only an example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from labelstudio_config import rules
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Provenance, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import fresh_id, slug

NEEDED = ("question", "label")
OF_LABEL = ("definition", "include", "exclude", "code", "wording", "order")
OF_QUESTION = ("kind", "question_wording", "instruction", "field", "required", "minimum", "maximum", "step", "control")
COLUMNS = ("question", "label", "definition", "include", "exclude", "example", "code")  # written, even where empty
SYNONYMS = {
    "question": "variable, item, question name",
    "label": "category, answer, value",
    "definition": "description, meaning",
    "include": "inclusion, includes, inclusion criteria, inclusion criterion, inclusion rule, inclusion rules",
    "exclude": "exclusion, excludes, exclusion criteria, exclusion criterion, exclusion rule, exclusion rules",
    "example": "examples, anchor example, anchor examples, typical example, typical examples",
    "code": "stored code, alias",
    "wording": "label wording, shown as",
    "order": "rank, position",
    "kind": "type, question kind, question type, level, level of measurement",
    "question_wording": "question text, wording of the question",
    "instruction": "instructions, coding instruction, coding instructions",
    "field": "fields, text field, text fields",
    "required": "mandatory",
    "minimum": "min, lowest",
    "maximum": "max, highest",
    "step": "",
    "control": "",
}
_MEANT = {name: name for name in SYNONYMS} | {
    word.strip(): name for name, words in SYNONYMS.items() for word in words.split(",") if word.strip()
}
_TRUTH = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}
_CONTROL = {Kind.NUMBER: Control.NUMBER}  # the others are Choices
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was read. `columns`: what it speaks of; `remarks`: what a person should know of how it was read."""

    codebook: Codebook
    columns: frozenset[str]
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _Part:
    """A question or a label in the making: its name, the line it begins in, its cells, and the line of each."""

    name: str
    line: int
    cells: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    labels: list[_Part] = field(default_factory=list)


def read(
    headings: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], *, source: str, key: str, title: str = ""
) -> Sheet:
    """The codebook of a table; `rows` come with their lines. CodebookError names source, line, column and cure."""
    places, remarks = _places(headings, source)
    reader = _Reader(source, places)
    for line, cells in rows:
        reader.take(line, cells)
    texts: dict[str, Field] = {}
    questions: list[Question] = []
    for part in reader.questions:
        questions.append(reader.question(part, texts, {q.id for q in questions}))
    if not questions:
        raise CodebookError(f"{source} has no rows: give each label a row, with its question.")
    try:
        book = Codebook(key=key, title=title, questions=tuple(questions))
    except CodebookError as error:
        raise CodebookError(f"{source}: {error}") from None
    return Sheet(book, frozenset(places), tuple(remarks))


def write(codebook: Codebook) -> tuple[tuple[str, ...], list[list[str]]]:
    """Headings and rows of a codebook; `read` gives them again, as far as a table can say it (see `unsaid`)."""
    found = [row for question in codebook.questions for row in _rows(codebook, question)]
    headings = (*COLUMNS, *(name for name in OF_QUESTION if any(row.get(name) for row in found)))
    return headings, [[row.get(name, "") for name in headings] for row in found]


def unsaid(codebook: Codebook) -> list[str]:
    """What a table cannot say of the codebook, each in a few words; a project that reads the table keeps it."""
    plain = [f for f in codebook.fields if f.title or f.markup or f.column != f.name]
    said = [f"columns, titles or markup of {len(plain)} texts"] if plain else []
    targets = [q for q in codebook.questions if q.target]
    said += [f"the text that {len(targets)} questions are attached to"] if targets else []
    said += ["notes"] if codebook.notes else []
    said += ["verbalisers"] if any(q.verbalisers for q in codebook.questions) else []
    blank = Provenance()
    given = [p for p in (codebook.provenance, *(q.provenance for q in codebook.questions)) if p != blank]
    said += ["where it comes from"] if given else []
    lined = sum(x != one_line(x) for q in codebook.questions for label in q.labels for x in label.examples)
    return said + ([f"line breaks of {lined} examples"] if lined else [])


def one_line(text: str) -> str:
    """The text as an example is written."""
    return " ".join(text.split())


def _places(headings: Sequence[str], source: str) -> tuple[dict[str, int], list[str]]:
    """Column -> place, and a remark on those that are not used."""
    places: dict[str, int] = {}
    unused = []
    for place, heading in enumerate(headings):
        name = _MEANT.get(_plain(heading)) or _MEANT.get(_plain(heading).replace(" ", "_"))
        if name is None:
            unused += [heading] if heading.strip() else []
        elif name in places:
            raise CodebookError(
                f"{source}, line 1: the columns '{headings[places[name]]}' and '{heading}' both mean '{name}': "
                "take one of them out, or call it something else."
            )
        else:
            places[name] = place
    for name in NEEDED:
        if name not in places:
            raise CodebookError(
                f"{source}, line 1: there is no column '{name}' (or {SYNONYMS[name]}). The columns are: "
                f"{', '.join(headings)}. Give each row its question and its label."
            )
    return places, [f"Not used of {source}: the columns {', '.join(unused)}."] if unused else []


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[_\W]+", " ", heading.casefold()).split())


class _Reader:
    """Rows in, questions with their labels out."""

    def __init__(self, source: str, places: dict[str, int]) -> None:
        self.source, self.places = source, places
        self.questions: list[_Part] = []
        self.now: _Part | None = None  # the question of the row above

    def take(self, line: int, cells: Sequence[str]) -> None:
        """A row; an empty one is passed over."""
        row = {name: cells[place].strip() for name, place in self.places.items()}
        if not any(row.values()):
            return
        question = self._question_of(line, row)
        label = self._label_of(line, row, question)
        for name in (*OF_QUESTION, *OF_LABEL, "example"):
            value = row.get(name, "")
            owner = question if name in OF_QUESTION else label
            if value and owner is None:
                raise self.wrong(line, name, f"'{_short(value)}' belongs to a label, and the row has none", "name one")
            if value and owner is not None and name == "example":
                owner.examples += [one_line(x) for x in value.splitlines() if x.strip()]
            elif value and owner is not None:
                self._keep(owner, line, name, value)

    def _question_of(self, line: int, row: dict[str, str]) -> _Part:
        name = row["question"]
        if name:
            self.now = next((q for q in self.questions if q.name == name), None)
            if self.now is None:
                self.now = _Part(name, line)
                self.questions.append(self.now)
        if self.now is None:
            raise self.wrong(line, "question", "the first row has no question", "name it")
        return self.now

    def _label_of(self, line: int, row: dict[str, str], question: _Part) -> _Part | None:
        name = row["label"] or row.get("wording", "") or row.get("code", "")
        if not name:
            fresh = bool(row["question"]) and question.line == line
            return None if fresh or not question.labels else question.labels[-1]
        known = next((x for x in question.labels if x.name == name), None)
        if known is None:
            known = _Part(name, line)
            question.labels.append(known)
        return known

    def _keep(self, owner: _Part, line: int, name: str, value: str) -> None:
        before = owner.cells.setdefault(name, value)
        first = owner.lines.setdefault(name, line)
        if before != value:
            cure = "make both the same, or leave one of them empty"
            said = f"'{_short(value)}' is given for '{owner.name}', and line {first} says '{_short(before)}'"
            raise self.wrong(line, name, said, cure)

    def question(self, part: _Part, texts: dict[str, Field], taken: set[str]) -> Question:
        """The question that its rows make."""
        kind = self._choice(part, "kind", Kind, Kind.SINGLE)
        name, wording = part.name, part.cells.get("question_wording", "") or part.name
        try:
            rules.check_name("the question", name)
        except CodebookError:
            name = slug(name)  # a sentence that Label Studio cannot take for a name
        try:
            return Question(
                id=fresh_id(name, taken),
                name=name,
                kind=kind,
                control=self._choice(part, "control", Control, _CONTROL.get(kind, Control.CHOICES)),
                fields=self._fields(part, texts),
                labels=self._labels(part),
                wording=wording,
                instruction=part.cells.get("instruction", ""),
                required=self._truth(part, "required"),
                minimum=self._number(part, "minimum"),
                maximum=self._number(part, "maximum"),
                step=self._number(part, "step"),
            )
        except _PlacedError:
            raise
        except CodebookError as error:
            raise _PlacedError(f"{self.source}, line {part.line}: {error}") from None

    def _labels(self, part: _Part) -> tuple[Label, ...]:
        taken: set[str] = set()
        made: list[tuple[float, Label]] = []
        for one in part.labels:
            code = one.cells.get("code", "") or one.name
            cells = {name: one.cells.get(name, "") for name in ("definition", "include", "exclude")}
            label = Label(
                fresh_id(code, taken),
                code,
                one.cells.get("wording", "") or one.name,
                examples=tuple(one.examples),
                **cells,
            )
            taken.add(label.id)
            order = self._number(one, "order")
            made.append((float(len(made)) if order is None else order, label))
        ordered = sum("order" in one.cells for one in part.labels)
        if ordered not in (0, len(part.labels)):
            lacking = next(one for one in part.labels if "order" not in one.cells)
            raise self.wrong(
                lacking.line, "order", f"'{lacking.name}' has none, and other labels do", "number them all"
            )
        return tuple(label for _, label in sorted(made, key=lambda each: each[0]))

    def _fields(self, part: _Part, texts: dict[str, Field]) -> tuple[Field, ...]:
        names = [name.strip() for name in part.cells.get("field", "text").split(",") if name.strip()]
        return tuple(texts.setdefault(name, Field(name, name)) for name in names)

    def _choice(self, part: _Part, name: str, of: type[E], default: E) -> E:
        given = part.cells.get(name, "")
        found = {one.value.casefold(): one for one in of}.get(given.casefold()) if given else default
        if found is None:
            raise self.wrong(part.lines[name], name, f"'{_short(given)}' is not known", f"take one of {', '.join(of)}")
        return found

    def _truth(self, part: _Part, name: str) -> bool:
        given = part.cells.get(name, "")
        if given.casefold() not in _TRUTH:
            raise self.wrong(part.lines[name], name, f"'{_short(given)}' is neither yes nor no", "write yes or no")
        return _TRUTH[given.casefold()]

    def _number(self, part: _Part, name: str) -> float | None:
        given = part.cells.get(name, "")
        try:
            return float(given.replace(",", ".")) if given else None
        except ValueError:
            raise self.wrong(part.lines[name], name, f"'{_short(given)}' is no number", "write one") from None

    def wrong(self, line: int, column: str, what: str, cure: str) -> CodebookError:
        return _PlacedError(f"{self.source}, line {line}, column '{column}': {what}. {cure[0].upper()}{cure[1:]}.")


class _PlacedError(CodebookError):
    """An error that says where it is."""


def _rows(codebook: Codebook, question: Question) -> Iterator[dict[str, str]]:
    """The rows of a question; the first one says what belongs to the question."""
    numbers = {name: getattr(question, name) for name in ("minimum", "maximum", "step")}
    names = [f.name for f in question.fields]
    head = {
        "question": question.name,
        "kind": question.kind.value if question.kind is not Kind.SINGLE else "",
        "question_wording": question.wording if question.wording != question.name else "",
        "instruction": codebook.standalone(question).instruction,
        "field": ", ".join(names) if names != ["text"] else "",
        "required": "yes" if question.required else "",
        "control": "" if question.control is _CONTROL.get(question.kind, Control.CHOICES) else question.control.value,
        **{name: "" if number is None else _written(number) for name, number in numbers.items()},
    }
    if not question.labels:
        yield head
    for n, label in enumerate(question.labels):
        said = {"definition": label.definition, "include": label.include, "exclude": label.exclude}
        examples = "\n".join(filter(None, map(one_line, label.examples)))
        row = {"label": label.wording, "code": label.code, "example": examples, **said}
        yield {**(head if n == 0 else {}), **row}


def _written(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
