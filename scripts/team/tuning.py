"""Two ways to have a project re-tuned, and what the gate said: Label Studio's button, and the command of cron."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from db.models import GateDecision, Inbox, Job
from db.store import Store
from scripts.bench.servers import CHECKOUT, BenchError, socialite_environment
from scripts.team import messages
from scripts.team.line import Line
from scripts.team.place import Place

PATIENCE = 1800.0  # seconds, in which runs of other projects may come before this one's
PAUSE = 0.1
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Tuning:
    """`encoder`: "auto" presses Start Training, so that the server's trainer does as it is shipped to do; "head" or
    "lora" is given to `socialite retrain`, on the store in `home`.
    """

    home: Path
    store: Store
    encoder: str

    def run(self, place: Place, line: Line) -> GateDecision:
        """Re-tune on all that was coded so far; the gate's decision. BenchError when there is none."""
        before = self._newest(GateDecision.id, GateDecision.project_id == place.project_id)
        said = self._by_button(place, line) if self.encoder == AUTO else self._by_command(place)
        with self.store.reading() as s:
            query = select(GateDecision).where(GateDecision.project_id == place.project_id, GateDecision.id > before)
            decision = s.scalar(query.order_by(GateDecision.id.desc()).limit(1))
        if decision is None:
            raise BenchError(f"The re-tuning of {place.key} came to no decision: {said}")
        return decision

    def _by_button(self, place: Place, line: Line) -> str:
        mine = (Job.project_id == place.project_id, Job.kind == "retrain")
        before = self._newest(Job.id, *mine)
        line.post("/webhook", messages.training(place.assisted))
        ended: list[Job] = []

        def over() -> bool:
            with self.store.reading() as s:
                ended[:] = s.scalars(select(Job).where(*mine, Job.id > before, Job.state.in_(("done", "failed"))))
            return bool(ended)

        _wait(over, f"the re-tuning of {place.key}")
        return f"{ended[0].state}: {ended[0].message}"

    def _by_command(self, place: Place) -> str:
        def applied() -> bool:
            waiting = select(func.count(Inbox.id)).where(Inbox.project_id == place.project_id)
            with self.store.reading() as s:
                return s.scalars(waiting.where(Inbox.applied_at.is_(None))).one() == 0

        _wait(applied, f"the answers to {place.key} to be applied")
        command = [sys.executable, "-m", "backend.cli", "retrain", "--project", place.key, "--json"]
        command += ["--engine", "encoder", "--encoder", self.encoder]
        ran = subprocess.run(
            command, cwd=CHECKOUT, env=socialite_environment(self.home), capture_output=True, encoding="utf-8"
        )
        return ran.stderr[-1500:] if ran.returncode else ran.stdout

    def _newest(self, column: Any, *conditions: Any) -> int:
        with self.store.reading() as s:
            return int(s.scalar(select(func.max(column)).where(*conditions)) or 0)


def _wait(over: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not over():
        if time.monotonic() > end:
            raise BenchError(f"It waited {PATIENCE:.0f} s for {what}.")
        time.sleep(PAUSE)
