"""A light load generator, a process of its own: `python -m scripts.bench.load PLAN.json` prints one JSON object.

The requests lie ready as bytes before the clock starts, connections are kept alive, and the answers are read whole but
judged only after the clock has stopped. It imports nothing outside the standard library, so that it takes little from
the server it measures.

A plan: `host`, `port`, `requests` (a file made by `write_requests`), `clients`; then either closed loop (`seconds`:
every client sends its next request when it has its last answer; ends sooner when the requests are used up) or open loop
(`rate` a second, until standard input ends or the requests do; a latency counts from the moment the request was due, so
that a stalled server is not flattered).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HEAD = struct.Struct("<II")  # bytes of the request, tasks that its answer must have a result for (0: any 2xx will do)
PATIENCE = 60.0  # seconds to wait for one answer


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire. `expected`: number of results its answer must hold, 0 for none."""

    wire: bytes
    expected: int = 0


@dataclass(slots=True)
class Answered:
    """One exchange: the kind of request (its path), when it was sent (Unix time), seconds until the answer, and it."""

    path: str
    sent: float
    took: float
    status: int
    body: bytes
    expected: int


@dataclass(slots=True)
class Result:
    """What a run came to. `samples`: (path, Unix time sent, milliseconds) of every valid answer."""

    seconds: float = 0.0
    answered: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)
    samples: list[tuple[str, float, float]] = field(default_factory=list)


def request(
    method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, expected: int = 0
) -> Request:
    """A request with a JSON body, ready to send."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return Request("\r\n".join([*lines, "", ""]).encode() + content, expected)


def write_requests(path: Path, requests: Iterable[Request]) -> None:
    with path.open("wb") as file:
        for one in requests:
            file.write(HEAD.pack(len(one.wire), one.expected) + one.wire)


def read_requests(path: Path) -> Iterator[Request]:
    data, at = path.read_bytes(), 0
    while at < len(data):
        size, expected = HEAD.unpack_from(data, at)
        at += HEAD.size + size
        yield Request(data[at - size : at], expected)


class IdleClosed(ConnectionError):  # noqa: N818 - no fault
    """The server closed a connection that was not in use."""


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection with one request on the way at a time. Answers must carry a Content-Length."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0 or self._answer is None or self._answer.done():
            return
        head = self._buffer[:head_end].lower()
        mark = head.find(b"\r\ncontent-length:")
        if mark < 0:
            self._answer.set_exception(ConnectionError("an answer without Content-Length"))
            return
        size = int(head[mark + 17 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + 4 + size:
            return
        body, self._buffer = self._buffer[head_end + 4 : head_end + 4 + size], self._buffer[head_end + 4 + size :]
        if b"\r\nconnection: close" in head:
            self.close()
        self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed the connection"))

    async def send(self, wire: bytes) -> tuple[int, bytes]:
        if self.transport is None:
            raise IdleClosed
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(wire)
        return await self._answer

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
            self.transport = None


class Load:
    """Sends a plan's requests and remembers what came back."""

    def __init__(self, host: str, port: int, requests: list[Request]) -> None:
        self._address = (host, port)
        self._requests = requests
        self._free: list[Connection] = []
        self.answers: list[Answered] = []
        self.errors: list[str] = []

    async def connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._address)
        return connection

    async def exchange(self, one: Request, due: float | None = None) -> None:
        """Send one request on a free connection; `due` (perf_counter) is when the clock for it started."""
        started, sent = (time.perf_counter() if due is None else due), time.time()
        try:
            async with asyncio.timeout(PATIENCE):
                connection, (status, body) = await self._send(one.wire)
        except (OSError, TimeoutError) as error:
            self.errors.append(f"no answer: {type(error).__name__}: {error}")
            return
        took = time.perf_counter() - started
        path = one.wire[: one.wire.index(b" HTTP/")].decode().rpartition(" ")[2]
        self.answers.append(Answered(path, sent, took, status, body, one.expected))
        if connection.transport is not None:
            self._free.append(connection)

    async def _send(self, wire: bytes) -> tuple[Connection, tuple[int, bytes]]:
        """On the connection used last; on a new one where the server has closed that, as it may do when idle."""
        while self._free:
            connection = self._free.pop()
            with contextlib.suppress(IdleClosed):
                return connection, await connection.send(wire)
        connection = await self.connect()
        return connection, await connection.send(wire)

    async def closed(self, clients: int, seconds: float) -> float:
        """`clients` clients for `seconds`; gives the seconds from the first request to the last answer."""
        queue, started = iter(self._requests), time.perf_counter()

        async def client() -> None:
            for one in queue:
                await self.exchange(one)
                if time.perf_counter() - started >= seconds:
                    return

        await asyncio.gather(*(client() for _ in range(clients)))
        return time.perf_counter() - started

    async def opened(self, rate: float, stop: threading.Event) -> float:
        """A request every 1/rate seconds, whatever the server does, until `stop`."""
        started, running = time.perf_counter(), set[asyncio.Task[None]]()
        for number, one in enumerate(self._requests):
            due = started + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            if stop.is_set():
                break
            task = asyncio.create_task(self.exchange(one, due))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
        return time.perf_counter() - started


def fault(answer: Answered) -> str | None:
    """None for a valid answer, else what is wrong with it. A result without regions is no suggestion, so a fault."""
    if not 200 <= answer.status < 300:
        return f"{answer.path}: status {answer.status}: {answer.body[:120].decode(errors='replace')}"
    if answer.expected:
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            results = json.loads(answer.body).get("results")
            if len(results) == answer.expected and all(one.get("result") for one in results):
                return None
        return f"{answer.path}: not one suggestion for each of {answer.expected} tasks"
    return None


def run(plan: dict[str, Any]) -> Result:
    requests = list(itertools.islice(read_requests(Path(plan["requests"])), plan.get("at_most")))
    load, stop = Load(plan["host"], plan["port"], requests), threading.Event()

    def wait_for_end() -> None:
        os.read(sys.stdin.fileno(), 1)
        stop.set()

    gc.collect()
    gc.disable()  # a pause of ours would be read as the server's
    if "rate" in plan:
        threading.Thread(target=wait_for_end, daemon=True).start()
        seconds = asyncio.run(load.opened(plan["rate"], stop))
    else:
        seconds = asyncio.run(load.closed(plan["clients"], plan["seconds"]))
    result = Result(seconds, problems=load.errors)
    for answer in load.answers:
        if problem := fault(answer):
            result.problems.append(problem)
        else:
            result.samples.append((answer.path, answer.sent, answer.took * 1000))
    result.answered, result.failed = len(result.samples), len(result.problems)
    result.problems = list(dict.fromkeys(result.problems))[:5]
    return result


if __name__ == "__main__":
    print(json.dumps(asdict(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))))
