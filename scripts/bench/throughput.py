"""How much /predict answers: `vs_flask` (beside an equal Flask app) and `engine_share` (beside the engine alone)."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from scripts.bench import servers, stored
from scripts.bench.load import Request, Result, request
from scripts.bench.material import predict_body, task
from scripts.bench.servers import BenchError, Generator, Server, percentile

WARM_UP = 64  # texts
KNOWN = 256  # texts


def against_flask(home: Path, posts: Sequence[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Requests a second of both servers in alternating rounds, 8 clients, one task a request.

    Every second request asks about one of 256 texts that are scored already, the others about a text never seen before.
    Both servers get the same texts. A round ends after `seconds`, or when its requests are used up; round 0 warms up
    and does not count.
    """
    tasks = [task(number, text) for number, text in enumerate(posts, 1)]
    known, new = tasks[:KNOWN], tasks[KNOWN:]
    project = stored.create(home)
    figures: dict[str, list[Result]] = {"ours": [], "flask": []}
    with servers.socialite(home, "keyword") as ours, servers.flask(home) as flask:
        path = f"/ls/{stored.KEY}/predict"
        servers.wait_for_engine(ours, path, predict_body(known, project.config))
        share = len(new) // (rounds + 1)
        for number in range(rounds + 1):
            mixed = _mixed(known, new[number * share : (number + 1) * share])
            for name, server, where in (("flask", flask, "/predict"), ("ours", ours, path)):
                requests = [_request(server, where, one, project.config) for one in mixed]
                result = Generator(home, server, requests, clients=8, seconds=seconds if number else 1).result()
                if number:
                    figures[name].append(result)
    rates = {name: [r.answered / r.seconds for r in results] for name, results in figures.items()}
    latencies = {name: [ms for r in results for _, _, ms in r.samples] for name, results in figures.items()}
    return {
        "vs_flask": median(rates["ours"]) / median(rates["flask"]),
        "requests_a_second": rates,
        "p50_ms": {name: percentile(ms, 0.5) for name, ms in latencies.items()},
        "p99_ms": {name: percentile(ms, 0.99) for name, ms in latencies.items()},
    }


def _mixed(known: Sequence[dict[str, Any]], fresh: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A known task and a fresh one, in turn."""
    return [one for pair in zip(itertools.cycle(known), fresh, strict=False) for one in pair]


def _request(server: Server, path: str, one: dict[str, Any], config: str) -> Request:
    return request("POST", path, predict_body([one], config), server.headers(), expected=1)


def beside_engine(home: Path, posts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Texts a second through 32 clients, one new text a request, over the engine's own rate on the same texts, round by
    round.
    """
    tasks = [task(number, text) for number, text in enumerate(posts, 2)]
    project = stored.create(home)
    share = len(posts) // rounds
    path = f"/ls/{stored.KEY}/predict"
    served, alone = [], []
    with servers.socialite(home, "encoder") as server:
        first = [task(1, "A first post, so that the model is loaded.")]
        servers.wait_for_engine(server, path, predict_body(first, project.config))
        for number in range(rounds):
            part = slice(number * share, (number + 1) * share)
            requests = [_request(server, path, one, project.config) for one in tasks[part]]
            Generator(home, server, requests[:WARM_UP], clients=32, seconds=600).result()
            result = Generator(home, server, requests[WARM_UP:], clients=32, seconds=600).result()
            served.append(result.answered / result.seconds)
            alone.append(_offline(home, list(posts[part])))
    return {
        "engine_share": median(s / a for s, a in zip(served, alone, strict=True)),
        "served_texts_a_second": served,
        "engine_texts_a_second": alone,
        "texts_a_round": share - WARM_UP,
    }


def _offline(home: Path, posts: Sequence[str]) -> float:
    file = home / "offline.json"
    file.write_text(json.dumps(posts), encoding="utf-8")
    command = [sys.executable, "-m", "scripts.bench.offline", "encoder", str(file), str(WARM_UP)]
    done = subprocess.run(command, cwd=servers.CHECKOUT, env=servers.environment(), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise BenchError("the engine alone failed; its message stands above")
    return float(json.loads(done.stdout))
