"""The worker as a child of the server: started, woken, started again when it dies, and ended with the server."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping

log = logging.getLogger(__name__)
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds before a worker that died is started again
PATIENCE = 10.0  # seconds that a worker may take to end
PAUSE = 0.02  # seconds between two pokes


class WorkerChild:
    """`python -m backend.worker`. Its standard input tells it that the server lives (open) and has work (a byte)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self._work, self._ended = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for run, name in ((self._keep, "worker"), (self._wake, "worker-poke"))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def poke(self) -> None:
        """There is work; returns at once."""
        self._work.set()

    def stop(self) -> None:
        """End the worker: it finishes the event in hand; one that does not end is terminated."""
        self._ended.set()
        self._work.set()
        process = self.process
        if process is None:
            return
        _close(process)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()

    def _keep(self) -> None:
        wait = FIRST_WAIT
        while not self._ended.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "backend.worker"], stdin=subprocess.PIPE, env=self._environment
            )
            self.process = process
            if self._ended.is_set():
                _close(process)
            code = process.wait()
            _close(process)
            if self._ended.is_set():
                return
            log.error("The worker ended with code %s and is started again; nothing is lost.", code)
            self._ended.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _wake(self) -> None:
        while not self._ended.is_set():
            self._work.wait()
            self._work.clear()
            process = self.process
            if process is not None and process.stdin is not None:
                try:
                    process.stdin.write(b"\n")
                    process.stdin.flush()
                except (OSError, ValueError):
                    log.debug("The worker could not be woken; it looks for work by itself.")
            self._ended.wait(PAUSE)


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close the child's standard input, which tells it to end."""
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            log.debug("The worker's input was closed already.")
