"""A codebook read from a Label Studio configuration, and written as one.

Reading what was written gives the same codebook, as far as Label Studio can say it: names, texts, choices with code
(`alias`, else `value`), wording (`value`), definition and rules (`hint`), headings, ranges, what is required. What it
cannot say (ids, instructions, examples, that choices are ordered, ...) comes from `previous`.
"""

from __future__ import annotations

from dataclasses import replace

from labelstudio_config.beside import without_areas
from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Question
from labelstudio_config.controls import VARIABLE, lost, question
from labelstudio_config.document import parsed
from labelstudio_config.errors import ConfigError
from labelstudio_config.hint import EXCLUDE, INCLUDE, read
from labelstudio_config.revision import completed
from labelstudio_config.screen import Placed, Screen

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def from_xml(xml: str, *, key: str, title: str = "", previous: Codebook | None = None) -> Codebook:
    """The codebook of a Label Studio configuration.

    `previous` is the codebook's last state: ids outlive a renaming, and what Label Studio cannot say is taken over, as
    `labelstudio_config.revision.completed` says. Raises ConfigError naming what is missing or wrong and what to do, and
    CodebookError where the questions do not make a codebook.
    """
    screen = Screen(parsed(without_areas(xml)))
    codebook = Codebook(key=key, title=title, questions=_questions(screen))
    if previous is not None:
        codebook = completed(codebook, previous, screen.texts.values())
    return replace(codebook, notes=_notes(screen, codebook))


def ignored(xml: str) -> tuple[str, ...]:
    """What of the configuration is not read, and why: a sentence each, for the person who wrote it."""
    screen = Screen(parsed(without_areas(xml)))
    codebook = Codebook(key="read", title="", questions=_questions(screen))
    said = list(screen.said)
    used = {f.name for f in codebook.fields}
    said += [f'<Text name="{name}">: no question is about it.' for name in screen.texts if name not in used]
    kept = {note.name for note in _notes(screen, codebook)}
    said += [f"{note.tag}: it belongs to no text of a question." for note in screen.notes if note.tag.name not in kept]
    said += [f"{placed.tag}: {reason}." for placed in screen.controls for reason in lost(placed.tag)]
    return tuple(said)


def to_xml(codebook: Codebook) -> str:
    """The Label Studio configuration of a codebook; ConfigError where Label Studio could not show it as it is."""
    titled = len(codebook.fields) > 1 and all(f.title for f in codebook.fields)
    lines = ["<View>"]
    for f in codebook.fields:
        lines += _headed(f.title if titled else "", [_text(f)])
    for q in codebook.questions:
        lines += _headed(q.wording, _control(q))
    for note in codebook.notes:
        lines += _headed(note.wording, [_tag("TextArea", name=note.name, toName=note.target, rows="2")])
    return "\n".join([*lines, "</View>", ""])


def _questions(screen: Screen) -> tuple[Question, ...]:
    if not screen.texts:
        cure = '<Text name="text" value="$text"/>, where text is a column of your tasks'
        raise ConfigError(_missing("no text", cure, screen))
    if not screen.controls:
        cure = (
            '<Choices name="label" toName="..."> with the name of the text, and a <Choice value="..."/> for each label'
        )
        raise ConfigError(_missing("no question", cure, screen))
    about = [_about(placed, screen) for placed in screen.controls]
    shown = _titled(screen, {name for names in about for name in names})
    silent = [placed for placed in screen.controls if not placed.heading]
    if len(silent) == 1 and (len(screen.texts) == 1 or len(screen.titles) < len(screen.texts)):
        silent[0].heading = next(
            iter(screen.titles.values()), ""
        )  # a page's heading over its one question is that question
    questions: list[Question] = []
    for placed, names in zip(screen.controls, about, strict=True):
        fields = tuple(shown[name] for name in names)
        taken = {q.id for q in questions}
        questions.append(question(placed.tag, placed.heading, fields, placed.targets[0], taken))
    return tuple(questions)


def _titled(screen: Screen, used: set[str]) -> dict[str, Field]:
    """The texts by name. Headings are their titles where there are several, and each has one."""
    titled = len(used) > 1 and used <= screen.titles.keys()
    return {name: replace(f, title=screen.titles[name] if titled else "") for name, f in screen.texts.items()}


