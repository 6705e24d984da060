"""The labels that a run learns from, frozen: what they are, what was left out and why, and their sha256."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from backend.assist.leaks import without
from backend.learning.accepted import Accepted, Resolved, work_labels
from backend.learning.apart import corpus
from backend.learning.chosen import Chosen, choose
from backend.learning.entry import Entry, Terms, digest, labelled
from backend.tuners.training import Labelled
from db import answers, revisions, snapshots
from db.answers import LiveAnswer
from db.models import Project, Snapshot
from db.snapshots import ItemRow, Kept
from db.store import Store
from db.texts import bodies
from labelstudio_config.codebook import Codebook, Kind, Question
from labelstudio_config.library import from_yaml, to_yaml


class SnapshotError(Exception):
    """Nothing can be frozen, or what was frozen cannot be used."""


@dataclass(frozen=True)
class Frozen:
    """A snapshot. `hash` is the sha256 of what a run learns from.

    `codebook` is without the examples that the audit holds. `fields`: content hash -> the fields of each text.
    `left_out`: question -> reason -> texts with an accepted label that are not in it. `empty`: question -> why it has
    no labels.
    """

    id: int
    hash: str
    revision_id: int
    codebook: Codebook
    terms: Terms
    entries: tuple[Entry, ...]
    fields: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, Mapping[str, int]]
    empty: Mapping[str, str]

    @cached_property
    def questions(self) -> Mapping[str, Labelled]:
        """What tuners are given, by question; only questions with labels."""
        return labelled(self.codebook, self.entries, self.fields)


def freeze(store: Store, project: Project, *, seed: int, validation: float = 0.15) -> Frozen:
    """Freeze the labels of the work texts that are accepted now, and that have nothing to do with the audit.

    About `validation` of each question's clusters are its validation part. What a run would learn the same from is the
    same snapshot; `coders` and `by` of its items then are those of the first time. SnapshotError, RuleError.
    """
    with store.reading() as s:
        project = s.get_one(Project, project.id)
        revision = revisions.current(s, project.id)
        if revision is None:
            raise SnapshotError("The project has no codebook yet, so nothing can be accepted. Run `socialite connect`.")
        book = revisions.codebook(revision)
        if not any(question.labels for question in book.questions):
            raise SnapshotError("The codebook asks for numbers only, and nothing is tuned on numbers.")
        resolved = work_labels(s, project, book)
        if not any(one.shares for one in resolved.accepted):
            raise SnapshotError(_nothing(answers.live(s, project.id), resolved))
        texts = corpus(s, project.id, {one.text_id for one in resolved.accepted})
        ids = revisions.question_ids(s, project.id)
    book = without(book, [texts.bodies[i] for i in texts.audit if i in texts.bodies]).codebook
    terms = Terms(book.content_hash, project.gold_rule, seed, validation)
    chosen = choose(resolved.accepted, texts, book, seed=seed, validation=validation)
    if not chosen.pairs:
        raise SnapshotError(_all_left_out(chosen.left_out))
    empty = {q.id: _empty(q, chosen, resolved) for q in book.questions if q.id not in chosen.questions}
    entries = tuple(entry for _, entry in chosen.pairs)
    hash_ = digest(entries, terms)
    left_out = {key: dict(reasons) for key, reasons in chosen.left_out.items()}
    rule = asdict(terms) | {"codebook": to_yaml(book), "left_out": left_out, "empty": empty}
    with store.writing() as s:
        row = snapshots.remember(s, project.id, hash_, revision.id, rule)
    rows = [
        ItemRow(one.text_id, ids[one.question], _value(one, entry, book.question(one.question)), entry.split)
        for one, entry in chosen.pairs
    ]
    store.write_in_chunks(rows, lambda s, part: snapshots.add(s, row.id, part))
    fields = {entry.content_hash: texts.bodies[one.text_id] for one, entry in chosen.pairs}
    return Frozen(row.id, hash_, row.revision_id, book, terms, entries, fields, left_out, empty)


def load(store: Store, snapshot_id: int) -> Frozen:
    """The snapshot as it was frozen, whatever was answered since. SnapshotError when it is not whole any more."""
    with store.reading() as s:
        row = s.get(Snapshot, snapshot_id)
        if row is None:
            raise SnapshotError(f"There is no snapshot {snapshot_id}. Freeze the labels again.")
        items = snapshots.items(s, snapshot_id)
        words = bodies(s, sorted({one.text_id for one in items}))
    book = from_yaml(row.rule["codebook"])
    terms = Terms(book.content_hash, row.rule["rule"], row.rule["seed"], row.rule["validation"])
    entries = tuple(_entry(one, book) for one in items)
    if digest(entries, terms) != row.hash:
        raise SnapshotError(
            f"The snapshot {snapshot_id} is not whole: writing it broke off, or texts of it were removed since. "
            "Freeze the labels again."
        )
    erased = {one.text_id for one in items} - words.keys()
    if erased:
        raise SnapshotError(
            f"{len(erased)} texts of the snapshot {snapshot_id} were erased since. Freeze the labels again."
        )
    fields = {one.content_hash: words[one.text_id] for one in items}
    left_out, empty = row.rule["left_out"], row.rule["empty"]
    return Frozen(snapshot_id, row.hash, row.revision_id, book, terms, entries, fields, left_out, empty)


def _value(one: Accepted, entry: Entry, question: Question) -> dict[str, Any]:
    """What is stored of an item."""
    return {
        "labels": list(entry.labels),
        "shares": dict(zip(question.label_ids, entry.shares, strict=True)),
        "coders": one.coders,
        "by": one.by,
        "cluster": entry.cluster,
    }


def _entry(kept: Kept, book: Codebook) -> Entry:
    value = kept.value
    shares = tuple(value["shares"][label] for label in book.question(kept.question).label_ids)
    return Entry(kept.content_hash, kept.question, tuple(value["labels"]), shares, kept.split, value["cluster"])


def _nothing(live: Sequence[LiveAnswer], resolved: Resolved) -> str:
    if not live:
        return "Nobody has answered yet, so there is nothing to learn from. Code some texts first."
    streams = Counter(answer.stream for answer in live)
    others = [f"{streams[name]} are to {name} texts" for name in ("audit", "control") if streams[name]]
    never = f" {' and '.join(others)}, which are never trained on." if others else ""
    reasons = [f"'{key}': {_listed(n)}" for key, n in resolved.unresolved.items() if n]
    texts = f" Why texts of the work stream have none, in texts a question: {'; '.join(reasons)}." if reasons else ""
    return (
        f"No label is accepted yet, so there is nothing to learn from. There are {len(live)} answers.{never}{texts} "
        "Code texts of the work stream, or have those decided that coders disagree on "
        "(`socialite disagreements --push`)."
    )


def _all_left_out(left_out: Mapping[str, Mapping[str, int]]) -> str:
    reasons = "; ".join(f"'{key}': {_listed(n)}" for key, n in left_out.items() if n)
    return (
        "There are accepted labels, but none that a model may learn from, since the audit is to measure it. Left out, "
        f"in texts a question: {reasons}. Code other texts of the work stream."
    )


def _empty(question: Question, chosen: Chosen, resolved: Resolved) -> str:
    """Why a question has no labels in the snapshot."""
    if question.kind is Kind.NUMBER:
        return f"The question '{question.name}' asks for a number, and nothing is tuned on numbers."
    if left_out := chosen.left_out[question.id]:
        return f"No accepted label of the question '{question.name}' may be learned from: {_listed(left_out)}."
    reasons = _listed(resolved.unresolved[question.id])
    return f"The question '{question.name}' has no accepted label yet{f': {reasons}' if reasons else ''}."


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items()))
