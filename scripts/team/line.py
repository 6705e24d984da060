"""The line from the simulated Label Studio to the server: one connection, kept while it is in use."""

from __future__ import annotations

import http.client
import json
from typing import Any

from scripts.bench.servers import HOST, BenchError, Server

PATIENCE = 120.0  # seconds


class Line:
    """Posts to one project's address. `hang_up` before a pause: the server closes connections that are idle."""

    def __init__(self, server: Server, key: str) -> None:
        self._base = f"/ls/{key}"
        self._headers = {**server.headers(), "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)

    def post(self, path: str, body: Any) -> Any:
        """The answer's JSON; BenchError for any answer that is not 2xx, since Label Studio would drop what it sent."""
        self._connection.request("POST", self._base + path, json.dumps(body).encode(), self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise BenchError(f"{self._base}{path} answered {answer.status}: {said[:200].decode(errors='replace')}")
        return json.loads(said)

    def hang_up(self) -> None:
        self._connection.close()
