"""A Label Studio configuration as a tree of tags; a hostile one can neither read files nor exhaust memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from labelstudio_config.errors import ConfigError

DEEPEST = 100  # tags within tags
LONGEST = 1_000_000  # characters


@dataclass(slots=True)
class Tag:
    """One XML element: `label` as written; `kind` and the attributes' names in lower case, as Label Studio has them."""

    label: str
    attributes: dict[str, str]
    children: list[Tag] = field(default_factory=list)
    text: str = ""

    @property
    def kind(self) -> str:
        return self.label.lower()

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")

    def get(self, attribute: str) -> str:
        """The attribute's value, or ''."""
        return self.attributes.get(attribute, "")

    def is_true(self, attribute: str) -> bool:
        return self.get(attribute).lower() == "true"

    def __iter__(self) -> Iterator[Tag]:
        """This tag and all below it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child

    def __str__(self) -> str:
        return f'<{self.label} name="{self.name}">' if self.name else f"<{self.label}>"


def parsed(xml: str) -> Tag:
    """The root tag of the configuration; ConfigError when it is no XML, has a DOCTYPE, or is out of all proportion."""
    if not xml.strip():
        raise ConfigError(
            "The configuration is empty: it needs a <View> with a <Text> and a question, such as <Choices>."
        )
    if len(xml) > LONGEST:
        raise ConfigError(f"The configuration has {len(xml):,} characters: at most {LONGEST:,} are read.")
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ConfigError(
            f"The configuration is not well-formed XML ({expat.ErrorString(error.code)}, "
            f"line {error.lineno}, column {error.offset + 1}): correct it there."
        ) from None
    except UnicodeEncodeError:
        raise ConfigError("The configuration holds half a character (a lone surrogate): take it out.") from None
    return builder.root


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self) -> None:
        self.open: list[Tag] = [Tag("", {})]

    @property
    def root(self) -> Tag:
        return self.open[0].children[0]

    def doctype(self, *_: object) -> None:
        raise ConfigError(
            "The configuration has a DOCTYPE, which Label Studio does not need and which can make a reader open files: "
            "take the DOCTYPE and its entities out."
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) > DEEPEST:
            raise ConfigError(f"The configuration nests tags more than {DEEPEST} deep: make it flatter.")
        tag = Tag(name, {key.lower(): value for key, value in attributes.items()})
        self.open[-1].children.append(tag)
        self.open.append(tag)

    def end(self, _name: str) -> None:
        self.open.pop()

    def characters(self, data: str) -> None:
        self.open[-1].text += data
