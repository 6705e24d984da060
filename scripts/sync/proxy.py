"""A bad line between Label Studio and the backend: calls go through, but of the webhooks some are lost and some come
twice, the second time late.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

HOST = "127.0.0.1"
SECONDS = 60.0  # that an answer may take
UNREACHABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@dataclass
class Proxy:
    """Listens on a free port of this computer from `start` on, and passes on to `target`.

    `counts`: webhooks `sent` by Label Studio, of these `dropped` and `doubled`; and, of all deliveries, those that did
    not reach the backend (`unreachable`) or that it did not take (`refused`).
    """

    target: int
    seed: int
    drop: float
    double: float
    port: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/proxy")
        self._late: list[bytes] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), name="proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def deliver_late(self) -> int:
        """Pass on now what was held back to come a second time; how much that was."""
        late, self._late = self._late, []
        asyncio.run_coroutine_threadsafe(self._all(late), self._loop).result()
        return len(late)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _listen(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, HOST, self.port) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._end.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request, path = await _request(reader)
            writer.write(await self._answer(request, path))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # Label Studio hung up: it waits a second for a webhook
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, request: bytes, path: str) -> bytes:
        if not path.endswith("/webhook"):
            return await self._pass_on(request) or UNREACHABLE
        self.counts["sent"] += 1
        luck = self._random.random()
        if luck < self.drop:
            self.counts["dropped"] += 1
            return TAKEN
        if luck < self.drop + self.double:
            self.counts["doubled"] += 1
            if self._random.random() < 0.5:
                self._late.append(request)
            else:
                await self._deliver(request)
        return await self._deliver(request)

    async def _all(self, requests: list[bytes]) -> None:
        for request in requests:
            await self._deliver(request)

    async def _deliver(self, request: bytes) -> bytes:
        """Pass a webhook on, and count how that went."""
        answer = await self._pass_on(request)
        if answer is None:
            self.counts["unreachable"] += 1
        elif not answer.split(b" ", 2)[1].startswith(b"2"):
            self.counts["refused"] += 1
        return answer or UNREACHABLE

    async def _pass_on(self, request: bytes) -> bytes | None:
        """The backend's answer; None when there is none."""
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection(HOST, self.target)
                writer.write(request)
                await writer.drain()
                answer = await reader.read()
                writer.close()
        except (OSError, TimeoutError):
            return None
        return answer or None


async def _request(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """A whole request, which asks for the connection to be closed after it, and its path."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    kept = [line for line in lines if line and not line.lower().startswith("connection:")]
    return "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1") + body, first.split(" ")[1]