def _missing(what: str, cure: str, screen: Screen) -> str:
    reasons = f" What there is cannot be used: {' '.join(screen.said[:5])}" if screen.said else ""
    return f"The configuration has {what}: add {cure}.{reasons}"


def _about(placed: Placed, screen: Screen) -> list[str]:
    """Names of the texts that the control is about, in the order they are read.

    Label Studio attaches an answer to one text, also where it is about two. So when all answers are attached to the
    same text, and one other text is on the screen, the question is about the pair, in the order of the document.
    """
    if placed.tag.kind == "pairwise" or len(placed.targets) > 1:
        return placed.targets
    attached = {name for other in screen.controls if other.tag.kind != "pairwise" for name in other.targets}
    asked_about = {name for other in screen.controls for name in other.targets}
    alone = [name for name in screen.texts if name not in asked_about]
    if len(attached) == 1 and len(alone) == 1:
        return [name for name in screen.texts if name in (placed.targets[0], alone[0])]
    return placed.targets


def _notes(screen: Screen, codebook: Codebook) -> tuple[Note, ...]:
    known = {f.name for f in codebook.fields}
    return tuple(Note(n.tag.name, n.targets[0], n.heading) for n in screen.notes if n.targets[0] in known)


def _headed(heading: str, lines: list[str]) -> list[str]:
    """Lines in a <View>, under a heading if there is one."""
    above = [_tag("Header", value=_plain(heading))] if heading else []
    return ["  <View>", *(f"    {line}" for line in [*above, *lines]), "  </View>"]


def _text(f: Field) -> str:
    if not VARIABLE.fullmatch(f"${f.column}"):
        raise ConfigError(
            f"The text '{f.name}' is read from the column '{f.column}', which Label Studio cannot read: "
            "name the column with letters a-z, digits and '_' only."
        )
    return _tag("HyperText" if f.markup else "Text", name=f.name, value=f"${f.column}")


def _control(q: Question) -> list[str]:
    """The lines of a question's control tag."""
    asked = {"name": q.name, "toName": q.to_name, "required": "true" if q.required else ""}
    if q.control is Control.PAIRWISE:
        return [_tag("Pairwise", **{**asked, "toName": ",".join(f.name for f in q.fields)})]
    if q.control is Control.RATING:
        return [_tag("Rating", **asked, maxRating=str(len(q.labels)))]
    if q.control is Control.NUMBER:
        bounds = {"min": q.minimum, "max": q.maximum, "step": q.step}
        return [_tag("Number", **asked, **{name: _written(x) for name, x in bounds.items()})]
    choice = "multiple" if q.kind is Kind.MULTIPLE else "single"
    opened = _opened("Choices", **asked, choice=choice, showInLine="true")
    return [opened, *(f"  {_choice(q, label)}" for label in q.labels), "</Choices>"]


def _choice(q: Question, label: Label) -> str:
    alias = label.code if label.code != label.wording else ""
    if {alias, label.hint} & {"true", "false"}:
        raise ConfigError(
            f"The label '{label.id}' of the question '{q.id}' has the code or the definition 'true' or 'false', "
            "which Label Studio's editor cannot read: use another word."
        )
    if read(label.hint) != (label.definition, label.include, label.exclude):
        raise ConfigError(
            f"The label '{label.id}' of the question '{q.id}' has a definition or a rule with a line that begins with "
            f"'{INCLUDE}:' or '{EXCLUDE}:', by which Label Studio's coders tell rules: word that line otherwise."
        )
    return _tag("Choice", alias=alias, value=_plain(label.wording), hint=label.hint)


def _plain(words: str) -> str:
    """Words that Label Studio shows as they are."""
    found = VARIABLE.search(words)
    if found:
        raise ConfigError(
            f"Label Studio would show a task's data in the place of '{found[0][:60]}', "
            "which stands in a heading or a label: write it without the dollar sign."
        )
    return words


def _written(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _tag(label: str, **attributes: str) -> str:
    """An empty tag, see `_opened`."""
    return f"{_opened(label, **attributes)[:-1]}/>"


def _opened(label: str, **attributes: str) -> str:
    """A tag with the attributes that are not empty, each in double quotes, as Label Studio's own checks expect."""
    escapes = str.maketrans(_ESCAPES)
    written = "".join(f' {name}="{value.translate(escapes)}"' for name, value in attributes.items() if value)
    return f"<{label}{written}>"
