"""One run of the loop: accepted labels are frozen, adapters are tuned on them, and the gate decides which answers."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.alone import alone
from backend.assist.catalogue import Catalogue, ProjectState
from backend.engines import bundle
from backend.engines.adapter import digest, read
from backend.engines.protocol import Engine
from backend.faults import sentence as said
from backend.learning import registry, snapshot
from backend.learning.accepted import work_labels
from backend.learning.baseline import tfidf
from backend.learning.card import CHALLENGER, CHAMPION, TFIDF, ZERO_SHOT, Card, Facts, build, used
from backend.learning.gate import Decision
from backend.learning.judge import Gate, gate, judged, settle
from backend.learning.measured import Predicted
from backend.learning.snapshot import Frozen, SnapshotError
from backend.learning.tuning import Tuned, parents, put, tune_all
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options, Report, Step
from db import projects, runs
from db.models import CodebookRevision, Project, Run
from db.store import Store
from db.texts import bodies

if TYPE_CHECKING:
    from backend.settings import Settings

NOTED = 2.0  # seconds between two notes of how far a run is


class RetrainBusyError(Exception):
    """The project is being re-tuned just now by another process. Wait; `socialite status` says how far it is."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: a sentence, and the card of the run if one took place."""

    sentence: str
    card: Card | None = None


def retrain(
    store: Store,
    settings: Settings,
    engine: Engine,
    key: str,
    options: Options,
    report: Report,
    *,
    force: bool = False,
) -> Ran:
    """Re-tune the project's adapters on the labels that are accepted now, and let the gate decide.

    Nothing is done where labels and settings are those of the last run, unless `force`. A run that broke off goes on.
    RetrainBusyError, SnapshotError, TrainingError, EngineError and RuleError say what is wrong; what answers is then
    as it was.
    """
    with store.reading() as s:
        project = projects.by_key(s, key)
    projects.check_in_use(project)
    with alone(store, f"retrain-{project.id}", RetrainBusyError()) as check:
        champion = Catalogue(store, engine.identity).state(key)
        frozen = snapshot.freeze(store, project, seed=options.seed)
        if frozen.codebook.content_hash != champion.codebook.content_hash:
            raise SnapshotError("The codebook was changed just now, while the labels were frozen. Run it again.")
        parameters = _parameters(engine, options, champion)
        if not force and (before := _same_as_last(store, project, frozen, parameters)):
            return Ran(f"Nothing is new since run {before}: the same labels and settings. --force trains nevertheless.")
        with store.writing() as s:
            run, _ = runs.begin(
                s, project.id, frozen.id, tuner=engine.identity.engine, seed=options.seed, parameters=parameters
            )
        registry.tidy(store, settings.home, project, run.id)
        one = _Run(store, settings, engine, project, frozen, run, champion, _noting(store, run.id, report, check))
        try:
            return one.all(options)
        except Exception as error:
            with store.writing() as s:
                runs.fail(s, run.id, said(error))
            raise


def register(store: Store, settings: Settings, engine: Engine, key: str, folder: Path, report: Report) -> Ran:
    """Take in a bundle that was tuned elsewhere on an exported snapshot of this project, and let the gate decide.

    RegistryError when it does not fit, or nobody knows what it was tuned on.
    """
    with store.reading() as s:
        project = projects.by_key(s, key)
    projects.check_in_use(project)
    with alone(store, f"retrain-{project.id}", RetrainBusyError()) as check:
        champion = Catalogue(store, engine.identity).state(key)
        registry.check(engine, champion, folder)
        frozen = snapshot.load(store, registry.snapshot_of(store, project, folder))
        parameters = {"registered": digest(folder)}
        with store.writing() as s:
            run, _ = runs.begin(s, project.id, frozen.id, tuner="registered", seed=0, parameters=parameters)
        one = _Run(store, settings, engine, project, frozen, run, champion, _noting(store, run.id, report, check))
        try:
            put(one.folder, bundle.parts(folder))
            return one.judge(Tuned(tuple(bundle.parts(folder)), (), {}), 0)
        except Exception as error:
            with store.writing() as s:
                runs.fail(s, run.id, said(error))
            raise


def _parameters(engine: Engine, options: Options, champion: ProjectState) -> dict[str, Any]:
    """What, besides the labels and the seed, determines the adapters."""
    digests = {question: digest(place) for question, place in parents(champion.adapter).items()}
    return {"options": asdict(options), "engine": asdict(engine.identity), "parents": digests}


def _same_as_last(store: Store, project: Project, frozen: Frozen, parameters: Mapping[str, Any]) -> int | None:
    """The number of the last run, when it had these labels and settings, whatever answered then."""
    with store.reading() as s:
        last = runs.last(s, project.id)
    if last is None or last.snapshot_id != frozen.id:
        return None
    known = last.parameters
    same = all(known.get(name) == parameters[name] for name in ("options", "engine"))
    return last.id if same else None


