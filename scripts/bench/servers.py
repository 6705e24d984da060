"""Starts and stops the processes that the benchmark measures: our server, the Flask rival, load generators."""

from __future__ import annotations

import base64
import http.client
import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.bench.load import Request, Result, write_requests

CHECKOUT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
USER, PASSWORD = "label-studio", "benchmark"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
START_UP = 180.0  # seconds


class BenchError(Exception):
    """The benchmark could not measure what it set out to; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens and where it writes its log."""

    port: int
    log: Path

    def headers(self) -> dict[str, str]:
        """What Label Studio sends with each of its calls."""
        return {
            "Host": f"{HOST}:{self.port}",
            "User-Agent": "heartex/1.23.2",
            "Accept-Encoding": "gzip, deflate",
            "Accept": "*/*",
            "Connection": "keep-alive",
            "Authorization": BASIC,
        }

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One call outside the measurement: (status, JSON of the answer)."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=120)
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, content, {**self.headers(), "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """This process's environment without a person's settings of either product, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOCIALITE_", "LABEL_STUDIO_"))}
    path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1", **more}


@contextmanager
def running(command: list[str], server: Server, env: dict[str, str], health: str) -> Iterator[Server]:
    """A server process, from when `health` answers 2xx until the end of the block."""
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_until_up(process, server, health)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_up(process: subprocess.Popen[bytes], server: Server, health: str) -> None:
    end = time.monotonic() + START_UP
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            if server.ask("GET", health)[0] < 300:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    tail = server.log.read_text(encoding="utf-8", errors="replace")[-1500:]
    raise BenchError(f"{server.log.stem} did not come up on port {server.port}. The end of its log:\n{tail}")


def wait_for_engine(server: Server, path: str, body: Any) -> None:
    """Ask until every task of the body has its suggestion; that also fills the caches that a long-running server has
    full.
    """
    end = time.monotonic() + START_UP
    while time.monotonic() < end:
        status, answer = server.ask("POST", path, body)
        if status == 200 and all(one.get("result") for one in answer["results"]):
            return
        time.sleep(0.2)
    raise BenchError(f"{path} gave no suggestion within {START_UP:.0f} s of the server's start.")


def socialite_environment(home: Path) -> dict[str, str]:
    """The settings of our server, and of other commands on the same store."""
    return environment(SOCIALITE_HOME=str(home), SOCIALITE_BASIC_USER=USER, SOCIALITE_BASIC_PASSWORD=PASSWORD)


def socialite(home: Path, engine: str) -> Any:
    """Our server as shipped, with credentials set; a context manager that yields its Server."""
    server = Server(free_port(), home / f"serve-{engine}.log")
    command = [sys.executable, "-m", "backend.cli", "serve", "--host", HOST, "--port", str(server.port)]
    return running([*command, "--engine", engine], server, socialite_environment(home), "/health")


def flask(folder: Path) -> Any:
    """The Flask rival under gunicorn, one worker of eight threads; a context manager that yields its Server."""
    server = Server(free_port(), folder / "flask.log")
    env = environment(RIVAL_FOLDER=str(folder), RIVAL_USER=USER, RIVAL_PASSWORD=PASSWORD)
    command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "8", "--timeout", "0"]
    command += ["--log-level", "warning", "--bind", f"{HOST}:{server.port}", "scripts.bench.flask_rival:app"]
    return running(command, server, env, "/health")


class Generator:
    """A load generator at work on a server."""

    def __init__(self, folder: Path, server: Server, requests: list[Request], **plan: Any) -> None:
        name = f"plan-{time.monotonic_ns()}"
        write_requests(folder / f"{name}.requests", requests)
        plan |= {"host": HOST, "port": server.port, "requests": str(folder / f"{name}.requests")}
        (folder / f"{name}.json").write_text(json.dumps(plan), encoding="utf-8")
        command = [sys.executable, "-m", "scripts.bench.load", str(folder / f"{name}.json")]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def result(self) -> Result:
        """Ends an open loop, waits for a closed one. A run with an invalid answer measures nothing."""
        out, _ = self._process.communicate(timeout=600)
        if self._process.returncode:
            raise BenchError("the load generator failed; its message stands above")
        result = Result(**json.loads(out))
        if result.failed:
            raise BenchError(
                f"{result.failed} of {result.failed + result.answered} answers were invalid: {result.problems}"
            )
        return result


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else math.nan
