"""Pre-labelling is killed again and again, at any moment: what is stored is never scored a second time."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from sqlalchemy import select

from backend.assist.bulk import CHUNK
from db import projects, revisions, texts
from db.models import Prediction, Question, TextBody
from db.store import open_store, sqlite_url
from db.texts import UnitRow
from labelstudio_config.library import load
from labelstudio_config.xml import to_xml
from tests.kill import forked, prelabeller

KEY, TEXTS, KILLS = "corpus", 4000, 6
PATIENCE = 120.0  # seconds

Pair = tuple[str, str]  # question, text


def made(home: Path) -> None:
    """A project of 4,000 texts that no Label Studio knows of."""
    rng, book = random.Random(5), load("humor")
    words = ["train", "bread", "vote", "river", "joke", "rain", "exam", "paint", "sleep", "coin", "boat", "lamp"]
    rows = [UnitRow(str(i), (f"{i} " + " ".join(rng.choices(words, k=8)),), i) for i in range(TEXTS)]
    with closing(open_store(sqlite_url(home))) as store:
        with store.writing() as s:
            project = projects.create(s, KEY, "Corpus", 1, {"audit": 0, "control": 0, "coders": 2})
            revisions.register(s, project.id, book, to_xml(book))
        store.write_in_chunks(rows, lambda s, part: texts.remember_units(s, project.id, part, "corpus.csv"), size=250)


def stored(home: Path) -> Counter[Pair]:
    query = select(Question.key, TextBody.fields).join(Prediction, Prediction.question_id == Question.id)
    with closing(open_store(sqlite_url(home))) as store, store.reading() as s:
        rows = s.execute(query.join(TextBody, TextBody.text_id == Prediction.text_id)).all()
        assert all(np.isfinite(np.frombuffer(raw)).all() for raw in s.scalars(select(Prediction.log_probabilities)))
    return Counter((question, fields[0]) for question, fields in rows)


def scored(log: Path) -> Counter[Pair]:
    """How often each was scored; a line that the kill cut off is none."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    return Counter((line.split("\t")[0], line.split("\t")[1].strip()) for line in lines if line.endswith("\n"))


@contextmanager
def started(home: Path, log: Path) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that labels what is left, and what it says of how far it is."""
    mine, its = forked.context().Pipe(duplex=False)
    child = forked.context().Process(target=prelabeller.run, args=(home, KEY, log, its))
    child.start()
    its.close()
    try:
        yield child, mine
    finally:
        child.kill()
        child.join(PATIENCE)
        mine.close()


def to_the_end(home: Path, log: Path) -> None:
    with started(home, log) as (child, _):
        child.join(PATIENCE)
        assert child.exitcode == 0


def test_what_is_stored_is_never_scored_again(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "scored.tsv"
    home.mkdir()
    made(home)
    rng = random.Random(20261129)
    kept: Counter[Pair] = Counter()  # what was stored when a process began
    for _ in range(KILLS):
        before = scored(log)
        with started(home, log) as (child, steps):
            assert steps.poll(PATIENCE) and steps.recv(), "it says how far it is"
            enough = log.stat().st_size + rng.randint(1, 20_000)
            while log.stat().st_size < enough and child.is_alive():
                time.sleep(0.001)
        again = [pair for pair, n in scored(log).items() if n > before[pair] and pair in kept]
        assert again == [], "nothing that was stored before is scored again"
        assert scored(log).total() - before.total() - (stored(home).total() - kept.total()) <= CHUNK, (
            "at most the part in hand is lost"
        )
        assert kept.keys() <= stored(home).keys()
        kept = stored(home)
        assert kept.total() < TEXTS, "it was killed before the end"
    to_the_end(home, log)
    everything = stored(home)
    assert (everything.total(), set(everything.values())) == (TEXTS, {1})
    done = scored(log)
    assert sum(n - 1 for n in done.values()) <= KILLS * CHUNK
    to_the_end(home, log)
    assert scored(log) == done, "a run with nothing to do scores nothing"