def _noting(store: Store, run_id: int, report: Report, check: Callable[[], None]) -> Report:
    """Tell the person at the terminal, and now and then the store, for `socialite status`."""
    noted = began = time.monotonic()
    stage = ""

    def told(step: Step) -> None:
        nonlocal noted, began, stage
        check()
        report(step)
        at = time.monotonic()
        if step.stage != stage:
            stage, began = step.stage, at
        if at - noted < NOTED:
            return
        noted = at
        left = (at - began) * (step.steps - step.done) / step.done if step.done else None
        with store.writing() as s:
            runs.note(s, run_id, progress=asdict(step) | {"seconds_left": left})

    return told


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that has begun."""

    store: Store
    settings: Settings
    engine: Engine
    project: Project
    frozen: Frozen
    run: Run
    champion: ProjectState
    report: Report

    @property
    def folder(self) -> Path:
        """Where its bundle is kept."""
        return self.settings.home / "adapters" / self.project.key / f"run-{self.run.id}"

    @property
    def work(self) -> Path:
        """Where checkpoints are, until it has ended."""
        return self.settings.home / "runs" / self.project.key / str(self.run.id)

    def all(self, options: Options) -> Ran:
        """Tune, unless that was done before an interruption, and judge."""
        book = self.champion.codebook
        questions = {
            key: (book.standalone(book.question(key)), labelled) for key, labelled in self.frozen.questions.items()
        }
        tuned = tune_all(
            self.engine,
            questions,
            self.folder,
            options,
            work=self.work,
            snapshot=self.frozen.hash,
            parents=parents(self.champion.adapter),
            report=self.report,
        )
        ran = self.judge(tuned, options.seed)
        shutil.rmtree(self.work, ignore_errors=True)
        return ran

    def judge(self, tuned: Tuned, seed: int) -> Ran:
        """Remember the bundle, put it before the gate, and keep the card."""
        with self.store.writing() as s:
            parent = digest(self.champion.adapter) if self.champion.adapter else ""
            adapter = registry.remember(s, self.store, self.project.id, self.folder, parent)
            s.get_one(Run, self.run.id).adapter_id = adapter.id
        catalogue = Catalogue(self.store, self.engine.identity)
        states = {
            CHAMPION: self.champion,
            CHALLENGER: catalogue.beside(self.project.key, adapter.digest),
            ZERO_SHOT: catalogue.beside(self.project.key, ""),
        }
        found = gate(self.store, self.engine, self.project, states, self.report)
        with self.store.reading() as s:
            look = runs.looks(s, self.project.id) + 1
        decision = judged(found, tuned.tuned, look=look, seed=seed)
        card = self._card(found, decision, tuned, states, adapter.digest)
        with self.store.writing() as s:
            outcome, sentence = settle(
                s,
                self.run.id,
                self.champion,
                states[CHALLENGER],
                decision,
                push=self.settings.push_after_promotion,
            )
            card = replace(card, decision=replace(card.decision, outcome=outcome, sentence=sentence))
            runs.note(s, self.run.id, card=card.plain(), passed=dict(tuned.passed))
            runs.finish(s, self.run.id, adapter.id)
        registry.keep(self.store, self.project.id, self.settings.keep_adapters)
        return Ran(sentence, card)

    def _card(
        self, found: Gate, decision: Decision, tuned: Tuned, states: Mapping[str, ProjectState], adapter: str
    ) -> Card:
        book = self.champion.codebook
        with self.store.reading() as s:
            work = work_labels(s, self.project, book)
            revision = s.get_one(CodebookRevision, self.champion.revision_id)
        learned = {}
        for key, labelled in self.frozen.questions.items():
            coders = {vote.coder_id for (_, question), cast in work.votes.items() if question == key for vote in cast}
            lost = Counter(work.unresolved.get(key, {})) + Counter(self.frozen.left_out.get(key, {}))
            learned[key] = used(book.question(key), labelled, len(coders), lost)
        predictions: dict[str, Mapping[str, Predicted]] = {who: dict(marks) for who, marks in found.marks.items()}
        predictions[TFIDF] = self._tfidf(found)
        facts = Facts(
            project=self.project.key,
            run=self.run.id,
            date=datetime.now(UTC).replace(microsecond=0),
            tuner=", ".join(dict.fromkeys(read(place).method for place in bundle.parts(self.folder).values())),
            base=self.engine.identity.base,
            seed=self.run.seed,
            snapshot=self.frozen.hash,
            revision=revision.number,
            codebook=revision.content_hash,
            champion=states[CHAMPION].release,
            challenger=states[CHALLENGER].release,
            adapter=adapter,
        )
        return build(facts, learned, found.resolved, book, predictions, found.ids, found.clusters, decision)

    def _tfidf(self, found: Gate) -> dict[str, Predicted]:
        """What words alone would have said, learned from the same labels."""
        with self.store.reading() as s:
            words = bodies(s, found.ids)
        said: dict[str, Predicted] = {}
        for one in found.questions:
            key = one.question.id
            labelled = self.frozen.questions.get(key)
            if labelled is None:
                said[key] = "there are no labels to learn from"
                continue
            asked = {row: one.item(words[i]) for row, i in enumerate(found.ids) if i in words}
            items = {row: item for row, item in asked.items() if item is not None}
            marks = np.zeros((len(found.ids), len(one.question.labels)), dtype=np.bool_)
            try:
                marks[list(items)] = tfidf(one.question, labelled.items, labelled.answers, list(items.values()))
                said[key] = marks
            except TrainingError as error:
                said[key] = str(error)
        return said
