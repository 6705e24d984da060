"""Waiting, with a bar, until a program that was started answers."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from scripts.local.processes import Child
from scripts.local.progress import Bar

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is not behind a proxy


class StartError(Exception):
    """A program that was started does not answer."""


def wait_until_ready(child: Child, url: str, *, usual: float, limit: float = 600.0) -> None:
    """Returns when a GET of `url` is answered with 200. It usually takes `usual` seconds.

    StartError, with the end of the program's log, when it ends or is not ready after `limit` seconds.
    """
    start = time.monotonic()

    def measure() -> tuple[float, str]:
        return min(0.95, (time.monotonic() - start) / usual), ""

    with Bar(f"Starting {child.name}", measure):
        while not _answers(url):
            if not child.running():
                raise StartError(f"{child.tail()}\n\n{child.name} ended before it was ready. Its log: {child.log}")
            if time.monotonic() - start > limit:
                raise StartError(f"{child.tail()}\n\n{child.name} was not ready in time. Its log: {child.log}")
            time.sleep(0.3)


def _answers(url: str) -> bool:
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:  # refused, timed out, or an error status
        return False
