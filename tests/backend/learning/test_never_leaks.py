"""Whatever is imported, answered and changed, and in whatever order: nothing of the audit is ever learned from."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from backend.learning.export import export, read
from backend.learning.snapshot import Frozen, SnapshotError, freeze, load
from db.models import Placement, Text, TextBody
from db.store import Store
from labelstudio_config.codebook import Codebook
from tests.backend.assist.world import HUMOR, TOPICS, make_world
from tests.backend.learning.coding import Coding
from tests.backend.learning.test_snapshot import body

LENIENT: dict[str, Any] = {"suppress_health_check": list(HealthCheck)}
FRESH = count()
VARIANTS = ("{}", "{}!", "{} zz", "{} see https://example.org/a")  # the first word says which text it is one of
SHOWN = replace(HUMOR, labels=tuple(replace(x, examples=(body(n),)) for n, x in enumerate(HUMOR.labels)))
BOOKS = (
    Codebook("posts", "Posts", (HUMOR, TOPICS)),
    Codebook("posts", "Posts", (SHOWN, TOPICS)),
    Codebook("posts", "Posts", (replace(SHOWN, wording="Is it funny?"),)),
)
variants = st.tuples(st.sampled_from(range(4)), st.sampled_from(VARIANTS)).map(lambda v: v[1].format(body(v[0])))
groups = st.sampled_from([None, None, None, None, "a", "b"])
streams = st.sampled_from(["work", "work", "work", "audit", "audit", "control", None])
work = st.sampled_from(["work", "work", "work", "work", "audit"])
humors = st.sampled_from(["yes", "no"])


class Project(RuleBasedStateMachine):
    """A project under way. After every step its labels are frozen, loaded and exported."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__()
        self.coding = Coding(make_world(store, f"project-{next(FRESH)}", BOOKS[1]), BOOKS[1])
        self.folder = folder / self.coding.world.key
        self.hashes: set[str] = set()
        self.texts: list[int] = []
        self.annotations: list[int] = []

    @initialize(rows=st.lists(st.tuples(variants, streams, groups, humors), min_size=6, max_size=8))
    def begins(self, rows: list[tuple[str, str | None, str | None, str]]) -> None:
        for row in rows:
            self.imports(*row)

    @rule(text=variants, stream=streams, group=groups, humor=st.none() | humors)
    def imports(self, text: str, stream: str | None, group: str | None, humor: str | None) -> None:
        self.texts.append(self.coding.text(text, stream, group))
        if humor:
            self.annotations.append(self.coding.answer(self.texts[-1], 1, humor=humor))

    @precondition(lambda self: self.texts)
    @rule(
        data=st.data(),
        coder=st.sampled_from([1, 2, 3, None]),
        humor=humors,
        origin=st.sampled_from(["human", "human", "kept", "bulk", "imported", "adjudicated"]),
        truth=st.booleans(),
    )
    def answers(self, data: st.DataObject, coder: int | None, humor: str, origin: str, truth: bool) -> None:
        text = data.draw(st.sampled_from(self.texts))
        topics = {"topics": ("money",)} if len(self.coding.book.questions) > 1 else {}
        said: dict[str, Any] = {"humor": humor, "origin": origin, "ground_truth": truth} | topics
        self.annotations.append(self.coding.answer(text, coder, **said))

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), coder=st.sampled_from([1, 2]))
    def skips(self, data: st.DataObject, coder: int) -> None:
        self.coding.answer(data.draw(st.sampled_from(self.texts)), coder, cancelled=True)

    @precondition(lambda self: self.annotations)
    @rule(data=st.data())
    def deletes(self, data: st.DataObject) -> None:
        annotation = data.draw(st.sampled_from(self.annotations))
        self.annotations.remove(annotation)
        self.coding.delete(annotation)

    @rule(gold=st.sampled_from(["majority", "majority", "unanimous", "unanimous", "adjudicated"]))
    def changes_the_rule(self, gold: str) -> None:
        self.coding.change(gold_rule=gold)

    @rule(book=st.sampled_from(BOOKS))
    def revises_the_codebook(self, book: Codebook) -> None:
        self.coding.revise(book)

    @invariant()
    def nothing_of_the_audit_is_learned_from(self) -> None:
        accepted = {(one.text_id, one.question) for one in self.coding.work().accepted}
        tied = tied_to_the_audit(self.coding)
        free = {(text, question) for text, question in accepted if text not in tied}
        try:
            found = freeze(self.coding.store, self.coding.project, seed=3, validation=0.3)
        except SnapshotError:
            assert not free
            return
        assert learned(found).isdisjoint(tied.values())
        assert len(found.entries) == len(accepted) - sum(n for why in found.left_out.values() for n in why.values())
        assert words_of(self.coding, {text for text, _ in free}) <= learned(found)
        assert learned(load(self.coding.store, found.id)) == learned(found)
        if found.hash not in self.hashes:
            self.hashes.add(found.hash)
            self.exported(found, set(tied.values()))

    def exported(self, found: Frozen, forbidden: set[str]) -> None:
        """The files hold what was frozen, no text that is tied to the audit, and no example that the audit holds."""
        place = self.folder / found.hash
        export(self.coding.store, found, place)
        again = read(place)
        assert again.hash == found.hash
        assert {item[0] for one in again.questions.values() for item in one.items} == learned(found)
        labels, book = ((place / name).read_text(encoding="utf-8") for name in ("labels.jsonl", "codebook.yaml"))
        assert not any(words.split()[0] in labels for words in forbidden)
        assert not any(words.split()[0] in book for words in audit_words(self.coding))


