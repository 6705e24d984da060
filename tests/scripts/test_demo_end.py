"""Ctrl-C ends what the demo started, and leaves no process behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.local.processes import free_port
from scripts.local.waiting import _answers

DEMO = """
import sys
from pathlib import Path
from scripts import demo, environment

home = Path(sys.argv.pop(1))
demo.HOME, demo.LOGS, environment.HOME = home / "demo", home / "logs", home
environment.application = lambda index: Path(sys.prefix)
sys.exit(demo.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM"])
def test_the_server_ends_with_the_demo(stop: str, tmp_path: Path, checkout: Path) -> None:
    command = [sys.executable, "-c", DEMO, str(tmp_path), "--no-label-studio", "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C ends it" in line:
            break
    address = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert address, process.communicate()
    assert _answers(f"{address[0]}/health")
    process.send_signal(getattr(signal, stop))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "Ending socialite." in errors
    assert not _answers(f"{address[0]}/health")
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, encoding="utf-8", check=True).stdout
    assert f"--port {address[0].rsplit(':', 1)[1]}" not in left
