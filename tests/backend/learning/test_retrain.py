"""One run of the loop, from answers to the release that answers, with a real encoder that is small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.assist.catalogue import Catalogue
from backend.engines.bundle import parts
from backend.engines.encoder import EncoderEngine
from backend.learning import export, registry, snapshot, tuning
from backend.learning.card import CHALLENGER, from_plain
from backend.learning.retrain import register
from backend.settings import Settings
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options, Step
from db.models import Adapter, GateDecision, Job, Pointer, Run
from labelstudio_config.codebook import Codebook, Control, Kind, Question
from tests.backend.assist.world import TEXT, labels
from tests.backend.learning.coding import Coding
from tests.backend.learning.letters import HEAD, TOPICS, all_of, body, code, release, run


def test_a_better_challenger_is_promoted(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(letters, engine)
    code(letters, work=80, gate=80)
    steps: list[Step] = []
    ran = run(letters, settings, engine, report=steps.append)
    assert ran.card is not None and ran.card.decision.outcome == "promote", ran.sentence
    after = release(letters, engine)
    assert after == ran.card.facts.challenger != before == ran.card.facts.champion
    (decision,) = all_of(letters, GateDecision)
    assert (decision.outcome, decision.look_number, decision.n) == ("promote", 1, 80)
    assert decision.delta > 0 and decision.lower > -0.01
    last = all_of(letters, Pointer)[-1]
    assert (last.by, last.reason) == ("gate", ran.sentence)
    assert [job.kind for job in all_of(letters, Job)] == ["push"]
    (done,) = all_of(letters, Run)
    assert (done.state, done.error) == ("done", None)
    assert from_plain(done.metrics["card"]) == ran.card
    assert any("zero-shot" in step.stage for step in steps) and any("mood" in step.stage for step in steps)
    assert not (settings.home / "runs" / letters.world.key / str(done.id)).exists()


def test_both_questions_are_tuned_and_on_the_card(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(letters, work=60, gate=60)
    card = run(letters, settings, engine).card
    assert card is not None
    (adapter,) = all_of(letters, Adapter)
    assert sorted(parts(letters.store.folder(adapter.path))) == ["mood", "topics"]
    assert [part.question for part in card.questions] == ["mood", "topics"]
    for part in card.questions:
        assert part.used is not None and part.used.texts == 60
        assert part.gold.n == 60
        assert CHALLENGER in part.measures[0].scores


def test_with_few_gate_labels_the_champion_stays_and_the_number_needed_is_said(
    letters: Coding, settings: Settings, engine: EncoderEngine
) -> None:
    before = release(letters, engine)
    code(letters, work=60, gate=12)
    ran = run(letters, settings, engine)
    assert ran.card is not None and ran.card.decision.outcome == "undecided"
    assert ran.card.decision.needed is not None and str(ran.card.decision.needed) in ran.sentence
    assert release(letters, engine) == before
    assert all_of(letters, Job) == []
    with letters.store.reading() as s:
        newest, _ = registry.listed(s, letters.project)
    assert (newest.outcome, newest.state) == ("undecided", "kept")
    registry.activate(letters.store, engine, letters.project, newest.number, by="ana", reason="I looked at them.")
    assert release(letters, engine) == ran.card.facts.challenger


def test_without_an_audit_nothing_is_promoted(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    before = release(letters, engine)
    code(letters, work=60, gate=0)
    ran = run(letters, settings, engine)
    assert ran.card is not None and ran.card.decision.outcome == "undecided"
    assert release(letters, engine) == before


def test_what_is_not_new_is_not_tuned_again(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(letters, work=60, gate=60)
    run(letters, settings, engine)
    ran = run(letters, settings, engine)
    assert ran.card is None and ran.sentence.startswith("Nothing is new since run 1")
    assert len(all_of(letters, GateDecision)) == 1  # no look was spent
    assert run(letters, settings, engine, force=True).card is not None
    code(letters, work=2, gate=0, start=500)
    assert run(letters, settings, engine).card is not None
    assert [decision.look_number for decision in all_of(letters, GateDecision)] == [1, 2, 3]


def test_a_question_without_new_labels_keeps_its_adapter(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(letters, work=80, gate=80)
    run(letters, settings, engine)
    first = all_of(letters, Adapter)[0]
    assert release(letters, engine) == all_of(letters, Run)[0].metrics["card"]["facts"]["challenger"]
    work = tuning.tune

    def fails(engine: Any, question: Question, *args: Any, **kwargs: Any) -> Any:
        if question.id == "topics":
            raise TrainingError("Nothing can be learned.")
        return work(engine, question, *args, **kwargs)

    monkeypatch.setattr(tuning, "tune", fails)
    code(letters, work=10, gate=0, start=300)
    run(letters, settings, engine)
    second = all_of(letters, Adapter)[1]
    one, other = (parts(letters.store.folder(adapter.path)) for adapter in (first, second))
    assert one["topics"].name == other["topics"].name and one["mood"].name != other["mood"].name
    assert second.parent_id == first.id


def test_an_edited_codebook_is_learned_anew(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    code(letters, work=80, gate=80)
    run(letters, settings, engine)
    more = Question("mood", "mood", Kind.SINGLE, Control.CHOICES, (TEXT,), labels("early", "late", "middle"))
    letters.revise(Codebook("letters", "Letters", (more, TOPICS)))
    state = Catalogue(letters.store, engine.identity).state(letters.world.key)
    assert state.adapter is None  # its adapter knows two labels
    ran = run(letters, settings, engine)
    assert ran.card is not None and ran.card.facts.revision == 2
    assert ran.card.questions[0].gold.n == 0  # the gate was coded under another question
    assert ran.card.decision.outcome == "undecided"


def test_what_was_tuned_elsewhere_comes_back_through_the_gate(
    letters: Coding, settings: Settings, engine: EncoderEngine, tmp_path: Path
) -> None:
    code(letters, work=80, gate=80)
    frozen = snapshot.freeze(letters.store, letters.project, seed=0)
    export.export(letters.store, frozen, tmp_path / "out")
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
    ran = register(letters.store, settings, engine, letters.world.key, elsewhere, lambda step: None)
    assert ran.card is not None and ran.card.decision.outcome == "promote", ran.sentence
    assert ran.card.facts.snapshot == frozen.hash
    assert release(letters, engine) == ran.card.facts.challenger


def test_only_so_many_adapters_stay_on_the_disk(letters: Coding, settings: Settings, engine: EncoderEngine) -> None:
    few = settings.model_copy(update={"keep_adapters": 1})
    code(letters, work=60, gate=0)
    for seed in range(3):
        run(letters, few, engine, Options(encoder="head", seed=seed))
    assert [folder.name for folder in (settings.home / "adapters" / letters.world.key).iterdir()] == ["run-3"]
    with letters.store.reading() as s:
        assert [one.state for one in registry.listed(s, letters.project)] == ["kept", "retired", "retired", "active"]


def test_how_far_it_is_can_be_read_meanwhile(
    letters: Coding, settings: Settings, engine: EncoderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import counts

    monkeypatch.setattr("backend.learning.retrain.NOTED", 0.0)
    code(letters, work=60, gate=60)
    seen: list[dict[str, Any]] = []

    def report(step: Step) -> None:
        with letters.store.reading() as s:
            (status,) = counts.status(s, letters.world.key)
        assert status.training is not None and not status.training["broken_off"]
        seen.append(status.training)

    run(letters, settings, engine, report=report)
    assert any(one.get("steps") for one in seen)
    with letters.store.reading() as s:
        (status,) = counts.status(s, letters.world.key)
    assert status.training is None
    assert status.last_run is not None and status.last_run["outcome"] == "promote"


def test_no_text_is_on_a_card_or_in_a_log(
    letters: Coding, settings: Settings, engine: EncoderEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    code(letters, work=60, gate=60)
    ran = run(letters, settings, engine)
    assert ran.card is not None
    words = {word for n in range(60) for word in body(10_000 + n, ("early", "late")[n % 2]).split()}
    written = str(ran.card.plain()) + caplog.text + str([one.parameters for one in all_of(letters, Run)])
    assert not [word for word in words if word in written]
