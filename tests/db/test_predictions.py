from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from db import predictions, texts
from db.dialect import _spelt
from db.models import Exposure
from db.predictions import ExposureRow, Recalled, pack, unpack
from db.store import Store
from db.texts import PlacementRow, TextRow
from tests.db.world import World

FLOATS = st.floats(allow_nan=False)


@given(arrays.arrays(np.float64, st.integers(0, 20), elements=FLOATS))
def test_a_vector_comes_back_bit_for_bit(values: np.ndarray) -> None:
    back = unpack(pack(values))
    assert back.dtype == np.float64
    assert back.tobytes() == values.tobytes()
    assert len(pack(values)) == 8 * len(values)


def test_bytes_are_little_endian() -> None:
    assert pack(np.array([1.0])) == b"\x00\x00\x00\x00\x00\x00\xf0\x3f"
    assert pack(np.array([1.0], dtype=">f8")) == pack(np.array([1.0]))


def vectors(n: int) -> list[np.ndarray]:
    return [np.log([i / (n + 1), 1 - i / (n + 1)]) for i in range(1, n + 1)]


def test_what_is_stored_is_found_and_stays(world: World) -> None:
    humor, offense = world.questions.values()
    with world.store.writing() as s:
        ids = texts.remember(s, world.project.id, [TextRow((str(i),)) for i in range(3)])
        values = vectors(4)
        rows = [(ids[0], humor, values[0], 0), (ids[0], offense, values[1], 0), (ids[1], humor, values[2], 7)]
        assert predictions.store(s, world.scorer.id, rows) == 3
    with world.store.writing() as s:
        again = [(ids[0], humor, values[3], 0), (ids[2], humor, values[3], 0)]
        assert predictions.store(s, world.scorer.id, again) == 1
        assert predictions.store(s, world.scorer.id, []) == 0
    with world.store.reading() as s:
        found = predictions.lookup(s, world.scorer.id, [humor, offense], [*ids, 999])
        assert {key: list(value) for key, value in found.items()} == {
            (ids[0], humor): list(values[0]),
            (ids[0], offense): list(values[1]),
            (ids[1], humor): list(values[2]),
            (ids[2], humor): list(values[3]),
        }
        assert set(predictions.lookup(s, world.scorer.id, [offense], ids)) == {(ids[0], offense)}
        assert predictions.lookup(s, 999, [humor], ids) == {}
        assert predictions.lookup(s, world.scorer.id, [humor], []) == {}
        assert s.execute(text("SELECT max(cut) FROM prediction")).scalar() == 7


def test_a_score_of_an_unknown_text_is_an_error(world: World) -> None:
    with pytest.raises(IntegrityError), world.store.writing() as s:
        predictions.store(s, world.scorer.id, [(999, world.questions["humor"], np.zeros(2), 0)])


def test_more_texts_than_a_statement_holds(world: World) -> None:
    with world.store.writing() as s:
        ids = texts.remember(s, world.project.id, [TextRow((str(i),)) for i in range(700)])
    rows = [(i, q, np.array([float(i), float(q)]), 0) for i in ids for q in world.questions.values()]
    stored = world.store.write_in_chunks(rows, lambda s, part: predictions.store(s, world.scorer.id, part))
    assert sum(stored) == 1400
    with world.store.reading() as s:
        found = predictions.lookup(s, world.scorer.id, list(world.questions.values()), ids)
    assert {key: tuple(value) for key, value in found.items()} == {(i, q): (i, q) for i, q, _, _ in rows}


def test_a_lookup_searches_in_indexes_alone(lite: Store) -> None:
    parameters = {"scorer": 1, "project": 1, "texts": "[1, 2]", "questions": "[1, 2]", "hashes": '["a", "b"]'}
    with lite.reading() as s:
        for query in (predictions._LOOKUP, predictions._RECALL):
            plan = s.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {_spelt(query, True)}", parameters)
            steps = [row.detail for row in plan]
            assert any("text_id=? AND question_id=? AND scorer_id=?" in step for step in steps)
            assert [step for step in steps if step.startswith("SCAN") and "json_each" not in step] == []


def test_recall_gives_text_stream_and_scores_in_order(world: World) -> None:
    humor, offense = world.questions.values()
    with world.store.writing() as s:
        a, b = texts.remember(s, world.project.id, [TextRow(("a",)), TextRow(("b",))])
        texts.place(s, [PlacementRow(a, None, 0, "audit", "gate")])
        predictions.store(s, world.scorer.id, [(b, humor, np.zeros(2), 0), (b, offense, np.ones(2), 0)])
    with world.store.reading() as s:
        asked = [("b",), ("new",), ("a",), ("b",)]
        of_b, new, of_a, again = predictions.recall(s, world.project.id, world.scorer.id, [humor, offense], asked)
        only = predictions.recall(s, world.project.id, world.scorer.id, [offense], [("b",)])
        assert predictions.recall(s, 999, world.scorer.id, [humor], [("b",)]) == [Recalled(None, None, {})]
    assert (of_b.text_id, of_b.stream, sorted(of_b.scores)) == (b, None, [humor, offense])
    assert list(of_b.scores[offense]) == [1.0, 1.0]
    assert new == Recalled(None, None, {})
    assert of_a == Recalled(a, "audit", {}, 0)
    assert again is of_b
    assert list(only[0].scores) == [offense]


def test_an_exposure_is_a_row_each_time(world: World) -> None:
    row = ExposureRow(world.text, world.release.id, world.task, "predict")
    with world.store.writing() as s:
        predictions.expose(s, [row, row, ExposureRow(world.text, world.release.id, None, "push")])
        predictions.expose(s, [])
    with world.store.reading() as s:
        shown = s.scalars(select(Exposure).order_by(Exposure.id)).all()
    assert [(e.text_id, e.ls_task_id, e.channel) for e in shown] == [
        (world.text, world.task, "predict"),
        (world.text, world.task, "predict"),
        (world.text, None, "push"),
    ]
    assert all(e.created_at.tzinfo for e in shown)
