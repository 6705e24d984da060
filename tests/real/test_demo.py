"""The demo as a newcomer runs it: twice, the second time with its ports taken."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import demo, environment

pytestmark = pytest.mark.real
CHECK = argparse.Namespace(check=True, no_label_studio=False, torch_index=None, port=None, label_studio_port=None)


@pytest.fixture
def label_studio_venv() -> Path:
    """The folder of an environment that holds Label Studio."""
    venv = Path(os.environ.get(environment.LABEL_STUDIO) or environment.HOME / "label-studio")
    if not environment.command_of(venv, "label-studio").exists():
        pytest.skip("Label Studio absent: python3 scripts/test.py --real installs it")
    return venv


def test_check_passes_and_passes_again_on_other_ports(
    label_studio_venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "HOME", tmp_path / "demo")
    monkeypatch.setattr(demo, "LOGS", tmp_path / "logs")
    assert demo._run(Path(sys.prefix), label_studio_venv, CHECK) == 0
    first = capfd.readouterr()
    assert "30 texts for the audit, 30 as controls; 90 are for work" in first.err
    assert first.out.rstrip().endswith("1 changed\nThe check passed.")
    owner = demo.label_studio.account(demo.HOME / "account.json")
    assert all(secret not in first.out + first.err for secret in (owner.token, owner.password))

    with taken(demo._last_ports()["backend"]), taken(demo._last_ports()["label_studio"]):
        assert demo._run(Path(sys.prefix), label_studio_venv, CHECK) == 0
    assert capfd.readouterr().out.rstrip().endswith("2 changed\nThe check passed.")


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Another program listens on this port, which was in use a moment ago."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield
