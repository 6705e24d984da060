"""A labelling screen with areas for suggestions in words, as events bring it."""

from __future__ import annotations

from sqlalchemy import select

from db.models import CodebookRevision, CodebookUse
from db.store import Store
from labelstudio_config.beside import with_areas
from labelstudio_config.xml import from_xml
from tests.backend.corpus.test_inbox import live, receive, store, work
from tests.payloads import CONFIG, annotation, created, project

__all__ = ["store"]


def test_a_screen_with_areas_for_suggestions_is_the_codebook_that_was_there(store: Store) -> None:
    book = from_xml(CONFIG, key="tones")
    screen = with_areas(CONFIG, book)
    assert screen != CONFIG
    receive(store, {"action": "PROJECT_UPDATED", "project": project()})
    work(store)
    later = project(label_config=screen, updated_at="2026-11-25T10:00:00.000000Z")
    receive(store, {"action": "PROJECT_UPDATED", "project": later})
    receive(store, created(annotation(1, 10)) | {"project": later})
    work(store)
    assert [answer.problems for answer in live(store)] == [None]
    with store.reading() as s:
        assert [row.xml for row in s.scalars(select(CodebookRevision))] == [CONFIG]
        assert len(s.scalars(select(CodebookUse)).all()) == 1
