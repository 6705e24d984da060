"""The process that tunes is killed again and again: the old release stays, and the next run goes on where it was."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from contextlib import closing
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
from tests.kill import coded, retrainer
from tests.moods import rows

KILLS = 20
PATIENCE = 120.0  # seconds
TEXTS = 120

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="the killed processes are forked"
)


class Site:
    """A coded project in a folder, and the processes that tune it."""

    def __init__(self, home: Path, model: Path) -> None:
        self.home, self.model = home, model
        self.settings: Settings = load(home=home, engine="causal", model=str(model), device="cpu")
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([retrainer.__name__])
        self.made: Place

    def started(self) -> multiprocessing.context.ForkServerProcess:
        log = self.home / "retrainer.log"
        process = self.context.Process(target=retrainer.run, args=(self.home, self.model, self.made.key, log))
        process.start()
        return process

    def to_the_end(self) -> float:
        """One run that nobody disturbs; its seconds."""
        began = time.monotonic()
        process = self.started()
        process.join(PATIENCE)
        assert process.exitcode == 0, (self.home / "retrainer.log").read_text(encoding="utf-8")[-2000:]
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


def check(site: Site, zero_shot: str) -> None:
    """What answers is whole: the old release, or that of a run which had really finished."""
    with site.store() as store, store.reading() as s:
        current = releases.current(s, site.made.project_id)
        assert current is not None
        if current.name != zero_shot:
            decision = s.scalars(select(GateDecision).order_by(GateDecision.id.desc()).limit(1)).one()
            assert (decision.outcome, decision.challenger_id) == ("promote", current.id)
            assert s.get_one(Run, decision.run_id).state == runs.DONE
        for adapter in s.scalars(select(Adapter).where(Adapter.retired_at.is_(None))):
            folder = Path(adapter.path)
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
        (place,) = bundle.parts(Path(adapter.path)).values()
    return read(place).files


def test_a_killed_trainer_leaves_the_old_release_and_the_next_run_ends_as_if_nothing_had_been(site: Site) -> None:
    reference = Site(site.home.with_name("reference"), site.model)
    shutil.copytree(site.home, reference.home)
    reference.made = site.made
    reference.to_the_end()  # starts the process that the others are forked from
    with site.store() as store, store.reading() as s:
        current = releases.current(s, site.made.project_id)
        assert current is not None
        zero_shot = current.name
    shutil.copytree(site.home, reference.home, dirs_exist_ok=True)
    seconds = reference.to_the_end()

    rng = random.Random(20261124)
    killed = finished = 0
    while killed < KILLS:
        process = site.started()
        process.join(rng.uniform(0, seconds))
        if process.exitcode is None:
            process.kill()
            process.join(PATIENCE)
        if process.exitcode == 0:
            finished += 1
        else:
            assert process.exitcode == -9
            killed += 1
        check(site, zero_shot)
        if process.exitcode == 0:
            assert weights(site) == weights(reference)
            rolled_back(site, zero_shot)
    site.to_the_end()
    check(site, zero_shot)
    assert weights(site) == weights(reference)
    with site.store() as store, store.reading() as s:
        assert s.scalars(select(Run.state)).all() == [runs.DONE] * (finished + 1)
    left = [path for path in (site.home / "adapters").rglob("*") if path.name.endswith(".part")]
    assert left == []
