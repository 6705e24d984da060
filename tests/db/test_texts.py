from __future__ import annotations

from unicodedata import normalize

import numpy as np
from sqlalchemy import func, select, text, update

from db import predictions, texts
from db.base import now
from db.models import LsTask, Placement, Text, TextBody, Unit
from db.store import Store
from db.texts import PlacementRow, TaskRow, TextRow, UnitRow
from tests.db.world import World, make_world


def test_the_same_content_is_one_text_in_its_composed_form(world: World) -> None:
    rows = [TextRow((normalize("NFD", "Café"),)), TextRow(("Café",)), TextRow(("Cafe",)), TextRow(("a", "b"))]
    with world.store.writing() as s:
        ids = texts.remember(s, world.project.id, rows)
        assert texts.remember(s, world.project.id, rows[::-1]) == ids[::-1]
    assert ids[0] == ids[1]
    assert len({*ids}) == 3
    with world.store.reading() as s:
        assert texts.find(s, world.project.id, [("Café",), ("new",), ("a", "b")]) == [ids[0], None, ids[3]]
        bodies = texts.bodies(s, [*ids, 999])
    assert bodies == {ids[0]: ("Café",), ids[2]: ("Cafe",), ids[3]: ("a", "b")}


def test_projects_do_not_share_texts(store: Store) -> None:
    a, b = make_world(store, "a"), make_world(store, "b")
    with store.writing() as s:
        ids = [texts.remember(s, world.project.id, [TextRow(("x",))])[0] for world in (a, b)]
    assert ids[0] != ids[1]


def test_a_text_takes_the_first_group_it_is_given(world: World) -> None:
    with world.store.writing() as s:
        given = [TextRow(("a",)), TextRow(("b",), "g1"), TextRow(("c",)), TextRow(("c",), "g3")]
        ids = texts.remember(s, world.project.id, given)
        texts.remember(s, world.project.id, [TextRow(("a",), "g2"), TextRow(("b",), "g2"), TextRow(("c",))])
        groups = {row.id: row.group_key for row in s.scalars(select(Text).where(Text.id.in_(ids)))}
    assert groups == {ids[0]: "g2", ids[1]: "g1", ids[2]: "g3"}


def test_more_texts_than_a_statement_holds(world: World) -> None:
    rows = [TextRow((f"text {i % 1500}",)) for i in range(1700)]

    def remember(s: object, part: list[TextRow]) -> list[int]:
        return texts.remember(s, world.project.id, part)  # type: ignore[arg-type]

    ids = [i for part in world.store.write_in_chunks(rows, remember, size=1000) for i in part]
    assert len({*ids}) == 1500
    assert ids[:200] == ids[1500:]
    with world.store.reading() as s:
        assert texts.find(s, world.project.id, [row.fields for row in rows]) == ids
        assert texts.bodies(s, ids)[ids[1499]] == ("text 1499",)


def test_an_erased_body_is_gone_and_stays_gone(world: World) -> None:
    with world.store.writing() as s:
        s.execute(update(TextBody).where(TextBody.text_id == world.text).values(fields=None, erased_at=now()))
        assert s.execute(text("SELECT count(*) FROM text_body WHERE fields IS NULL")).scalar() == 1
    with world.store.writing() as s:
        again = texts.remember(s, world.project.id, [TextRow(("Why did the chicken?",))])
        assert again == [world.text]
        assert texts.bodies(s, again) == {}


def test_tasks_are_remembered_once_with_their_rows(world: World) -> None:
    rows = [
        TaskRow(20, "r1", ("same",), row=1, other={"year": 2020}),
        TaskRow(21, "r2", ("same",), row=2),
        TaskRow(22, "r3", ("other",), group_key="g"),
    ]
    with world.store.writing() as s:
        first = texts.remember_tasks(s, world.assisted, rows, source="posts.csv")
        assert texts.remember_tasks(s, world.assisted, rows, source="posts.csv") == first
    assert len({task for task, _ in first}) == 3
    assert first[0][1] == first[1][1] != first[2][1]
    with world.store.reading() as s:
        units = s.scalars(select(Unit).where(Unit.source == "posts.csv").order_by(Unit.id)).all()
        assert [(u.external_id, u.row, u.other) for u in units] == [
            ("r1", 1, {"year": 2020}),
            ("r2", 2, None),
            ("r3", None, None),
        ]
        assert s.execute(text("SELECT count(*) FROM unit WHERE other IS NULL")).scalar() == 4
        assert s.get_one(Text, first[2][1]).group_key == "g"


def test_the_same_task_id_of_two_label_studio_projects_is_two_tasks(world: World) -> None:
    with world.store.writing() as s:
        (a, text_a), (b, text_b) = (
            texts.remember_tasks(s, ls_project, [TaskRow(30, "r1", ("same",))], source="posts.csv")[0]
            for ls_project in (world.assisted, world.audit)
        )
        assert (a != b, text_a == text_b) == (True, True)
        assert s.scalars(select(func.count(Unit.id)).where(Unit.source == "posts.csv")).one() == 1


