"""Frozen labels in the store."""

from __future__ import annotations

from sqlalchemy import delete

from db import snapshots, texts
from db.models import Text
from db.snapshots import ItemRow, Kept, Known
from db.texts import PlacementRow, TextRow
from tests.db.world import World


def test_known_texts_come_with_their_stream(world: World) -> None:
    with world.store.writing() as s:
        (third,) = texts.remember(s, world.project.id, [TextRow(("third",))])
        texts.place(s, [PlacementRow(world.text, None, 0, "audit", "gate")])
    with world.store.reading() as s:
        found = snapshots.known(s, world.project.id)
    hashes = {one.id: one.content_hash for one in found}
    assert len(found) == 3 and len(set(hashes.values())) == 3
    assert Known(world.text, hashes[world.text], "audit") in found
    assert Known(third, hashes[third], None) in found


def test_a_hash_is_one_snapshot_and_its_items_are_kept_as_they_were(world: World) -> None:
    humor = world.questions["humor"]
    value = {"labels": ["yes"], "shares": {"no": 0.25, "yes": 0.75}}
    with world.store.writing() as s:
        first = snapshots.remember(s, world.project.id, "ab", world.release.revision_id, {"rule": "majority"})
        again = snapshots.remember(s, world.project.id, "ab", world.release.revision_id, {"rule": "other"})
        assert first.id == again.id and again.rule == {"rule": "majority"}
        assert snapshots.add(s, first.id, [ItemRow(world.text, humor, value, "train")]) == 1
        assert snapshots.add(s, first.id, [ItemRow(world.text, humor, {}, "validation")]) == 0
        assert snapshots.add(s, first.id, []) == 0
        other = snapshots.remember(s, world.project.id, "cd", world.release.revision_id, {})
        assert other.id != first.id
    with world.store.reading() as s:
        content = s.get_one(Text, world.text).content_hash
        assert snapshots.items(s, first.id) == [Kept(world.text, content, "humor", value, "train")]
        assert snapshots.items(s, other.id) == []


def test_a_text_that_is_removed_leaves_its_snapshots(world: World) -> None:
    with world.store.writing() as s:
        made = snapshots.remember(s, world.project.id, "ab", world.release.revision_id, {})
        snapshots.add(s, made.id, [ItemRow(world.text, world.questions["humor"], {}, "train")])
        s.execute(delete(Text).where(Text.id == world.text))
        assert snapshots.items(s, made.id) == []
