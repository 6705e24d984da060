"""`python -m backend.trainer KEY`: one run of the loop, in a process of its own that ends with the one that started it.

So the server's worker goes on applying events meanwhile, and the memory that tuning took is free again afterwards.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import closing

from backend.engines.protocol import Engine
from backend.faults import sentence, where
from backend.logs import to_stderr
from backend.settings import Settings, load
from db.models import Job, Project
from db.store import Store, open_store

log = logging.getLogger(__name__)
PATIENCE = 90.0  # seconds
NICE = 5  # below the server, which people wait for


class RunFailedError(Exception):
    """A run did not work; the message says why."""


def run(store: Store, settings: Settings, job: Job) -> str:
    """The job 'retrain' of a project: what came of it."""
    with store.reading() as s:
        key = s.get_one(Project, job.project_id).key
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.trainer", key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **settings.environment()},
        encoding="utf-8",
    )
    assert process.stdout is not None
    with process:  # its standard input stays open until it has ended
        said = process.stdout.read().strip()
        code = process.wait()
    if code:
        raise RunFailedError(
            said or f"The process that tuned ended with code {code}. The next run goes on where it was."
        )
    return said


def main(key: str) -> int:
    """Prints what came of the run: 0, or 1 where it did not work."""
    to_stderr()
    threading.Thread(target=_end_with_the_other, name="input", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICE)
    from backend.engines.choice import choose

    try:
        settings = load()
        with closing(open_store(settings.database_url)) as store:
            print(_patiently(store, settings, choose(settings), key))  # noqa: T201
    except Exception as fault:  # noqa: BLE001 - the person reads a sentence, the log the place
        log.error("Tuning failed: %s", where(fault))
        print(sentence(fault))  # noqa: T201
        return 1
    return 0


def _patiently(store: Store, settings: Settings, engine: Engine, key: str) -> str:
    """What came of the run. One that this takes up again may be about to end: it is waited for a while."""
    from backend.learning.retrain import RetrainBusyError, retrain
    from backend.tuners.training import Options

    options = Options(shares=settings.train_on_shares, encoder=settings.encoder_tuner)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return retrain(store, settings, engine, key, options, lambda step: None).sentence
        except RetrainBusyError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _end_with_the_other() -> None:
    """End when standard input closes: who started this is gone. Checkpoints let the next run go on."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(3)


if __name__ == "__main__":
    ended = main(sys.argv[1])
    sys.stdout.flush()
    logging.shutdown()
    os._exit(ended)  # a model's libraries need not be taken apart
