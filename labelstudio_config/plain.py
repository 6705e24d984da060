"""A codebook as plain lists, mappings and values, as YAML holds them; what does not fit is told with place and cure."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields as parts
from enum import StrEnum
from typing import Any, TypeVar

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Provenance, Question
from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import slug

Plain = dict[str, Any]
E = TypeVar("E", bound=StrEnum)
_DEFAULT_CONTROL = {Kind.NUMBER: Control.NUMBER}  # the others are Choices


def as_plain(codebook: Codebook) -> Plain:
    """The codebook without what is empty."""
    return _without_empty(
        {
            "key": codebook.key,
            "title": codebook.title,
            "instruction": codebook.instruction,
            "fields": [_shallow(f) for f in codebook.fields],
            "questions": [_question_as_plain(q) for q in codebook.questions],
            "notes": [_shallow(note) for note in codebook.notes],
            "provenance": _shallow(codebook.provenance),
        }
    )


def from_plain(value: object) -> Codebook:
    """The codebook that the value describes; CodebookError names the place, what is wrong there and what to do."""
    book = _Mapping(value, "", ("key", "title", "instruction", "fields", "questions", "notes", "provenance"))
    texts = tuple(_field(x) for x in book.mappings("fields", _keys(Field))) or (Field("text", "text"),)
    return Codebook(
        key=book.text("key", required=True),
        title=book.text("title"),
        questions=tuple(_question(x, texts) for x in book.mappings("questions", _keys(Question))),
        instruction=book.text("instruction"),
        notes=tuple(
            Note(x.text("name", required=True), x.text("target") or texts[0].name, x.text("wording"))
            for x in book.mappings("notes", _keys(Note))
        ),
        provenance=_provenance(book),
    )


class _Mapping:
    """A mapping at a place of the file, from which values of a wanted type are taken."""

    def __init__(self, value: object, place: str, known: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            raise CodebookError(f"{place or 'the file'} must hold keys with values, such as {known[0]}: ...")
        self.value, self.place = value, place
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                meant = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}."
                raise CodebookError(f"the key '{self.at(key)}' is not known; {meant}")

    def at(self, key: object) -> str:
        return f"{self.place}.{key}" if self.place else str(key)

    def _get(self, key: str, wanted: str, fits: Callable[[object], bool], default: Any) -> Any:
        found = self.value.get(key)
        if found is None:
            return default
        if not fits(found):
            raise CodebookError(f"'{self.at(key)}' must be {wanted}.")
        return found

    def text(self, key: str, *, required: bool = False) -> str:
        cure = "a text; put it in quotes"
        found = self._get(key, cure, lambda x: isinstance(x, str), "")
        if required and not found:
            raise CodebookError(f"'{self.at(key)}' is missing: give it.")
        return str(found)

    def texts(self, key: str) -> tuple[str, ...]:
        cure = (
            "a list of texts, each on a line of its own after '- ' (in quotes where it reads as a number or yes or no)"
        )
        return tuple(self._get(key, cure, lambda x: isinstance(x, list) and all(isinstance(t, str) for t in x), []))

    def truth(self, key: str) -> bool:
        return bool(self._get(key, "true or false", lambda x: isinstance(x, bool), False))

    def number(self, key: str) -> float | None:
        found = self._get(key, "a number", lambda x: isinstance(x, int | float) and not isinstance(x, bool), None)
        return None if found is None else float(found)

    def choice(self, key: str, of: type[E], default: E | None = None) -> E:
        given = self.text(key, required=default is None)
        try:
            return of(given) if given or default is None else default
        except ValueError:
            raise CodebookError(f"'{self.at(key)}' is '{given}': it must be one of {', '.join(of)}.") from None

    def mapping(self, key: str, known: tuple[str, ...]) -> _Mapping:
        return _Mapping(self.value.get(key) or {}, self.at(key), known)

    def mappings(self, key: str, known: tuple[str, ...]) -> list[_Mapping]:
        found = self._get(key, "a list, each entry beginning with '- '", lambda x: isinstance(x, list), [])
        return [_Mapping(x, f"{self.at(key)}[{n}]", known) for n, x in enumerate(found)]


def _question(x: _Mapping, texts: tuple[Field, ...]) -> Question:
    name = x.text("name") or x.text("id", required=True)
    kind = x.choice("kind", Kind)
    return Question(
        id=x.text("id") or slug(name),
        name=name,
        kind=kind,
        control=x.choice("control", Control, _DEFAULT_CONTROL.get(kind, Control.CHOICES)),
        fields=_named_fields(x, texts),
        labels=tuple(_label(label) for label in x.mappings("labels", _keys(Label))),
        wording=x.text("wording"),
        instruction=x.text("instruction"),
        required=x.truth("required"),
        target=x.text("target"),
        minimum=x.number("minimum"),
        maximum=x.number("maximum"),
        step=x.number("step"),
        verbalisers=_verbalisers(x),
        provenance=_provenance(x),
    )


def _named_fields(x: _Mapping, texts: tuple[Field, ...]) -> tuple[Field, ...]:
    """The codebook's fields with the names that the question lists; all of them where it lists none."""
    by_name = {f.name: f for f in texts}
    wanted = x.texts("fields") or tuple(by_name)
    for name in wanted:
        if name not in by_name:
            raise CodebookError(
                f"'{x.at('fields')}' names '{name}', but 'fields' at the top has: {', '.join(by_name)}."
            )
    return tuple(by_name[name] for name in wanted)


def _label(x: _Mapping) -> Label:
    code = x.text("code", required=True)
    return Label(
        id=x.text("id") or slug(code),
        code=code,
        wording=x.text("wording") or code,
        definition=x.text("definition"),
        examples=x.texts("examples"),
        include=x.text("include"),
        exclude=x.text("exclude"),
    )


def _field(x: _Mapping) -> Field:
    name = x.text("name", required=True)
    return Field(name, x.text("column") or name, x.text("title"), x.truth("markup"))


def _verbalisers(x: _Mapping) -> tuple[tuple[str, str], ...]:
    words = x.value.get("verbalisers") or {}
    if not isinstance(words, dict) or not all(isinstance(part, str) for pair in words.items() for part in pair):
        raise CodebookError(f"'{x.at('verbalisers')}' must give label ids a word each, both in quotes.")
    return tuple(words.items())


def _provenance(x: _Mapping) -> Provenance:
    found = x.mapping("provenance", _keys(Provenance))
    return Provenance(**{key: found.text(key) for key in _keys(Provenance)})


def _question_as_plain(question: Question) -> Plain:
    return _shallow(question) | _without_empty(
        {
            "fields": [f.name for f in question.fields],
            "labels": [_shallow(label) for label in question.labels],
            "verbalisers": dict(question.verbalisers),
            "provenance": _shallow(question.provenance),
        }
    )


def _shallow(value: Field | Label | Note | Question | Provenance) -> Plain:
    """Its parts that are texts, numbers, truth values or lists of texts, without what is empty."""
    found = {part.name: getattr(value, part.name) for part in parts(value)}
    return _without_empty({name: _simple(x) for name, x in found.items()})


def _simple(x: Any) -> Any:
    if isinstance(x, tuple):
        return list(x) if all(isinstance(entry, str) for entry in x) else None
    if isinstance(x, str):
        return str(x)
    return x if isinstance(x, bool | int | float) else None


def _without_empty(value: Plain) -> Plain:
    return {key: x for key, x in value.items() if x is not None and x is not False and x not in ("", [], {})}


def _keys(of: type[Field | Label | Note | Question | Provenance]) -> tuple[str, ...]:
    return tuple(part.name for part in parts(of))
