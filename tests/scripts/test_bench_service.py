from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.bench import load, material, servers

KEYS = {"vs_flask", "engine_share", "webhook_p99_ms", "health_p99_ms", "push_1500_s", "raw"}


class Backend(BaseHTTPRequestHandler):
    """Answers as its path says; `seen` counts the bodies."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        type(self).seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        result: list[dict[str, Any]] = [] if self.path == "/empty" else [{"result": [{"id": "a"}], "score": 1.0}]
        body = json.dumps({"results": result}).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        return


@pytest.fixture
def backend() -> Iterator[servers.Server]:
    handler = type("Handler", (Backend,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield servers.Server(server.server_port, Path())
        server.shutdown()
        thread.join()


def requests(backend: servers.Server, path: str, n: int) -> list[load.Request]:
    return [load.request("POST", path, {"number": i, "text": "ünï\r\n\r\n"}, backend.headers(), 1) for i in range(n)]


def test_requests_are_read_as_they_were_written(tmp_path: Path, backend: servers.Server) -> None:
    written = requests(backend, "/predict", 3)
    load.write_requests(tmp_path / "requests", written)
    assert list(load.read_requests(tmp_path / "requests")) == written


def test_closed_loop_sends_every_request_once(tmp_path: Path, backend: servers.Server) -> None:
    result = servers.Generator(tmp_path, backend, requests(backend, "/predict", 40), clients=4, seconds=60).result()
    assert (result.answered, result.failed) == (40, 0)
    assert [path for path, _, _ in result.samples] == ["/predict"] * 40


def test_open_loop_ends_when_told(tmp_path: Path, backend: servers.Server) -> None:
    generator = servers.Generator(tmp_path, backend, requests(backend, "/predict", 100_000), rate=100)
    result = generator.result()
    assert result.failed == 0
    assert result.answered < 100_000


@pytest.mark.parametrize("path", ["/empty", "/broken"])
def test_an_answer_without_suggestions_measures_nothing(tmp_path: Path, backend: servers.Server, path: str) -> None:
    generator = servers.Generator(tmp_path, backend, requests(backend, path, 3), clients=1, seconds=60)
    with pytest.raises(servers.BenchError, match="3 of 3 answers were invalid"):
        generator.result()


def test_a_server_that_is_gone_measures_nothing(tmp_path: Path, backend: servers.Server) -> None:
    gone = servers.Server(servers.free_port(), Path())
    generator = servers.Generator(tmp_path, gone, requests(backend, "/predict", 2), clients=1, seconds=60)
    with pytest.raises(servers.BenchError, match="no answer"):
        generator.result()


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert servers.percentile([float(x) for x in range(100, 0, -1)], share) == value


def test_posts_are_distinct_and_the_same_each_time() -> None:
    posts = material.texts(None, 3000)
    assert len(set(posts)) == 3000
    assert posts == material.texts(None, 3000)


def test_quick_run_gives_every_key(checkout: Path) -> None:
    command = [sys.executable, str(checkout / "scripts" / "bench_service.py"), "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures.keys() == KEYS
    assert "why_not" in figures["raw"]["push_1500_s"]
    assert all(figures[key] > 0 for key in KEYS - {"raw", "push_1500_s"}), figures["raw"]
