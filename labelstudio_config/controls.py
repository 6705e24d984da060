"""One Label Studio control tag read as a question: Choices, Rating, Number, Pairwise."""

from __future__ import annotations

import math
import re

from labelstudio_config.codebook import Control, Field, Kind, Label, Question
from labelstudio_config.document import Tag
from labelstudio_config.errors import ConfigError
from labelstudio_config.hint import read
from labelstudio_config.ids import fresh_id

VARIABLE = re.compile(r"\$([A-Za-z0-9_\[\].{}]+)")  # what Label Studio's editor replaces by a task's data
CONTROLS = {control.value.lower(): control for control in Control}
_KINDS = {"": Kind.SINGLE, "single": Kind.SINGLE, "single-radio": Kind.SINGLE, "multiple": Kind.MULTIPLE}
_MOST_STARS = 100


def question(tag: Tag, wording: str, fields: tuple[Field, ...], to_name: str, taken: set[str]) -> Question:
    """The question that the control asks about the fields, with an id that is not taken, made from its name.

    `to_name` is the text its answers are attached to. Raises ConfigError with what to change in the tag.
    """
    control = CONTROLS[tag.kind]
    minimum = maximum = step = None
    if control is Control.NUMBER:
        minimum, maximum, step = _number(tag, "min"), _number(tag, "max"), _number(tag, "step")
    return Question(
        id=fresh_id(tag.name, taken),
        name=tag.name,
        kind=_kind(tag, control),
        control=control,
        fields=fields,
        labels=_labels(tag, control),
        wording=wording,
        required=tag.is_true("required"),
        target="" if to_name == fields[0].name else to_name,
        minimum=minimum,
        maximum=maximum,
        step=step,
    )


def why_not(tag: Tag) -> str | None:
    """None when the control asks about whole texts with answers known beforehand, else the reason in a few words."""
    if tag.is_true("perregion"):
        return "it is about marked passages (perRegion), not about a whole text"
    if tag.is_true("peritem"):
        return "it is about items of a list (perItem), not about a whole text"
    if tag.kind == "choices" and VARIABLE.search(tag.get("value")):
        return "its choices come from each task, so there is no common set of labels"
    return None


def lost(tag: Tag) -> list[str]:
    """What the control does in Label Studio that a codebook does not say, each in a few words."""
    found = []
    if tag.get("visiblewhen") or tag.get("whentagname"):
        found.append("it is shown only under a condition, which is not read")
    if any(choice.is_true("selected") for choice in tag if choice.kind == "choice"):
        found.append('a choice is ticked beforehand (selected="true"), which leads coders and is not read')
    if tag.kind != "choices" and tag.get("defaultvalue"):
        found.append("it has a default value, which leads coders and is not read")
    return found


def _kind(tag: Tag, control: Control) -> Kind:
    if control is Control.RATING:
        return Kind.ORDINAL
    if control is Control.NUMBER:
        return Kind.NUMBER
    if control is Control.PAIRWISE:
        return Kind.SINGLE
    try:
        return _KINDS[tag.get("choice")]
    except KeyError:
        given = tag.get("choice")[:20]
        raise ConfigError(f'{tag} has choice="{given}": use "single", "single-radio" or "multiple".') from None


def _labels(tag: Tag, control: Control) -> tuple[Label, ...]:
    if control is Control.CHOICES:
        return _choices(tag)
    if control is Control.RATING:
        return tuple(Label(str(n + 1), str(n + 1), str(n + 1)) for n in range(_stars(tag)))
    if control is Control.PAIRWISE:
        return (Label("left", "left", "left"), Label("right", "right", "right"))
    return ()


def _choices(tag: Tag) -> tuple[Label, ...]:
    choices = [choice for choice in tag if choice.kind == "choice"]
    nested = any(below is not choice and below.kind == "choice" for choice in choices for below in choice)
    if nested or tag.is_true("allownested"):
        raise ConfigError(
            f"{tag} nests choices in choices, so an answer is a path and not a label: "
            'list every label as a <Choice> of its own, and take allowNested="true" out.'
        )
    taken: set[str] = set()
    labels = []
    for choice in choices:
        wording = choice.get("value")
        code = choice.get("alias") or wording
        _check_choice(tag, choice, code, wording)
        definition, include, exclude = read(choice.get("hint"))
        labels.append(Label(fresh_id(code, taken), code, wording, definition, include=include, exclude=exclude))
        taken.add(labels[-1].id)
    return tuple(labels)


def _check_choice(tag: Tag, choice: Tag, code: str, wording: str) -> None:
    if not wording.strip():
        raise ConfigError(f"{tag} has a <Choice> without a value: give it the words that coders read.")
    if VARIABLE.search(wording):
        raise ConfigError(f"{tag} has the <Choice> '{wording[:60]}', whose words come from each task: write them out.")
    if choice.get("alias") in ("true", "false"):
        raise ConfigError(f"{tag} has the alias '{code}', which Label Studio's editor cannot read: use another word.")


def _stars(tag: Tag) -> int:
    given = tag.get("maxrating") or "5"
    stars = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    if not 2 <= stars <= _MOST_STARS:
        raise ConfigError(f'{tag} has maxRating="{given[:20]}": give a whole number from 2 to {_MOST_STARS}.')
    return stars


def _number(tag: Tag, attribute: str) -> float | None:
    given = tag.get(attribute).strip()
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f'{tag} has {attribute}="{given[:20]}": give a number, or leave {attribute} out.')
    return value
