"""What is killed: one run of the loop, in a process that has everything imported already."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from backend.engines.choice import choose
from backend.learning.retrain import retrain
from backend.settings import load
from backend.tuners.training import Options, Step
from db.store import open_store

OPTIONS = Options(epochs=12, batch=8, rate=1e-3, patience=12)


def run(home: Path, model: Path, key: str, log: Path, steps: Connection) -> None:
    """A run to its end, whatever the labels were before; `steps` is sent each (stage, done) as it is reached.

    What goes wrong is in the log, and the exit code 1.
    """
    with log.open("a", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), sys.stderr.fileno())
    torch.set_num_threads(1)
    settings = load(home=home, engine="causal", model=str(model), device="cpu")

    def told(step: Step) -> None:
        steps.send((step.stage.rpartition(": ")[2], step.done))

    with closing(open_store(settings.database_url)) as store:
        retrain(store, settings, choose(settings), key, OPTIONS, told, force=True)
