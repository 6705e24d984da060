"""Suggestions that stand beside a question instead of being ticked: an area for each on the labelling screen, which a
coder can read and not write in, and the words in it.

The areas are no part of a codebook: they are known by their form, and left out where a screen is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat
from xml.sax.saxutils import escape

from labelstudio_config.codebook import Codebook, Kind, Question
from labelstudio_config.errors import CodebookError, ConfigError
from labelstudio_config.values import Answer, value_of

PREFIX = "suggestion_"  # of an area's name; its question's follows
KIND = "textarea"  # of its regions

_AREA = re.compile(
    rf"""<TextArea\b(?=[^>]*\sname="{PREFIX})(?=[^>]*\smaxSubmissions="0")[^>]*?(?:/>|>\s*</TextArea\s*>)""",
    re.IGNORECASE,
)


def with_areas(xml: str, codebook: Codebook) -> str:
    """The screen with an area right before each question that can have a suggestion. One that has them gets no second.

    `maxSubmissions="0"` takes the box away that a coder could write in: there stands a suggestion, or nothing.
    """
    plain = without_areas(xml)
    shown = {q.name: _area(q) for q in codebook.questions if q.kind is not Kind.NUMBER}
    raw = plain.encode()
    for place, name in reversed(_controls(plain)):
        if name in shown:
            raw = raw[:place] + shown[name].encode() + raw[place:]
    return raw.decode()


def without_areas(xml: str) -> str:
    """The screen as it is without them."""
    return _AREA.sub("", xml) if PREFIX in xml else xml


def is_area(region: object) -> bool:
    """Whether a region of an annotation is the words of a suggestion, which are no answer and no note."""
    return (
        isinstance(region, dict)
        and region.get("type") == KIND
        and isinstance(region.get("from_name"), str)
        and region["from_name"].startswith(PREFIX)
    )


def regions(codebook: Codebook, suggestions: Iterable[Answer]) -> list[dict[str, object]]:
    """The regions of a prediction that says suggestions in words, one for each that says anything.

    CodebookError where one is no answer to a question of the codebook.
    """
    return [
        {
            "id": f"s-{question.id}",
            "from_name": PREFIX + question.name,
            "to_name": question.to_name,
            "type": KIND,
            "value": {"text": [words]},
            "readonly": True,
        }
        for question, words in _said(codebook, suggestions)
    ]


def _said(codebook: Codebook, suggestions: Iterable[Answer]) -> Iterable[tuple[Question, str]]:
    by_id = {q.id: q for q in codebook.questions}
    for answer in suggestions:
        question = by_id.get(answer.question_id)
        if question is None:
            raise CodebookError(f"The codebook '{codebook.key}' has no question '{answer.question_id}' to suggest for.")
        if value_of(question, answer) is not None:
            yield question, words_of(question, answer)


def words_of(question: Question, answer: Answer) -> str:
    """'Suggested: anger (62 %)'."""
    named = [label.wording for label in question.labels if label.id in answer.label_ids]
    said = ", ".join(named) if named else f"{answer.number:g}"
    sure = f" ({100 * answer.score:.0f} %)" if answer.score is not None else ""
    return f"Suggested: {said}{sure}"


def _area(question: Question) -> str:
    name, target = (escape(x, {'"': "&quot;"}) for x in (PREFIX + question.name, question.to_name))
    return f'<TextArea name="{name}" toName="{target}" editable="false" maxSubmissions="0"/>'


def _controls(xml: str) -> list[tuple[int, str]]:
    """Where each tag with a toName begins, in bytes, and its name; in the order of the document."""
    found: list[tuple[int, str]] = []
    parser = expat.ParserCreate("utf-8")

    def start(_: str, attributes: dict[str, str]) -> None:
        named = {key.lower(): value for key, value in attributes.items()}
        if "toname" in named:
            found.append((parser.CurrentByteIndex, named.get("name", "")))

    parser.StartElementHandler = start
    try:
        parser.Parse(xml.encode(), True)
    except expat.ExpatError as error:
        raise ConfigError(f"The configuration is not well-formed XML ({expat.ErrorString(error.code)}).") from None
    return found