def learned(found: Frozen) -> set[str]:
    return {item[0] for one in found.questions.values() for item in one.items}


def words_of(coding: Coding, wanted: Iterable[int]) -> set[str]:
    with coding.store.reading() as s:
        return {
            fields[0] for fields in s.scalars(select(TextBody.fields).where(TextBody.text_id.in_(wanted))) if fields
        }


def audit_words(coding: Coding) -> set[str]:
    with coding.store.reading() as s:
        mine = select(Text.id).join(Placement, Placement.text_id == Text.id).where(Placement.stream == "audit")
        ids = s.scalars(mine.where(Text.project_id == coding.world.project_id)).all()
    return words_of(coding, ids)


def tied_to_the_audit(coding: Coding) -> dict[int, str]:
    """Text id -> words of the audit's texts, and of what is tied to one by a group or as a variant of the same words,
    over any number of steps. Worked out here from how the texts are made.
    """
    query = (
        select(Text.id, Text.group_key, Placement.stream, TextBody.fields)
        .join(TextBody, TextBody.text_id == Text.id)
        .outerjoin(Placement, Placement.text_id == Text.id)
        .where(Text.project_id == coding.world.project_id)
    )
    with coding.store.reading() as s:
        rows = {i: (group, stream, (fields or [""])[0]) for i, group, stream, fields in s.execute(query)}
    marks = {i: {words.split()[0]} | ({group} if group else set()) for i, (group, _, words) in rows.items()}
    tied = {i for i, (_, stream, _) in rows.items() if stream == "audit"}
    while more := {i for i in rows if i not in tied and any(marks[i] & marks[other] for other in tied)}:
        tied |= more
    return {i: rows[i][2] for i in tied}


def test_nothing_of_the_audit_is_ever_learned_from(store: Store, tmp_path: Path) -> None:
    class Here(Project):
        def __init__(self) -> None:
            super().__init__(store, tmp_path)

    run_state_machine_as_test(Here, settings=settings(max_examples=10, stateful_step_count=10, **LENIENT))


@settings(max_examples=10, **LENIENT)
@given(
    plan=st.lists(
        st.tuples(st.sampled_from(range(4)), st.sampled_from(VARIANTS), groups, work), min_size=2, max_size=7,
        unique_by=lambda row: (row[0], row[1]),
    ),
    said=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from([1, 2, None]), humors, st.booleans()), min_size=2, max_size=10
    ),
    shuffled=st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_in_which_things_came_is_no_matter(
    store: Store,
    plan: list[tuple[int, str, str | None, str | None]],
    said: list[tuple[int, int | None, str, bool]],
    shuffled: random.Random,
) -> None:
    def hashed(rows: list[Any], answers: list[Any]) -> str:
        coding = Coding(make_world(store, f"order-{next(FRESH)}", BOOKS[0]), BOOKS[0])
        ids = {}
        for n, (number, variant, group, stream) in rows:
            ids[n] = coding.text(variant.format(body(number)), stream, group)
        for n in ids:
            coding.answer(ids[n], 3, humor="yes", annotation=n + 1, at=1)
        for n, (place, coder, humor, truth) in answers:
            given_then = {"annotation": 1000 + n, "at": n // 2 + 1, "ground_truth": truth}
            coding.answer(ids[place % len(plan)], coder, humor=humor, **given_then)
        try:
            return freeze(coding.store, coding.project, seed=3).hash
        except SnapshotError as error:
            return str(error)

    rows, answers = list(enumerate(plan)), list(enumerate(said))
    first = hashed(rows, answers)
    shuffled.shuffle(rows)
    shuffled.shuffle(answers)
    assert hashed(rows, answers) == first
