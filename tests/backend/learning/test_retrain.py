"""One run of the loop, from answers to the release that answers, with a real encoder that is small."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.alone import alone
from backend.assist.catalogue import Catalogue
from backend.engines.bundle import parts
from backend.engines.encoder import EncoderEngine
from backend.learning import export, registry, snapshot, tuning
from backend.learning.card import CHALLENGER, from_plain
from backend.learning.retrain import Ran, RetrainBusyError, register, retrain
from backend.learning.snapshot import SnapshotError
from backend.settings import Settings, load
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options, Step
from db import runs
from db.models import Adapter, GateDecision, Job, Pointer, Run
from db.store import Store, sqlite_url
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import TEXT, labels, make_world
from tests.backend.engines.questions import tiny_encoder
from tests.backend.learning.coding import Coding

EARLY, LATE = "abcde", "vwxyz"  # the letters of a text decide its label
MOOD = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("early", "late"))
TOPICS = Question("topics", "topics", Kind.MULTIPLE, Control.CHOICES, (TEXT,), labels("vowel", "zed"))
BOOK = Codebook("letters", "Letters", (MOOD, TOPICS))
HEAD = Options(encoder="head")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EncoderEngine:
    return EncoderEngine(str(tiny_encoder(tmp_path_factory.mktemp("bert") / "model")), device="cpu")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="encoder")


@pytest.fixture
def coding(store: Store) -> Coding:
    coding = Coding(make_world(store, codebook=BOOK), BOOK)
    coding.change(sampling_design={"audit": 100, "control": 0, "coders": 1})
    return coding


def body(number: int, label: str) -> str:
    letters = random.Random(f"{number} {label}")
    return " ".join("".join(letters.choices(EARLY if label == "early" else LATE, k=5)) for _ in range(6))


def said(text: str, label: str) -> dict[str, Any]:
    return {"mood": label, "topics": tuple(t for t, letter in (("vowel", "a"), ("zed", "z")) if text.count(letter) > 2)}


def code(coding: Coding, *, work: int, gate: int, start: int = 0, **given: Any) -> None:
    """Texts of both labels in turn, coded by who is right: so many of the work stream, and of the gate."""
    for stream, n in (("work", work), ("audit", gate)):
        for number in range(n):
            label = ("early", "late")[number % 2]
            text = body(start + number + (10_000 if stream == "audit" else 0), label)
            place = {"rank": start + number, "role": "gate"} if stream == "audit" else {}
            coding.answer(coding.text(text, stream, **place), 1, **(said(text, label) | given))


def run(
    coding: Coding,
    settings: Settings,
    engine: EncoderEngine,
    options: Options = HEAD,
    report: Callable[[Step], None] = lambda step: None,
    *,
    force: bool = False,
) -> Ran:
    return retrain(coding.store, settings, engine, coding.world.key, options, report, force=force)


def release(coding: Coding, engine: EncoderEngine) -> str:
    return Catalogue(coding.store, engine.identity).state(coding.world.key).release


def all_of(coding: Coding, table: Any) -> list[Any]:
    with coding.store.reading() as s:
        return list(s.scalars(select(table).order_by(table.id)))


def test_a_better_challenger_is_promoted(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(coding, engine)
    code(coding, work=80, gate=80)
    steps: list[Step] = []
    ran = run(coding, settings, engine, report=steps.append)
    assert ran.card is not None and ran.card.decision.outcome == "promote", ran.sentence
    after = release(coding, engine)
    assert after == ran.card.facts.challenger != before == ran.card.facts.champion
    (decision,) = all_of(coding, GateDecision)
    assert (decision.outcome, decision.look_number, decision.n) == ("promote", 1, 80)
    assert decision.delta > 0 and decision.lower > -0.01
    last = all_of(coding, Pointer)[-1]
    assert (last.by, last.reason) == ("gate", ran.sentence)
    assert [job.kind for job in all_of(coding, Job)] == ["push"]
    (done,) = all_of(coding, Run)
    assert (done.state, done.error) == ("done", None)
    assert from_plain(done.metrics["card"]) == ran.card
    assert any("zero-shot" in step.stage for step in steps) and any("mood" in step.stage for step in steps)
    assert not (settings.home / "runs" / coding.world.key / str(done.id)).exists()


def test_both_questions_are_tuned_and_on_the_card(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(coding, work=60, gate=60)
    card = run(coding, settings, engine).card
    assert card is not None
    (adapter,) = all_of(coding, Adapter)
    assert sorted(parts(Path(adapter.path))) == ["mood", "topics"]
    assert [part.question for part in card.questions] == ["mood", "topics"]
    for part in card.questions:
        assert part.used is not None and part.used.texts == 60
        assert part.gold.n == 60
        assert CHALLENGER in part.measures[0].scores


def test_with_few_gate_labels_the_champion_stays_and_the_number_needed_is_said(
    coding: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    before = release(coding, engine)
    code(coding, work=60, gate=12)
    ran = run(coding, settings, engine)
    assert ran.card is not None and ran.card.decision.outcome == "undecided"
    assert ran.card.decision.needed is not None and str(ran.card.decision.needed) in ran.sentence
    assert release(coding, engine) == before
    assert all_of(coding, Job) == []
    with coding.store.reading() as s:
        newest, _ = registry.listed(s, coding.project)
    assert (newest.outcome, newest.state) == ("undecided", "kept")
    registry.activate(coding.store, engine, coding.project, newest.number, by="ana", reason="I looked at them.")
    assert release(coding, engine) == ran.card.facts.challenger


def test_without_an_audit_nothing_is_promoted(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(coding, engine)
    code(coding, work=60, gate=0)
    ran = run(coding, settings, engine)
    assert ran.card is not None and ran.card.decision.outcome == "undecided"
    assert release(coding, engine) == before


def test_what_is_not_new_is_not_tuned_again(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(coding, work=60, gate=60)
    run(coding, settings, engine)
    ran = run(coding, settings, engine)
    assert ran.card is None and ran.sentence.startswith("Nothing is new since run 1")
    assert len(all_of(coding, GateDecision)) == 1  # no look was spent
    assert run(coding, settings, engine, force=True).card is not None
    code(coding, work=2, gate=0, start=500)
    assert run(coding, settings, engine).card is not None
    assert [decision.look_number for decision in all_of(coding, GateDecision)] == [1, 2, 3]


def test_a_run_that_broke_off_goes_on(
    coding: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while the second question is tuned: the first one's adapter is taken as it is."""
    code(coding, work=60, gate=60)
    tuned: list[str] = []
    work = tuning.tune

    def dies(engine: Any, question: Question, *args: Any, **kwargs: Any) -> Any:
        tuned.append(question.id)
        if question.id == "topics" and tuned.count("topics") == 1:
            raise KeyboardInterrupt
        return work(engine, question, *args, **kwargs)

    monkeypatch.setattr(tuning, "tune", dies)
    with pytest.raises(KeyboardInterrupt):
        run(coding, settings, engine)
    (broken,) = all_of(coding, Run)
    assert broken.state == "running" and all_of(coding, Adapter) == []
    ran = run(coding, settings, engine)
    assert tuned == ["mood", "topics", "topics"]
    assert ran.card is not None and ran.card.facts.run == broken.id
    assert [one.state for one in all_of(coding, Run)] == ["done"]