def test_a_task_keeps_its_unit_when_it_is_named_otherwise_later(world: World) -> None:
    with world.store.writing() as s:
        before = s.scalars(select(func.count(Unit.id))).one()
        again = texts.remember_tasks(s, world.assisted, [TaskRow(10, "another name", ("Why did the chicken?",))])
        assert again == [(world.task, world.text)]
        assert s.scalars(select(func.count(Unit.id))).one() == before


def test_an_edited_text_takes_the_place_of_the_old_one(world: World) -> None:
    with world.store.writing() as s:
        texts.place(s, [PlacementRow(world.text, None, 5, "control")])
        s.execute(update(Text).where(Text.id == world.text).values(cluster=world.text))
        ((task, new),) = texts.remember_tasks(s, world.assisted, [TaskRow(10, "a", ("Why did the hen?",))])
    with world.store.reading() as s:
        assert (task, new != world.text) == (world.task, True)
        unit = s.scalars(select(Unit).join(LsTask, LsTask.unit_id == Unit.id).where(LsTask.id == world.task)).one()
        assert unit.text_id == new
        placements = texts.placements(s, [world.text, new])
        assert [(p.rank, p.stream) for p in placements.values()] == [(5, "control")] * 2
        assert s.get_one(Text, new).cluster == world.text
        assert texts.bodies(s, [world.text, new]) == {world.text: ("Why did the chicken?",), new: ("Why did the hen?",)}


def test_a_deleted_task_is_marked_once(world: World) -> None:
    with world.store.writing() as s:
        texts.delete_tasks(s, world.assisted.id, [10, 999])
        first = s.get_one(LsTask, world.task).deleted_at
    with world.store.writing() as s:
        texts.delete_tasks(s, world.assisted.id, [10])
        assert s.get_one(LsTask, world.task).deleted_at == first is not None
        assert s.get_one(LsTask, world.audit_task).deleted_at is None


def test_a_placement_is_for_ever(world: World) -> None:
    with world.store.writing() as s:
        ids = texts.remember(s, world.project.id, [TextRow((str(i),)) for i in range(3)])
        rows = [PlacementRow(ids[0], None, 0, "audit", "gate"), PlacementRow(ids[1], None, 1, "audit", "test")]
        assert texts.place(s, rows) == 2
    with world.store.writing() as s:
        assert texts.place(s, [PlacementRow(ids[0], None, 9, "control")]) == 0
        assert texts.place_as_work(s, ids) == 1
        assert texts.place_as_work(s, []) == 0
    with world.store.reading() as s:
        placed = texts.placements(s, [*ids, 999])
        assert [(p.stream, p.rank, p.role) for p in (placed[i] for i in ids)] == [
            ("audit", 0, "gate"),
            ("audit", 1, "test"),
            ("work", None, None),
        ]
        assert s.scalars(select(func.count(Placement.text_id))).one() == 3


def test_units_are_known_before_any_task_shows_them(world: World) -> None:
    rows = [UnitRow("r1", ("one",), row=1, group_key="g"), UnitRow("r2", ("one",), row=2), UnitRow("r3", ("two",))]
    with world.store.writing() as s:
        ids = texts.remember_units(s, world.project.id, rows, "posts.csv")
        assert texts.remember_units(s, world.project.id, rows, "posts.csv") == ids
        named = ["r1", "r2", "r3", "r9"]
        assert texts.row_texts(s, world.project.id, "posts.csv", named) == dict(zip(named, ids, strict=False))
        assert texts.row_texts(s, world.project.id, "other.csv", named) == {}
        shown = texts.remember_tasks(s, world.assisted, [TaskRow(40, "r2", ("one",))], source="posts.csv")
        assert shown[0][1] == ids[1] == ids[0]
        assert s.scalars(select(func.count(Unit.id)).where(Unit.source == "posts.csv")).one() == 3
        assert {text: row.external_id for text, row in texts.units(s, [*ids, 999]).items()} == {
            ids[0]: "r1",
            ids[2]: "r3",
        }


def test_what_a_scorer_has_not_scored(world: World) -> None:
    with world.store.writing() as s:
        texts.remember(s, world.project.id, [TextRow(("no row shows it",))])
        audit = s.scalars(select(Unit.text_id).join(LsTask).where(LsTask.id == world.audit_task)).one()
        texts.place(s, [PlacementRow(audit, None, None, "audit", "gate")])
        questions = [world.questions["humor"]]
        assert texts.unscored(s, world.project.id, world.scorer.id, questions) == [[], [world.text], [audit]]
        score = (world.text, world.questions["humor"], np.log([0.5, 0.5]), 0)
        predictions.store(s, world.scorer.id, [score])
        assert texts.unscored(s, world.project.id, world.scorer.id, questions) == [[], [], [audit]]
        both = [*questions, max(world.questions.values()) + 1]
        assert texts.unscored(s, world.project.id, world.scorer.id, both) == [[], [world.text], [audit]]
        assert texts.unscored(s, world.project.id, world.scorer.id + 1, questions) == [[], [world.text], [audit]]
        assert texts.unscored(s, world.project.id, None, questions) == [[], [], [audit]]
