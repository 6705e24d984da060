"""What a Label Studio configuration puts on the screen: texts, controls, headings, and what is none of these."""

from __future__ import annotations

from dataclasses import dataclass, field

from labelstudio_config.codebook import Field
from labelstudio_config.controls import CONTROLS, VARIABLE, why_not
from labelstudio_config.document import Tag
from labelstudio_config.errors import ConfigError

_TEXTS = {"text", "hypertext"}
_CLOSED = {"repeater", "style", "label", "choice"}  # what is below them are no texts, controls or headings of their own


@dataclass(slots=True)
class Placed:
    """A tag, the heading above it, and the names of the texts it belongs to."""

    tag: Tag
    heading: str
    targets: list[str] = field(default_factory=list)


class Screen:
    """Texts, controls and notes in the order of the document; `said` tells in sentences what is not read, and why."""

    def __init__(self, root: Tag) -> None:
        self.texts: dict[str, Field] = {}
        self.titles: dict[str, str] = {}  # heading right above each text that has one
        self.controls: list[Placed] = []
        self.notes: list[Placed] = []
        self.said: list[str] = []
        self._unreadable: list[str] = []
        self._names: list[str] = []
        self._heading = ""
        self._walk(root)
        self._attach()

    def _walk(self, tag: Tag) -> None:
        if tag.kind == "header":
            self._heading = _words(tag) or self._heading
        elif tag.kind in CONTROLS or tag.kind == "textarea" or tag.get("toname"):
            self._control(tag)
        elif tag.kind in _TEXTS or (tag.name and (tag.get("value") or tag.get("valuelist"))):
            self._object(tag)
        elif tag.kind not in _CLOSED:
            for child in tag.children:
                self._walk(child)
        elif tag.kind == "repeater":
            self._say(tag, "its texts and questions differ from task to task")

    def _object(self, tag: Tag) -> None:
        self._name(tag)
        heading, self._heading = self._heading, ""
        reason = _unreadable(tag)
        if reason:
            self._unreadable.append(tag.name)
            self._say(tag, reason)
            return
        variables = VARIABLE.findall(tag.get("value"))
        if tag.get("value") != f"${variables[0]}":
            self._say(tag, f"only ${variables[0]} is read of it, not the words around")
        self.texts[tag.name] = Field(tag.name, variables[0], markup=tag.kind == "hypertext")
        if heading:
            self.titles[tag.name] = heading

    def _control(self, tag: Tag) -> None:
        self._name(tag)
        inner = (_words(below) for below in tag if below.kind == "header")
        placed = Placed(tag, self._heading or next(inner, ""))
        self._heading = ""
        (self.notes if tag.kind == "textarea" else self.controls).append(placed)

    def _name(self, tag: Tag) -> None:
        if not tag.name:
            raise ConfigError(f'{tag} has no name: add one, such as name="{tag.kind}".')
        if tag.name in self._names:
            raise ConfigError(f"Two tags have the name '{tag.name}': each needs its own.")
        self._names.append(tag.name)

    def _say(self, tag: Tag, reason: str) -> None:
        self.said.append(f"{tag}: {reason}.")

    def _attach(self) -> None:
        """Resolve toName; take out the controls that ask nothing about a readable text."""
        for placed in (*self.controls, *self.notes):
            placed.targets = self._targets(placed.tag)
        self.controls = [placed for placed in self.controls if self._usable(placed)]
        self.notes = [placed for placed in self.notes if self._usable(placed)]

    def _targets(self, tag: Tag) -> list[str]:
        objects = [*self.texts, *self._unreadable]
        targets = [name.strip() for name in tag.get("toname").split(",") if name.strip()]
        if not targets and len(objects) == 1:  # Label Studio attaches it to the only object there is
            return objects
        if not targets:
            raise ConfigError(f'{tag} has no toName: add toName="..." with the name of the text it is about.')
        for name in targets:
            if name not in self._names:
                there = ", ".join(f"'{x}'" for x in objects) or "no text at all"
                raise ConfigError(f"{tag} is about '{name}' (toName), but no tag has that name; there is {there}.")
        return targets

    def _usable(self, placed: Placed) -> bool:
        tag = placed.tag
        reason = why_not(tag)
        if tag.kind not in CONTROLS and tag.kind != "textarea":
            reason = "it is no question about a whole text"
        elif not all(name in self.texts for name in placed.targets):
            reason = "what it is about is not read as a text"
        if reason:
            self._say(tag, reason)
        return reason is None


def _words(tag: Tag) -> str:
    """The words of a heading; none when they come from each task."""
    words = tag.get("value") or tag.text.strip()
    return "" if VARIABLE.search(words) else words


def _unreadable(tag: Tag) -> str | None:
    """Why the object's text cannot be read from a task's data, or None."""
    variables = VARIABLE.findall(tag.get("value"))
    if tag.kind not in _TEXTS:
        return "it is not a text (Text or HyperText)"
    if tag.get("valuetype").lower() == "url" or tag.get("resolver"):
        return 'its text is fetched from an address; put the text into the task and take valueType="url" out'
    if tag.get("encoding").lower() not in ("", "none"):
        return "its text is encoded; put plain text into the task and take the encoding out"
    if not variables:
        return "its words are the same in every task (no $column in its value)"
    if len(set(variables)) > 1:
        return "it mixes several columns; give each a <Text> of its own"
    return None
