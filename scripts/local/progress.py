"""A progress bar that needs nothing but Python."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

WIDTH = 24
Measure = Callable[[], "tuple[float | None, str]"]


def clock(seconds: float) -> str:
    """75 -> '1:15'."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Bar:
    """A bar on standard error while a block runs.

    `measure` is asked several times a second for the part that is done (0 to 1, or None: not known) and what is at
    hand. Where standard error is not a terminal, or has another bar on it, a line is written at the start and at the
    end, and every half minute between.
    """

    _drawn = threading.Lock()  # held by the bar that is on the terminal

    def __init__(self, title: str, measure: Measure) -> None:
        self._title, self._measure = title, measure
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Bar:
        self._start = time.monotonic()
        self._draws = sys.stderr.isatty() and self._drawn.acquire(blocking=False)
        if not self._draws:
            self._write(f"{self._title} ...")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()
        word = "done" if kind is None else "stopped"
        self._write(f"{self._title}: {word} in {clock(time.monotonic() - self._start)}", last=True)
        if self._draws:
            self._drawn.release()

    def _run(self) -> None:
        while not self._end.wait(0.25 if self._draws else 30):
            self._write(self._line())

    def _line(self) -> str:
        part, what = self._measure()
        elapsed = time.monotonic() - self._start
        if part is None:
            at = int(elapsed * 4) % (WIDTH - 2)
            bar, percent = "-" * at + "###" + "-" * (WIDTH - 3 - at), "    "
        else:
            part = min(max(part, 0.0), 1.0)
            bar, percent = "#" * round(part * WIDTH) + "-" * (WIDTH - round(part * WIDTH)), f"{part:4.0%}"
        return f"{self._title} [{bar}] {percent} {clock(elapsed)} {what}"

    def _write(self, line: str, *, last: bool = False) -> None:
        if sys.stderr.isatty():
            columns = shutil.get_terminal_size().columns - 1
            line = "\r" + line[:columns].ljust(columns)
        print(line, end="\n" if last or not self._draws else "", file=sys.stderr, flush=True)
