"""A corpus scored without any Label Studio: in which order, how many, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.alone import alone
from backend.assist.manner import Manner
from backend.corpus import pushes, wiring
from backend.corpus.prelabel import OtherEngineError, Prelabelled, PushBusyError, Wanted, check_engine, prelabel
from db import jobs, predictions, projects, releases, revisions, texts
from db.models import LsProject, Placement, Prediction, Project, Unit
from db.store import Store, open_store, sqlite_url
from db.texts import PlacementRow, TaskRow, UnitRow
from labelstudio_config.xml import to_xml
from tests.backend.assist.engines import IDENTITY, FakeEngine, SilentEngine
from tests.backend.assist.world import BOOK
from tests.backend.corpus.fake_label_studio import FakeLabelStudio

OTHER = replace(IDENTITY, digest="d2")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def project(store: Store) -> Project:
    """Ten texts: two of the audit, two controls, drawn in the order 7, 3; the others are in no stream yet."""
    with store.writing() as s:
        made = projects.create(s, "posts", "Posts", 1, {"audit": 2, "control": 2, "coders": 2})
        revisions.register(s, made.id, BOOK, to_xml(BOOK))
        rows = [UnitRow(str(i), (f"text {i}",), i) for i in range(10)]
        ids = texts.remember_units(s, made.id, rows, "posts.csv")
        drawn = [(0, "audit", 0), (5, "audit", 1), (7, "control", 2), (3, "control", 3)]
        texts.place(s, [PlacementRow(ids[i], None, rank, stream) for i, stream, rank in drawn])
    return made


def run(store: Store, project: Project, engine: FakeEngine, wanted: Wanted | None = None) -> Prelabelled:
    return prelabel(store, engine, project, lambda done, total: None, wanted or Wanted())


def asked(engine: FakeEngine) -> list[str]:
    return [text for (text,) in engine.texts]


def test_controls_come_first_and_the_audit_last(store: Store, project: Project) -> None:
    engine = FakeEngine()
    steps: list[tuple[int, int]] = []
    done = prelabel(store, engine, project, lambda *step: steps.append(step), Wanted())
    assert done.scored == 10
    order = asked(engine)
    assert set(order[:2]) == {"text 7", "text 3"}
    assert set(order[-2:]) == {"text 0", "text 5"}
    assert steps[-1] == (10, 10)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    with store.reading() as s:
        current = releases.current(s, project.id)
        assert current is not None and current.name == done.release, "the release is made where there was none"
        assert len(s.scalars(select(Placement)).all()) == 4, "what nobody was shown is free for later draws"
    assert run(store, project, SilentEngine()).scored == 0


def test_a_limit_is_kept_and_the_next_run_goes_on(store: Store, project: Project) -> None:
    seen: list[str] = []
    for expected in (3, 3, 3, 1, 0):
        engine = FakeEngine()
        assert run(store, project, engine, Wanted(limit=3)).scored == expected
        seen += asked(engine)
    assert len(seen) == len(set(seen)) == 10
    assert set(seen[:2]) == {"text 7", "text 3"}
    assert set(seen[-2:]) == {"text 0", "text 5"}


def test_a_text_that_fails_does_not_use_the_limit_up(store: Store, project: Project) -> None:
    engine = FakeEngine(poison=("text 7", "text 3"))
    done = run(store, project, engine, Wanted(limit=3))
    assert (done.scored, done.failed) == (3, 2)
    assert str(done).endswith("2 could not be scored: The engine failed on this text (ValueError).")
    assert "text" not in str(done).replace("texts", "").replace("this text", "")


def test_a_text_with_some_of_its_scores_gets_the_others(store: Store, project: Project) -> None:
    run(store, project, FakeEngine())
    with store.writing() as s:
        s.delete(s.scalars(select(Prediction)).first())
    engine = FakeEngine()
    assert run(store, project, engine).scored == 1
    assert len(engine.asked) == 1


def test_only_missing_leaves_what_any_release_scored(store: Store, project: Project) -> None:
    run(store, project, FakeEngine(), Wanted(limit=4))
    other = FakeEngine(identity=OTHER)
    assert run(store, project, other, Wanted(only_missing=True)).scored == 6
    assert run(store, project, SilentEngine(identity=other.identity), Wanted(only_missing=True)).scored == 0
    rest = FakeEngine(identity=other.identity)
    assert run(store, project, rest).scored == 4


def test_two_at_once_are_refused(store: Store, project: Project) -> None:
    with alone(store, f"push-{project.id}", PushBusyError()), pytest.raises(PushBusyError, match="scores or pushes"):
        run(store, project, SilentEngine())


def test_a_server_with_another_engine_is_in_the_way(store: Store, project: Project) -> None:
    engine = FakeEngine()
    check_engine(store, project, engine)
    run(store, project, engine)
    with store.writing() as s:
        assert jobs.acquire(s, "worker", "a/1/b", 60.0)
    check_engine(store, project, engine)
    with pytest.raises(OtherEngineError, match="Give both the same options"):
        check_engine(store, project, FakeEngine(identity=OTHER))


def test_the_screen_follows_the_manner(store: Store, project: Project) -> None:
    fake = FakeLabelStudio()
    number = fake.create_project(label_config=to_xml(BOOK))["id"]
    row = LsProject(project_id=project.id, server_id=1, ls_id=number, ls_created=1, role="assisted")
    wiring.show_manner(fake, row, BOOK, Manner())  # type: ignore[arg-type]
    assert fake.calls == ["create project"], "a screen that fits is left alone"
    wiring.show_manner(fake, row, BOOK, Manner(ticked=False))  # type: ignore[arg-type]
    assert fake.project(number)["label_config"].count("suggestion_") == 3
    wiring.show_manner(fake, row, BOOK, Manner(ticked=False))  # type: ignore[arg-type]
    wiring.show_manner(fake, row, BOOK, Manner())  # type: ignore[arg-type]
    assert fake.project(number)["label_config"] == to_xml(BOOK)
    assert len(fake.calls) == 3


def test_the_corpus_is_what_was_taken_in(store: Store, project: Project) -> None:
    run(store, project, FakeEngine())
    with store.reading() as s:
        ids = s.scalars(select(Unit.text_id)).all()
        scorer = releases.current(s, project.id)
        assert scorer is not None
        questions = list(revisions.question_ids(s, project.id).values())
        assert len(predictions.lookup(s, scorer.scorer_id, questions, ids)) == 30


def test_tasks_that_never_had_a_suggestion(store: Store, project: Project) -> None:
    with store.writing() as s:
        server = projects.server(s, "http://fake.example:8080")
        row = projects.add_ls_project(s, project.id, server.id, 1, 1000, "assisted")
        tasks = [TaskRow(100 + i, str(i), (f"text {i}",)) for i in range(10)]
        texts.remember_tasks(s, row, tasks, "posts.csv")
    first = run(store, project, FakeEngine())
    with store.reading() as s:
        earlier = releases.current(s, project.id)
    assert earlier is not None and earlier.name == first.release
    todo = pushes.missing(store, row, earlier.id)
    assert [one.task_id for one in todo[:2]] == [107, 103], "controls first, in the order of the draw"
    assert {one.task_id for one in todo} == {101, 102, 103, 104, 106, 107, 108, 109}, "none of the audit"
    with store.writing() as s:
        pushes.begin(s, earlier.id, [(one, 0.5) for one in todo[:4]])
        pushes.finish(s, earlier.id, [one.ls_task_id for one in todo[:3]])
    run(store, project, FakeEngine(identity=OTHER), Wanted(limit=1))
    with store.reading() as s:
        later = releases.current(s, project.id)
    assert later is not None and later.id != earlier.id
    assert len(pushes.missing(store, row, earlier.id)) == 5
    assert len(pushes.missing(store, row, later.id)) == 8
    never = pushes.missing(store, row, later.id, never=True)
    assert {one.task_id for one in never} == {one.task_id for one in todo[3:]}, "begun is not sent"
