"""Runs pip with a progress bar, its chatter in a log, and a sentence when it fails."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from scripts.local.processes import clean_environ
from scripts.local.progress import Bar

TAIL = 25  # lines of the log that are shown on failure
CURES = (
    (
        r"No space left on device|There is not enough space",
        "The disk is full: make room (about 5 GB) and run this again.",
    ),
    (
        r"name resolution|getaddrinfo failed|NewConnectionError|Read timed out|ConnectTimeout|Connection aborted",
        "The package index could not be reached: check the connection (or set HTTPS_PROXY) and run this again; "
        "what was downloaded is kept.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The connection to the package index is not trusted: set PIP_CERT to your proxy's certificate.",
    ),
    (
        r"No matching distribution found for torch",
        "No build of torch fits this computer at that index: try without --torch-index, and with a 64-bit Python.",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "A package does not exist for this Python on this computer: use a 64-bit Python 3.11, 3.12 or 3.13.",
    ),
    (
        r"WinError 206|filename or extension is too long|path is too long",
        r"A path is too long for Windows: move the checkout to a short folder such as C:\socialite.",
    ),
    (
        r"Permission denied|Access is denied",
        "A file may not be written: run this as the owner of the checkout, and close what uses it.",
    ),
)


class SetupError(Exception):
    """The environment could not be set up; the message says why and what to do."""


def pinned(constraints: Path) -> dict[str, str]:
    """The requirement lines of a constraints file by package name (several for a name: the last)."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0].lower(): line for line in lines if "==" in line and not line.startswith("#")}


def install(python: Path, title: str, arguments: Sequence[str], number: int, home: Path) -> None:
    """`pip install` with these arguments into the environment of `python`; about `number` packages are awaited.

    The whole log is kept in `home`/logs. SetupError shows its end, and a cure where one is known.
    """
    log = home / "logs" / f"{title.lower().replace(' ', '-')}.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    bar = "off" if title.startswith("Preparing") else "raw"  # which brings the pip that can do this
    command = [str(python), "-m", "pip", "--no-color", "install", "--no-input", "--progress-bar", bar, *arguments]
    command.append("--no-compile")  # of all these files few are ever imported, and those are compiled then
    watch = _Watch(python, number)
    with Bar(title, watch.measure), log.open("w", encoding="utf-8") as file:
        code = _run(command, watch, file)
    if code != 0:
        text = log.read_text(encoding="utf-8")
        cure = next(
            (cure for pattern, cure in CURES if re.search(pattern, text)),
            "Run this again; if it fails again, the log says more.",
        )
        end = "\n".join(line for line in text.splitlines() if not line.startswith(("WARNING", "Progress ")))
        raise SetupError("\n".join([*end.splitlines()[-TAIL:], "", f"{title} failed. {cure} The whole log: {log}"]))


class _Watch:
    """How far pip is, from what it prints; while it unpacks it is silent, and what is unpacked is counted."""

    def __init__(self, python: Path, number: int) -> None:
        self._python, self._number = python, number
        self._seen, self._before = 0, 0
        self._unpacking = False
        self._what = ""

    def read(self, line: str) -> None:
        package = re.match(r"(?:Collecting|Processing|Obtaining|Requirement already satisfied:) (\S+)", line)
        bytes_ = re.match(r"Progress (\d+) of (\d+)", line)
        if package:
            self._seen += 1
            self._what = re.split(r"[=<>!~;\[]", package[1].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])[0]
        elif bytes_ and int(bytes_[2]) > 5_000_000:
            self._what = f"{self._what.split(' ')[0]} {int(bytes_[1]) / 1e6:.0f} of {int(bytes_[2]) / 1e6:.0f} MB"
        elif line.startswith("Installing collected packages"):
            self._before = self._installed()
            self._unpacking = True

    def measure(self) -> tuple[float, str]:
        """The part done: half of it is fetching the packages, half unpacking them."""
        if self._unpacking:
            return 0.5 + 0.5 * min(1.0, (self._installed() - self._before) / self._number), "unpacking"
        return 0.5 * min(1.0, self._seen / self._number), self._what

    def _installed(self) -> int:
        home = self._python.parent.parent
        folders = [home / "Lib" / "site-packages", *home.glob("lib/python*/site-packages")]
        return sum(entry.suffix == ".dist-info" for folder in folders if folder.is_dir() for entry in folder.iterdir())


def _run(command: Sequence[str], watch: _Watch, log: TextIO) -> int:
    environ = clean_environ() | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                log.write(line)
                watch.read(line)
        except BaseException:
            process.kill()
            raise
    return process.returncode
