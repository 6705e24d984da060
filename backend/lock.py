"""One server per store: a locked file, which the operating system frees however the process ends."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockedError(Exception):
    """Another server process uses this store. One process answers everything, because it holds one model in memory and
    gathers texts into batches: end the other one, and do not start several workers."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class Lock:
    """Held from `__init__` until `release`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = Path(path).open("ab")  # noqa: SIM115 - it stays open as long as the lock is held
        try:
            _take(self._file)
        except OSError:
            self._file.close()
            raise LockedError from None

    def release(self) -> None:
        self._file.close()


def check_one_process() -> None:
    """LockedError when the environment, or the command line of uvicorn or gunicorn, asks for several processes."""
    program = Path(sys.argv[0] if sys.argv else "").as_posix()
    starter = any(name in program for name in ("uvicorn", "gunicorn", "fastapi"))
    wanted = [os.environ.get("WEB_CONCURRENCY", ""), *(_workers(sys.argv[1:]) if starter else ())]
    if any(number.strip().isdigit() and int(number) > 1 for number in wanted):
        raise LockedError


def _workers(arguments: list[str]) -> list[str]:
    """What follows --workers or -w."""
    named = [value for name, value in pairwise(arguments) if name in ("--workers", "-w")]
    return named + [a.partition("=")[2] for a in arguments if a.startswith("--workers=")]
