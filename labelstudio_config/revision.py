"""What a codebook keeps of its previous state: ids outlive a renaming, and what Label Studio cannot say is not lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Provenance, Question
from labelstudio_config.ids import fresh_id


def completed(codebook: Codebook, previous: Codebook, texts: Iterable[Field] = ()) -> Codebook:
    """The codebook, as read from Label Studio, with what its previous state knows of the same questions and labels.

    A question is the same when its control's name is; a label when its code is, else when its wording is. Both keep
    their ids, and take over what is empty in `codebook` and filled in `previous`: instructions, definitions, examples,
    titles, verbalisers, provenance, that choices are ordered, and which texts a question is about. `texts` are further
    texts on the screen, which no question of `codebook` is about.
    """
    known = {f.name: f for f in previous.fields}
    shown = {f.name: _titled(f, known.get(f.name)) for f in (*texts, *codebook.fields)}
    before = {q.name: q for q in previous.questions}
    taken = {q.id for q in previous.questions}
    all_known = all(q.name in before for q in codebook.questions)
    questions = []
    for question in codebook.questions:
        old = before.get(question.name)
        now = replace(question, fields=tuple(shown[f.name] for f in question.fields))
        if old is None:
            questions.append(replace(now, id=fresh_id(question.name, taken)))
        else:
            questions.append(_question(now, old if all_known else previous.standalone(old), shown, known))
        taken.add(questions[-1].id)
    return Codebook(
        key=codebook.key,
        title=codebook.title or previous.title,
        questions=tuple(questions),
        instruction=codebook.instruction or (previous.instruction if all_known else ""),
        notes=codebook.notes,
        provenance=_either(codebook.provenance, previous.provenance if all_known else Provenance()),
    )


def _question(now: Question, old: Question, shown: dict[str, Field], known: dict[str, Field]) -> Question:
    labels = _labels(now.labels, old.labels, spoken=now.control is Control.CHOICES)
    ids = {label.id for label in labels}
    ordered = (now.kind, now.control, old.kind) == (Kind.SINGLE, Control.CHOICES, Kind.ORDINAL)
    fields, target = now.fields, now.target
    if all(f.name in known for f in now.fields) and all(f.name in shown for f in old.fields) and _agree(now, old):
        fields, target = tuple(shown[f.name] for f in old.fields), old.target
    return replace(
        now,
        id=old.id,
        kind=Kind.ORDINAL if ordered else now.kind,
        fields=fields,
        target=target,
        labels=labels,
        wording=now.wording or old.wording,
        instruction=now.instruction or old.instruction,
        verbalisers=now.verbalisers or tuple((x, word) for x, word in old.verbalisers if x in ids),
        provenance=_either(now.provenance, old.provenance),
    )


def _agree(now: Question, old: Question) -> bool:
    """Whether the previous state's texts are possible for what Label Studio says now."""
    if now.control is Control.PAIRWISE:
        return [f.name for f in now.fields] == [f.name for f in old.fields]
    return now.to_name == old.to_name


def _labels(now: tuple[Label, ...], old: tuple[Label, ...], *, spoken: bool) -> tuple[Label, ...]:
    """The labels with the ids of their previous states; `spoken` says that their wording is Label Studio's own."""
    same = matched(now, old)
    taken = {label.id for label in old}
    labels = []
    for label in now:
        before = same.get(label.code)
        if before is None:
            labels.append(replace(label, id=fresh_id(label.code, taken)))
        else:
            silent = not label.hint  # a hint that is there says all of it
            labels.append(
                replace(
                    label,
                    id=before.id,
                    wording=label.wording if spoken else before.wording,
                    definition=label.definition or before.definition,
                    examples=label.examples or before.examples,
                    include=before.include if silent else label.include,
                    exclude=before.exclude if silent else label.exclude,
                )
            )
        taken.add(labels[-1].id)
    return tuple(labels)


def matched(now: tuple[Label, ...], old: tuple[Label, ...]) -> dict[str, Label]:
    """By the code of each label that has one, its previous state."""
    by_code = {label.code: label for label in old}
    same = {label.code: by_code[label.code] for label in now if label.code in by_code}
    gone = {_plain(label.wording): label for label in old if label.code not in same}
    for label in now:
        if label.code not in same and _plain(label.wording) in gone:
            same[label.code] = gone.pop(_plain(label.wording))
    return same


def _plain(wording: str) -> str:
    return " ".join(wording.casefold().split())


def _titled(now: Field, old: Field | None) -> Field:
    return replace(now, title=now.title or (old.title if old else ""))


def _either(now: Provenance, old: Provenance) -> Provenance:
    return old if now == Provenance() else now
