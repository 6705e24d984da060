"""Runs that break off, cannot learn, or meet others: what answers stays as it was, and nothing is lost."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.alone import alone
from backend.assist.catalogue import Catalogue
from backend.engines.bundle import parts
from backend.engines.encoder import EncoderEngine
from backend.learning import registry, snapshot, tuning
from backend.learning.retrain import RetrainBusyError
from backend.learning.snapshot import SnapshotError
from backend.settings import Settings
from backend.tuners.targets import TrainingError
from db import runs
from db.models import Adapter, GateDecision, Run
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import TEXT, labels
from tests.backend.learning.coding import Coding
from tests.backend.learning.letters import TOPICS, all_of, body, code, release, run


def test_a_run_that_broke_off_goes_on(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while the second question is tuned: the first one's adapter is taken as it is."""
    code(letters, work=60, gate=60)
    tuned: list[str] = []
    work = tuning.tune

    def dies(engine: Any, question: Question, *args: Any, **kwargs: Any) -> Any:
        tuned.append(question.id)
        if question.id == "topics" and tuned.count("topics") == 1:
            raise KeyboardInterrupt
        return work(engine, question, *args, **kwargs)

    monkeypatch.setattr(tuning, "tune", dies)
    with pytest.raises(KeyboardInterrupt):
        run(letters, settings, engine)
    (broken,) = all_of(letters, Run)
    assert broken.state == "running" and all_of(letters, Adapter) == []
    ran = run(letters, settings, engine)
    assert tuned == ["mood", "topics", "topics"]
    assert ran.card is not None and ran.card.facts.run == broken.id
    assert [one.state for one in all_of(letters, Run)] == ["done"]


def test_a_run_that_broke_off_and_has_new_labels_begins_anew(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(letters, work=60, gate=60)

    def dies(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tuning, "tune", dies)
        run(letters, settings, engine)
    code(letters, work=2, gate=0, start=700)
    run(letters, settings, engine)
    assert [one.state for one in all_of(letters, Run)] == ["failed", "done"]
    assert [folder.name for folder in (settings.home / "adapters" / letters.world.key).iterdir()] == ["run-2"]


def test_one_run_at_a_time(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(letters, work=60, gate=60)
    with alone(letters.store, f"retrain-{letters.project.id}", RuntimeError()), pytest.raises(RetrainBusyError):
        run(letters, settings, engine)
    assert all_of(letters, Run) == []


def test_without_labels_nothing_changes(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(letters, engine)
    with pytest.raises(SnapshotError, match="Nobody has answered yet"):
        run(letters, settings, engine)
    assert (release(letters, engine), all_of(letters, Run)) == (before, [])


def test_with_one_label_only_the_reason_is_said_and_nothing_changes(
    letters: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    before = release(letters, engine)
    for number in range(20):
        letters.answer(letters.text(body(number, "early")), 1, mood="early")
    with pytest.raises(TrainingError, match="All 20 texts have the same answer"):
        run(letters, settings, engine)
    (failed,) = all_of(letters, Run)
    assert failed.state == "failed" and failed.error.startswith("All 20 texts have the same answer")
    assert (release(letters, engine), all_of(letters, Adapter)) == (before, [])


def test_a_question_of_which_nothing_can_be_learned_is_passed_over(
    letters: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    code(letters, work=60, gate=60, topics=("zed",))
    ran = run(letters, settings, engine)
    (adapter,) = all_of(letters, Adapter)
    assert sorted(parts(letters.store.folder(adapter.path))) == ["mood"]
    assert ran.card is not None
    assert "same answer" in all_of(letters, Run)[0].metrics["passed"]["topics"]


def test_a_release_that_was_changed_meanwhile_stays(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(letters, work=80, gate=80)
    run(letters, settings, engine)
    code(letters, work=10, gate=0, start=300)
    work = tuning.tune

    def meddles(*args: Any, **kwargs: Any) -> Any:
        registry.activate(letters.store, engine, letters.project, 0, by="ana", reason="Meanwhile.")
        return work(*args, **kwargs)

    monkeypatch.setattr(tuning, "tune", meddles)
    ran = run(letters, settings, engine, force=True)
    assert Catalogue(letters.store, engine.identity).state(letters.world.key).adapter is None
    assert ran.card is not None and ran.card.decision.outcome != "promote"


def test_looks_are_numbered_one_by_one(letters: Coding) -> None:
    """Two threads write decisions at once."""
    state = None
    from tests.backend.assist.engines import FakeEngine

    state = Catalogue(letters.store, FakeEngine().identity).state(letters.world.key)

    def decide() -> None:
        for _ in range(5):
            with letters.store.writing() as s:
                runs.decide(
                    s,
                    letters.project.id,
                    run_id=None,
                    challenger_id=state.release_id,
                    champion_id=state.release_id,
                    n=1,
                    delta=0.0,
                    lower=0.0,
                    upper=0.0,
                    outcome="keep",
                    details={},
                )

    threads = [threading.Thread(target=decide) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with letters.store.reading() as s:
        assert s.scalars(select(func.max(GateDecision.look_number))).one() == 15


def test_a_codebook_that_changes_at_the_wrong_moment_is_said(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(letters, work=60, gate=0)
    freeze = snapshot.freeze

    def late(*args: Any, **kwargs: Any) -> Any:
        more = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("early", "late", "middle"))
        letters.revise(Codebook("letters", "Letters", (more, TOPICS)))
        return freeze(*args, **kwargs)

    monkeypatch.setattr(snapshot, "freeze", late)
    with pytest.raises(SnapshotError, match="changed just now"):
        run(letters, settings, engine)
    assert all_of(letters, Run) == []
