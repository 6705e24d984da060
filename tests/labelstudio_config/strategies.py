"""Codebooks for property tests: any that is legal, and those that a Label Studio configuration can say in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Provenance, Question
from labelstudio_config.ids import fresh_id

Draw = Callable[..., Any]
CHARACTERS = st.one_of(
    st.sampled_from("abcXYZ 019-_.:;!?'\"&<>/\\()[]{}#%=\n\t é ß ü 中 я 😀 \u00a0\u2028"),
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="$\ufffe\uffff", max_codepoint=0x1FFFF),
).filter(lambda c: ord(c) & 0xFFFE != 0xFFFE)
WORDS = st.text(CHARACTERS, max_size=24)
SAID = WORDS.filter(lambda s: s.strip() and s not in ("true", "false"))
NAMES = (
    st.text(st.one_of(st.sampled_from("abcz_-. é中&<\"'"), st.sampled_from("0123456789")), min_size=1, max_size=10)
    .map(lambda s: f"n{s}".strip())
    .filter(lambda s: s not in ("nan",))
)
COLUMNS = st.text("abcxyz_019", max_size=5).map(lambda s: f"c{s}")
IDS = st.text("abcxyz_-019", max_size=5).map(lambda s: f"i{s}")
FINITE = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x + 0.0)  # no negative zero


def _unique(values: st.SearchStrategy[str], low: int, high: int) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=low, max_size=high, unique=True)


@st.composite
def _choices(draw: Draw, least: int) -> tuple[Label, ...]:
    codes = draw(_unique(SAID, least, 4))
    wordings = draw(st.one_of(st.just(codes), _unique(SAID, len(codes), len(codes))))
    taken: set[str] = set()
    labels = []
    for code, wording in zip(codes, wordings, strict=True):
        definition = draw(WORDS.filter(lambda s: s not in ("true", "false")))
        include, exclude = (draw(st.just("") | WORDS) for _ in range(2))
        label = Label(fresh_id(code, taken), code, wording, definition, include=include, exclude=exclude)
        labels.append(label if label.hint not in ("true", "false") else replace(label, definition="d"))
        taken.add(labels[-1].id)
    return tuple(labels)


def _stars(n: int) -> tuple[Label, ...]:
    return tuple(Label(str(i + 1), str(i + 1), str(i + 1)) for i in range(n))


@st.composite
def _question(draw: Draw, name: str, id_: str, fields: tuple[Field, ...], target: str) -> Question:
    kind = draw(st.sampled_from([Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL, Kind.NUMBER]))
    shared = {"id": id_, "name": name, "kind": kind, "fields": fields, "target": target}
    shared |= {"wording": draw(WORDS), "required": draw(st.booleans())}
    if kind is Kind.ORDINAL:
        return Question(**shared, control=Control.RATING, labels=_stars(draw(st.integers(2, 5))))
    if kind is Kind.NUMBER:
        low, high = sorted(draw(st.lists(FINITE, min_size=2, max_size=2, unique=True)))
        bounds = {"minimum": draw(st.sampled_from([None, low])), "maximum": draw(st.sampled_from([None, high]))}
        step = draw(st.none() | st.sampled_from([0.1, 0.5, 1.0, 10.0]))
        return Question(**shared, control=Control.NUMBER, **bounds, step=step)
    return Question(**shared, control=Control.CHOICES, labels=draw(_choices(1 if kind is Kind.MULTIPLE else 2)))


def _pairwise(name: str, id_: str, fields: tuple[Field, ...], wording: str) -> Question:
    labels = (Label("left", "left", "left"), Label("right", "right", "right"))
    return Question(id_, name, Kind.SINGLE, Control.PAIRWISE, fields, labels, wording)


@st.composite
def expressible(draw: Draw) -> Codebook:
    """A codebook of which a Label Studio configuration says everything, its ids made from names and codes."""
    names = draw(_unique(NAMES, 7, 7))
    columns = draw(_unique(COLUMNS, 2, 2))
    pair = draw(st.booleans())
    titles = draw(st.one_of(st.just(["", ""]), st.lists(SAID, min_size=2, max_size=2))) if pair else ["", ""]
    a, b = (Field(names[i], columns[i], titles[i], draw(st.booleans())) for i in range(2))
    layout = draw(st.sampled_from(["about both", "one each", "compared"])) if pair else "one"
    target = draw(st.sampled_from(["", b.name]))
    plan: dict[str, list[tuple[tuple[Field, ...], str]]] = {
        "one": [((a,), "")] * draw(st.integers(1, 3)),
        "about both": [((a, b), target)] * draw(st.integers(1, 3)),
        "one each": [((a,), ""), ((b,), "")],
        "compared": [((a,), "")] * draw(st.integers(0, 2)),
    }
    questions: list[Question] = []
    if layout == "compared":
        questions.append(_pairwise(names[6], fresh_id(names[6], set()), (a, b), draw(WORDS)))
    for name, (fields, attached) in zip(names[2:5], plan[layout], strict=False):
        taken = {q.id for q in questions}
        questions.append(draw(_question(name, fresh_id(name, taken), fields, attached)))
    notes = draw(st.sampled_from([(), (Note(names[5], a.name, draw(WORDS)),)]))
    return Codebook(key="k", title=draw(WORDS), questions=tuple(questions), notes=notes)


@st.composite
def codebooks(draw: Draw) -> Codebook:
    """Any codebook whose words Label Studio can show, with ids of its own, instructions, examples, ordered choices."""
    names = draw(_unique(NAMES, 8, 8))
    columns = draw(_unique(COLUMNS, 3, 3))
    texts = [Field(names[i], columns[i], draw(WORDS), draw(st.booleans())) for i in range(3)]
    ids = draw(_unique(IDS, 4, 4))
    questions = []
    for name, id_ in list(zip(names[3:7], ids, strict=True))[: draw(st.integers(1, 4))]:
        fields = tuple(draw(st.lists(st.sampled_from(texts), min_size=1, max_size=2, unique=True)))
        if len(fields) == 2 and draw(st.booleans()):
            question = _pairwise(name, id_, fields, draw(WORDS))
        else:
            question = draw(_question(name, id_, fields, draw(st.sampled_from(["", *[f.name for f in fields[1:]]]))))
        questions.append(_enriched(question, draw))
    fields_used = tuple(dict.fromkeys(f for q in questions for f in q.fields))
    note = Note(names[7], draw(st.sampled_from(fields_used)).name, draw(WORDS))
    return Codebook(
        key="k",
        title=draw(WORDS),
        questions=tuple(questions),
        instruction=draw(WORDS),
        notes=draw(st.sampled_from([(), (note,)])),
        provenance=draw(_provenances),
    )


_provenances = st.builds(Provenance, task=WORDS, family=WORDS, not_measured=WORDS)


def _enriched(question: Question, draw: Draw) -> Question:
    """The question with what Label Studio cannot say."""
    spoken = question.control is Control.CHOICES
    wordings = [x.wording for x in question.labels] if spoken else draw(_unique(SAID, *[len(question.labels)] * 2))
    ids = draw(_unique(IDS, *[len(question.labels)] * 2))
    labels = tuple(
        replace(x, id=id_, wording=wording, examples=tuple(draw(st.lists(WORDS, max_size=2))))
        for id_, x, wording in zip(ids, question.labels, wordings, strict=True)
    )
    ordered = question.kind is Kind.SINGLE and spoken and draw(st.booleans())
    return replace(
        question,
        kind=Kind.ORDINAL if ordered else question.kind,
        labels=labels,
        instruction=draw(WORDS),
        verbalisers=tuple((x.id, draw(SAID)) for x in labels[:1]) if draw(st.booleans()) else (),
        provenance=draw(st.just(Provenance()) | _provenances),
    )
