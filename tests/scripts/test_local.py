"""Locks, bars, ports and child processes of the scripts."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.local.lock import locked
from scripts.local.processes import Child, clean_environ, free_port
from scripts.local.progress import Bar, clock
from scripts.local.waiting import StartError, wait_until_ready

HOLD = """
import sys
from pathlib import Path
from scripts.local.lock import locked
with locked(Path(sys.argv[1]), "taken"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path, checkout: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock at tmp_path / 'lock'."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_lock_is_refused_while_another_process_holds_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError, match="Somebody else"), locked(tmp_path / "lock", "Somebody else.", wait=False):
        pass


def test_lock_of_a_killed_process_is_free(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.kill()
    holder.wait()
    with locked(tmp_path / "lock", "Somebody else.", wait=False):
        pass


def test_lock_is_waited_for(
    holder: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end_holder(seconds: float) -> None:
        holder.kill()
        holder.wait()

    monkeypatch.setattr(time, "sleep", end_holder)
    with locked(tmp_path / "lock", "Somebody else."):
        assert "Somebody else." in capsys.readouterr().err


def test_free_port_takes_the_first_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        other = free_port(busy)
        assert other != busy
        assert free_port(busy, other) == other


def test_environment_of_children_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.setenv("KEPT", "yes")
    environ = clean_environ()
    assert "PYTHONPATH" not in environ
    assert environ["KEPT"] == "yes"
    assert environ["NO_PROXY"] == "example.org,127.0.0.1,localhost"


CHILDREN = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(inner.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends the children of a child in another way")
def test_ending_a_child_ends_what_it_started_and_nothing_else(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    child = Child("child", [sys.executable, "-c", CHILDREN], clean_environ(), tmp_path / "log")
    while not (inner := child.tail().strip()):
        time.sleep(0.05)
    child.end()
    assert not child.running()
    while _state(int(inner)) not in ("Z", None):
        time.sleep(0.05)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_child_that_does_not_listen_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.local.processes.PATIENCE", 0.5)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = Child("child", [sys.executable, "-c", deaf], clean_environ(), tmp_path / "log")
    while "deaf" not in child.tail():
        time.sleep(0.05)
    child.end()
    assert not child.running()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no process table in files")
def test_state_reads_this_process() -> None:
    assert _state(os.getpid()) in ("R", "S", "D")


def _state(pid: int) -> str | None:
    """R, S, Z ... as ps prints it; None when there is no such process."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, encoding="utf-8", check=False)
    return said.stdout.strip()[:1] or None


def test_a_program_that_ends_early_is_not_waited_for(tmp_path: Path) -> None:
    child = Child("The server", [sys.executable, "-c", "print('no such file')"], clean_environ(), tmp_path / "log")
    with pytest.raises(StartError, match="no such file\n\nThe server ended before it was ready"):
        wait_until_ready(child, f"http://127.0.0.1:{free_port()}/health", usual=1)
    child.end()


def test_a_program_that_answers_is_ready(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    child = Child("The server", command, clean_environ(), tmp_path / "log")
    wait_until_ready(child, f"http://127.0.0.1:{port}/", usual=1)
    child.end()


def test_clock() -> None:
    assert [clock(s) for s in (0, 9.9, 75, 3700)] == ["0:00", "0:09", "1:15", "61:40"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal_is_drawn_over_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar("Fetching", lambda: (0.5, "torch")):
        while "torch" not in screen.getvalue():
            time.sleep(0.05)
    first, *_, last = screen.getvalue().split("\r")[1:]
    assert "Fetching [############------------]  50% 0:00 torch" in first
    assert last.strip() == "Fetching: done in 0:00"


def test_bar_beside_another_on_a_terminal_is_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar("Fetching", lambda: (0.5, "torch")), Bar("Making", lambda: (0.5, "it")):
        pass
    with Bar("Again", lambda: (0.5, "it")):
        while "50%" not in screen.getvalue():
            time.sleep(0.05)
    lines = [line.strip() for line in screen.getvalue().replace("\n", "\r").split("\r") if line.strip()]
    assert lines[:2] == ["Making ...", "Making: done in 0:00"]
    assert "Fetching: done in 0:00" in lines and any(line.startswith("Again [") for line in lines)


def test_bar_in_a_log_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), Bar("Fetching", lambda: (None, "")):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "Fetching ...\nFetching: stopped in 0:00\n"
