"""A lock between processes; the system releases it when its holder ends, however it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path, waiting: str, *, wait: bool = True) -> Iterator[None]:
    """Holds the lock at `path` while the block runs.

    If another process holds it, `waiting` is said once and it waits; not to `wait`, it raises BlockingIOError with
    those words.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as file:
        said = False
        while True:
            try:
                _try(file)
                break
            except OSError:
                if not wait:
                    raise BlockingIOError(waiting) from None
            if not said:
                print(waiting, file=sys.stderr, flush=True)
                said = True
            time.sleep(0.5)
        yield
