"""Starting other programs, and ending those and no others; on Windows too."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 15.0  # seconds a program may take to end when asked


def clean_environ() -> dict[str, str]:
    """This process's environment variables, without those that would mix another Python's packages in.

    Calls to this computer itself go around a proxy.
    """
    mixing = {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    kept = {name: value for name, value in os.environ.items() if name not in mixing}
    around = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost"]))
    return kept | {"PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1", "NO_PROXY": around, "no_proxy": around}


def free_port(*wanted: int) -> int:
    """The first of the `wanted` ports that is free on 127.0.0.1, else any free one."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":  # there, it would allow a port that is in use
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("There is no free port on 127.0.0.1.")


class Child:
    """A running program that this one started, and the log it writes."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        """Starts `command`; it does not get the terminal's Ctrl-C, so that it is ended in order by `end`."""
        self.name, self.log = name, log
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                list(command),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def tail(self, lines: int = 25) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def end(self) -> None:
        """Asks it to end, and after some patience ends it; then what it started and left running."""
        if self.running():
            if sys.platform == "win32":
                self._process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # its session holds it and its children only
