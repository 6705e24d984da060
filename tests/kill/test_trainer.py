"""The process that tunes is killed again and again: the old release stays, and the next run goes on where it was."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.assist.catalogue import Catalogue
from backend.engines import bundle
from backend.engines.adapter import digest, read
from backend.engines.choice import choose
from backend.settings import Settings, load
from db import releases, runs
from db.models import Adapter, GateDecision, Release, Run
from db.store import Store, open_store
from scripts.bench import tiny_llama
from scripts.team.place import Place
from tests.kill import coded, forked, retrainer
from tests.moods import rows

KILLS = 20
BY_STEP, STEPS = (
    0.75,
    24,
)  # how often a process is killed after some of its reports, of which there are 84, and of how many
PATIENCE = 120.0  # seconds
TEXTS = 120

pytestmark = pytest.mark.skipif(not forked.FORKS, reason="the killed processes are forked")


@dataclass
class Attempt:
    """A process that tunes, and what it has said of it: (stage, done) each."""

    process: BaseProcess
    steps: Connection
    said: list[tuple[str, int]] = field(default_factory=list)

    def until(self, reports: int | None, seconds: float) -> None:
        """Let it run until it has said so much, has run so long, or has ended."""
        end = time.monotonic() + seconds
        while (reports is None or len(self.said) < reports) and self.steps.poll(max(0.0, end - time.monotonic())):
            try:
                self.said.append(self.steps.recv())
            except EOFError:
                self.process.join(PATIENCE)
                return

    def end(self) -> int:
        """Kill it if it runs; its exit code."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join(PATIENCE)
        self.steps.close()
        assert self.process.exitcode is not None
        return self.process.exitcode


class Site:
    """A coded project in a folder, and the processes that tune it."""

    def __init__(self, home: Path, model: Path) -> None:
        self.home, self.model = home, model
        self.settings: Settings = load(home=home, engine="causal", model=str(model), device="cpu")
        self.context = forked.context()
        self.made: Place

    @property
    def log(self) -> Path:
        return self.home / "retrainer.log"

    def started(self) -> Attempt:
        mine, its = self.context.Pipe(duplex=False)
        given = (self.home, self.model, self.made.key, self.log, its)
        process = self.context.Process(target=retrainer.run, args=given)
        process.start()
        its.close()
        return Attempt(process, mine)

    def to_the_end(self) -> float:
        """One run that nobody disturbs; its seconds."""
        began = time.monotonic()
        attempt = self.started()
        attempt.until(None, PATIENCE)
        assert attempt.end() == 0, self.log.read_text(encoding="utf-8")[-2000:]
        return time.monotonic() - began

    def store(self) -> closing[Store]:
        return closing(open_store(self.settings.database_url))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    model, home = tmp_path / "llama", tmp_path / "home"
    tiny_llama.make(model, [text for (text,), _ in rows(TEXTS, 1)], seed=4, words=400, width=32, layers=1)
    home.mkdir()
    made = Site(home, model)
    with made.store() as store:
        made.made = coded.project(store, made.settings, TEXTS)
        Catalogue(store, choose(made.settings).identity).state(made.made.key)  # the server's first request
    return made


def current(site: Site) -> Release:
    with site.store() as store, store.reading() as s:
        found = releases.current(s, site.made.project_id)
    assert found is not None
    return found


def check(site: Site, zero_shot: str) -> None:
    """What answers is whole: the old release, or that of a run which had really finished."""
    answering = current(site)
    with site.store() as store, store.reading() as s:
        if answering.name != zero_shot:
            decision = s.scalars(select(GateDecision).order_by(GateDecision.id.desc()).limit(1)).one()
            assert (decision.outcome, decision.challenger_id) == ("promote", answering.id)
            assert s.get_one(Run, decision.run_id).state == runs.DONE
        for adapter in s.scalars(select(Adapter).where(Adapter.retired_at.is_(None))):
            folder = store.folder(adapter.path)
            assert digest(folder) == adapter.digest
            for place in bundle.parts(folder).values():
                read(place)


def rolled_back(site: Site, zero_shot: str) -> None:
    """What a person does who wants the first release back, so that each run starts from the same."""
    with site.store() as store, store.writing() as s:
        mine = s.scalars(select(Release).where(Release.name == zero_shot)).one()
        releases.point(s, site.made.project_id, mine, by="test", reason="Again from the start.")


def weights(site: Site) -> dict[str, str]:
    """The sha256 of each file of the adapter that was made last."""
    with site.store() as store, store.reading() as s:
        adapter = s.scalars(select(Adapter).order_by(Adapter.id.desc()).limit(1)).one()
        (place,) = bundle.parts(store.folder(adapter.path)).values()
    return read(place).files


def test_a_killed_trainer_leaves_the_old_release_and_the_next_run_ends_as_if_nothing_had_been(site: Site) -> None:
    reference = Site(site.home.with_name("reference"), site.model)
    reference.made = site.made
    shutil.copytree(site.home, reference.home)
    seconds = reference.to_the_end()
    zero_shot = current(site).name

    rng = random.Random(20261124)
    killed: Counter[str] = Counter()  # by the stage that was reached
    finished = went_on = 0
    while killed.total() < KILLS:
        attempt = site.started()
        if rng.random() < BY_STEP:
            attempt.until(rng.randint(1, STEPS), PATIENCE)
            time.sleep(rng.uniform(0, 0.02))
        else:
            attempt.until(None, rng.uniform(0, seconds))
        code = attempt.end()
        trained = [done for stage, done in attempt.said if stage == "training"]
        went_on += bool(trained) and trained[0] > 1
        check(site, zero_shot)
        if code == 0:
            finished += 1
            assert weights(site) == weights(reference)
            rolled_back(site, zero_shot)
        else:
            assert code == -9, site.log.read_text(encoding="utf-8")[-2000:]
            killed[attempt.said[-1][0] if attempt.said else "start"] += 1
    site.to_the_end()
    check(site, zero_shot)
    assert weights(site) == weights(reference)
    assert killed["training"] >= KILLS // 3, killed
    assert went_on >= KILLS // 4, killed
    with site.store() as store, store.reading() as s:
        assert s.scalars(select(Run.state)).all() == [runs.DONE] * (finished + 1)
        kept = {store.folder(path) for path in s.scalars(select(Adapter.path).where(Adapter.retired_at.is_(None)))}
    assert set((site.home / "adapters" / site.made.key).iterdir()) == kept
    assert list((site.home / "runs").rglob("*.*")) == []
