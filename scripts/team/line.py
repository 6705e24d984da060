"""The line from the simulated Label Studio to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.bench.servers import BenchError, Server


@dataclass(frozen=True, slots=True)
class Line:
    """Posts to one project's address, each time over a new connection, as Label Studio does."""

    server: Server
    key: str

    def post(self, path: str, body: Any) -> Any:
        """The answer's JSON; BenchError for any answer that is not 2xx, since Label Studio would drop what it sent."""
        status, said = self.server.ask("POST", f"/ls/{self.key}{path}", body)
        if not 200 <= status < 300:
            raise BenchError(f"/ls/{self.key}{path} answered {status}: {said}")
        return said
