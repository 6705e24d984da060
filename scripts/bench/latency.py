"""How long Label Studio waits for short answers while the server or its store is busy: `webhook_p99_ms` and
`health_p99_ms`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labelstudio_config.codebook import Codebook
from scripts.bench import servers, stored
from scripts.bench.load import Request, request
from scripts.bench.material import annotation_created, predict_body, setup_body, task
from scripts.bench.servers import BenchError, Generator, percentile

EVENTS_A_SECOND = 100
PROBES_A_SECOND = 40  # half of them /health, half /setup


def webhook(home: Path, posts: Sequence[str], most: int, predictions: int) -> dict[str, Any]:
    """/webhook under 100 events a second, open loop, while another process writes `predictions` predictions to the same
    store.

    Only events sent between the writer's first and last write count; each is a new answer to a task that the store
    knows. `most` events lie ready, more than are needed.
    """
    project = stored.create(home)
    text_ids = stored.remember(project, posts)
    with servers.socialite(home, "keyword") as server:
        path = f"/ls/{stored.KEY}/webhook"
        headers = {**server.headers(), "User-Agent": "python-requests/2.34.2", "X-Socialite-Secret": stored.SECRET}
        headers.pop("Authorization")  # Label Studio sends none here
        events = [request("POST", path, body, headers) for body in _events(project, posts[:most])]
        events_sent = Generator(home, server, events, rate=EVENTS_A_SECOND)
        time.sleep(1)
        plan = {"url": project.url, "project_id": project.project_id, "text_ids": text_ids, "count": predictions}
        written = _write(home, plan)
        result = events_sent.result()
    during = [ms for _, sent, ms in result.samples if written["began"] <= sent <= written["ended"]]
    if not during:
        raise BenchError("No event was sent while predictions were written: write more of them.")
    return {
        "webhook_p99_ms": percentile(during, 0.99),
        "p50_ms": percentile(during, 0.5),
        "max_ms": max(during),
        "events": len(during),
        "predictions": written["predictions"],
        "predictions_a_second": written["predictions"] / (written["ended"] - written["began"]),
    }


def _events(project: stored.Stored, posts: Sequence[str]) -> Iterator[dict[str, Any]]:
    random_ = random.Random(1)
    for number, text in enumerate(posts, 1):
        yield annotation_created(number, number, text, project.config, _answer(project.codebook, random_))


def _answer(book: Codebook, random_: random.Random) -> list[dict[str, Any]]:
    """Regions of one answer: a label chosen at random for each question."""
    return [
        {
            "id": f"r{number}",
            "from_name": question.name,
            "to_name": question.to_name,
            "type": "choices",
            "origin": "manual",
            "value": {"choices": [random_.choice(question.labels).code]},
        }
        for number, question in enumerate(book.questions)
    ]


def _write(home: Path, plan: dict[str, Any]) -> dict[str, float]:
    file = home / "writer.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    command = [sys.executable, "-m", "scripts.bench.writer", str(file)]
    done = subprocess.run(command, cwd=servers.CHECKOUT, env=servers.environment(), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise BenchError("the bulk writer failed; its message stands above")
    return dict(json.loads(done.stdout))


def health(home: Path, posts: Sequence[str]) -> dict[str, Any]:
    """/health and /setup, open loop, while one request has the encoder score all `posts`, as Retrieve Predictions asks
    for.
    """
    project = stored.create(home)
    root = f"/ls/{stored.KEY}"
    with servers.socialite(home, "encoder") as server:
        first = [task(1, "A first post, so that the model is loaded.")]
        servers.wait_for_engine(server, f"{root}/predict", predict_body(first, project.config))
        probes: list[Request] = [
            request("GET", f"{root}/health", None, server.headers()),
            request("POST", f"{root}/setup", setup_body(project.config), server.headers()),
        ]
        probing = Generator(home, server, probes * (PROBES_A_SECOND * 150), rate=PROBES_A_SECOND)
        time.sleep(1)
        began = time.time()
        body = predict_body([task(number, text) for number, text in enumerate(posts, 2)], project.config)
        status, answer = server.ask("POST", f"{root}/predict", body)
        ended = time.time()
        result = probing.result()
    if status != 200 or len(answer["results"]) != len(posts):
        raise BenchError(f"/predict answered {status} to {len(posts)} tasks at once")
    scored = sum(1 for one in answer["results"] if one.get("result"))
    during = [(path, ms) for path, sent, ms in result.samples if began <= sent <= ended]
    return {
        "health_p99_ms": percentile([ms for _, ms in during], 0.99),
        "health_only_p99_ms": percentile([ms for path, ms in during if path.endswith("/health")], 0.99),
        "setup_only_p99_ms": percentile([ms for path, ms in during if path.endswith("/setup")], 0.99),
        "max_ms": max(ms for _, ms in during),
        "probes": len(during),
        "texts_scored": scored,
        "seconds": ended - began,
    }