def test_a_run_that_broke_off_and_has_new_labels_begins_anew(
    coding: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(coding, work=60, gate=60)

    def dies(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tuning, "tune", dies)
        run(coding, settings, engine)
    code(coding, work=2, gate=0, start=700)
    run(coding, settings, engine)
    assert [one.state for one in all_of(coding, Run)] == ["failed", "done"]
    assert [folder.name for folder in (settings.home / "adapters" / coding.world.key).iterdir()] == ["run-2"]


def test_one_run_at_a_time(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(coding, work=60, gate=60)
    with alone(coding.store, f"retrain-{coding.project.id}", RuntimeError()), pytest.raises(RetrainBusyError):
        run(coding, settings, engine)
    assert all_of(coding, Run) == []


def test_without_labels_nothing_changes(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(coding, engine)
    with pytest.raises(SnapshotError, match="Nobody has answered yet"):
        run(coding, settings, engine)
    assert (release(coding, engine), all_of(coding, Run)) == (before, [])


def test_with_one_label_only_the_reason_is_said_and_nothing_changes(
    coding: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    before = release(coding, engine)
    for number in range(20):
        coding.answer(coding.text(body(number, "early")), 1, mood="early")
    with pytest.raises(TrainingError, match="All 20 texts have the same answer"):
        run(coding, settings, engine)
    (failed,) = all_of(coding, Run)
    assert failed.state == "failed" and failed.error.startswith("All 20 texts have the same answer")
    assert (release(coding, engine), all_of(coding, Adapter)) == (before, [])


def test_a_question_of_which_nothing_can_be_learned_is_passed_over(
    coding: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    code(coding, work=60, gate=60, topics=("zed",))
    ran = run(coding, settings, engine)
    (adapter,) = all_of(coding, Adapter)
    assert sorted(parts(Path(adapter.path))) == ["mood"]
    assert ran.card is not None
    assert "same answer" in all_of(coding, Run)[0].metrics["passed"]["topics"]


def test_a_question_without_new_labels_keeps_its_adapter(
    coding: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(coding, work=80, gate=80)
    run(coding, settings, engine)
    first = all_of(coding, Adapter)[0]
    assert release(coding, engine) == all_of(coding, Run)[0].metrics["card"]["facts"]["challenger"]
    work = tuning.tune

    def fails(engine: Any, question: Question, *args: Any, **kwargs: Any) -> Any:
        if question.id == "topics":
            raise TrainingError("Nothing can be learned.")
        return work(engine, question, *args, **kwargs)

    monkeypatch.setattr(tuning, "tune", fails)
    code(coding, work=10, gate=0, start=300)
    run(coding, settings, engine)
    second = all_of(coding, Adapter)[1]
    one, other = (parts(Path(adapter.path)) for adapter in (first, second))
    assert one["topics"].name == other["topics"].name and one["mood"].name != other["mood"].name
    assert second.parent_id == first.id


def test_an_edited_codebook_is_learned_anew(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(coding, work=80, gate=80)
    run(coding, settings, engine)
    more = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("early", "late", "middle"))
    coding.revise(Codebook("letters", "Letters", (more, TOPICS)))
    state = Catalogue(coding.store, engine.identity).state(coding.world.key)
    assert state.adapter is None  # its adapter knows two labels
    ran = run(coding, settings, engine)
    assert ran.card is not None and ran.card.facts.revision == 2
    assert ran.card.questions[0].gold.n == 0  # the gate was coded under another question
    assert ran.card.decision.outcome == "undecided"


def test_a_release_that_was_changed_meanwhile_stays(
    coding: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(coding, work=80, gate=80)
    run(coding, settings, engine)
    code(coding, work=10, gate=0, start=300)
    work = tuning.tune

    def meddles(*args: Any, **kwargs: Any) -> Any:
        registry.activate(coding.store, engine, coding.project, 0, by="ana", reason="Meanwhile.")
        return work(*args, **kwargs)

    monkeypatch.setattr(tuning, "tune", meddles)
    ran = run(coding, settings, engine, force=True)
    assert Catalogue(coding.store, engine.identity).state(coding.world.key).adapter is None
    assert ran.card is not None and ran.card.decision.outcome != "promote"


def test_what_was_tuned_elsewhere_comes_back_through_the_gate(
    coding: Coding, settings: Settings, engine: EncoderEngine, tmp_path: Path
) -> None:
    code(coding, work=80, gate=80)
    frozen = snapshot.freeze(coding.store, coding.project, seed=0)
    export.export(coding.store, frozen, tmp_path / "out")
    read = export.read(tmp_path / "out")
    questions = {
        key: (read.codebook.standalone(read.codebook.question(key)), one) for key, one in read.questions.items()
    }
    elsewhere = tmp_path / "tuned"
    tuning.tune_all(
        engine,
        questions,
        elsewhere,
        HEAD,
        work=tmp_path / "work",
        snapshot=read.hash,
        parents={},
        report=lambda step: None,
    )
    ran = register(coding.store, settings, engine, coding.world.key, elsewhere, lambda step: None)
    assert ran.card is not None and ran.card.decision.outcome == "promote", ran.sentence
    assert ran.card.facts.snapshot == frozen.hash
    assert release(coding, engine) == ran.card.facts.challenger


def test_only_so_many_adapters_stay_on_the_disk(coding: Coding, settings: Settings, engine: EncoderEngine) -> None:
    few = settings.model_copy(update={"keep_adapters": 1})
    code(coding, work=60, gate=0)
    for seed in range(3):
        run(coding, few, engine, Options(encoder="head", seed=seed))
    assert [folder.name for folder in (settings.home / "adapters" / coding.world.key).iterdir()] == ["run-3"]
    with coding.store.reading() as s:
        assert [one.state for one in registry.listed(s, coding.project)] == ["kept", "retired", "retired", "active"]


def test_how_far_it_is_can_be_read_meanwhile(
    coding: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import counts

    monkeypatch.setattr("backend.learning.retrain.NOTED", 0.0)
    code(coding, work=60, gate=60)
    seen: list[dict[str, Any]] = []

    def report(step: Step) -> None:
        with coding.store.reading() as s:
            (status,) = counts.status(s, coding.world.key)
        assert status.training is not None and not status.training["broken_off"]
        seen.append(status.training)

    run(coding, settings, engine, report=report)
    assert any(one.get("steps") for one in seen)
    with coding.store.reading() as s:
        (status,) = counts.status(s, coding.world.key)
    assert status.training is None
    assert status.last_run is not None and status.last_run["outcome"] == "promote"


def test_no_text_is_on_a_card_or_in_a_log(
    coding: Coding, settings: Settings, engine: EncoderEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    code(coding, work=60, gate=60)
    ran = run(coding, settings, engine)
    assert ran.card is not None
    words = {word for n in range(60) for word in body(10_000 + n, ("early", "late")[n % 2]).split()}
    written = str(ran.card.plain()) + caplog.text + str([one.parameters for one in all_of(coding, Run)])
    assert not [word for word in words if word in written]


def test_looks_are_numbered_one_by_one(coding: Coding) -> None:
    """Two threads write decisions at once."""
    state = None
    from tests.backend.assist.engines import FakeEngine

    state = Catalogue(coding.store, FakeEngine().identity).state(coding.world.key)

    def decide() -> None:
        for _ in range(5):
            with coding.store.writing() as s:
                runs.decide(
                    s,
                    coding.project.id,
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
    with coding.store.reading() as s:
        assert s.scalars(select(func.max(GateDecision.look_number))).one() == 15
