from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db import revisions
from db.errors import RevisionNotFoundError
from db.models import CodebookUse
from labelstudio_config import library
from tests.db.world import World, codebook


def uses(world: World) -> list[int]:
    with world.store.reading() as s:
        return list(s.scalars(select(CodebookUse.revision_id).order_by(CodebookUse.id)))


def test_a_current_codebook_is_registered_once(world: World) -> None:
    with world.store.writing() as s:
        first = revisions.current(s, world.project.id)
        assert first is not None
        assert revisions.register(s, world.project.id, codebook(), "<View/>").id == first.id
        assert (first.number, first.parent_id, first.xml) == (1, None, "<View/>")
    assert uses(world) == [first.id]


def test_going_back_takes_up_the_old_revision_and_is_logged(world: World) -> None:
    a, b = codebook(), codebook("humor", "offense", "trust", labels=("no", "yes", "unsure"))
    with world.store.writing() as s:
        old = revisions.current(s, world.project.id)
        new = revisions.register(s, world.project.id, b, "<View>b</View>")
        assert old is not None
        assert (new.number, new.parent_id) == (2, old.id)
        assert (new.content_hash, new.scoring_hash) == (b.content_hash, b.scoring_hash)
    with world.store.writing() as s:
        back = revisions.register(s, world.project.id, a, "<View/>")
        assert back.id == old.id
    with world.store.reading() as s:
        current = revisions.current(s, world.project.id)
        assert current is not None
        assert current.id == old.id
    assert uses(world) == [old.id, new.id, old.id]


def test_questions_and_labels_keep_their_ids_across_revisions(world: World) -> None:
    with world.store.writing() as s:
        revisions.register(s, world.project.id, codebook("trust", "humor", labels=("yes", "unsure")), "")
        questions, labels = revisions.question_ids(s, world.project.id), revisions.label_ids(s, world.project.id)
    assert set(questions) == {"humor", "offense", "trust"}
    assert world.questions.items() <= questions.items()
    assert world.labels.items() <= labels.items()
    assert {label for question, label in labels if question == "humor"} == {"no", "yes", "unsure"}
    assert {label for question, label in labels if question == "offense"} == {"no", "yes"}
    assert len({*labels.values()}) == len(labels)


def test_before_the_first_there_is_none(world: World) -> None:
    with world.store.reading() as s:
        assert revisions.current(s, 999) is None
        assert revisions.question_ids(s, 999) == {}
        assert revisions.label_ids(s, 999) == {}


@pytest.mark.parametrize("name", library.names())
def test_a_codebook_comes_back_equal(world: World, name: str) -> None:
    book = library.load(name)
    book = replace(book, title=f"{book.title} — “ü”\n\t😀 : #", instruction="- a\n\n  b: c\r\n")
    with world.store.writing() as s:
        stored = revisions.register(s, world.project.id, book, "")
    with world.store.reading() as s:
        revision = revisions.current(s, world.project.id)
        assert revision is not None
        assert revisions.codebook(revision) == book
        assert revisions.codebook(revision).content_hash == stored.content_hash


def test_the_revision_before_and_revisions_by_number(world: World) -> None:
    project = world.project.id
    with world.store.writing() as s:
        assert revisions.before(s, project) is None
        first = revisions.numbered(s, project, 1)
        second = revisions.register(s, project, codebook("humor"), "<View/>")
        assert (revisions.before(s, project), revisions.numbered(s, project, 2)) == (first, second)
        revisions.register(s, project, codebook(), "<View/>")
        assert revisions.before(s, project) == second, "an earlier one was taken up again"
        with pytest.raises(RevisionNotFoundError, match=r"no revision 3\. They are 1 to 2\."):
            revisions.numbered(s, project, 3)
        with pytest.raises(RevisionNotFoundError, match="It has no codebook yet"):
            revisions.numbered(s, project + 1, 1)
