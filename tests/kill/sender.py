"""Label Studio's side of a server that is killed: a stream of events, and the list of those that were answered 2xx."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.payloads import annotation, choice, created, deleted

Key = tuple[str, int, int]  # what happened, to which annotation, at which of its versions


@dataclass(frozen=True)
class Sent:
    """An event and what it is told by."""

    key: Key
    body: dict[str, Any]


def events(first: int, annotations: int, rng: random.Random) -> list[Sent]:
    """Creates, updates and deletes of new annotations, some twice, in an order that has nothing to do with theirs."""
    made: list[Sent] = []
    for number in range(first, first + annotations):
        for version in range(1, rng.choice([2, 2, 3])):
            made.append(Sent(("say", number, version), _said(number, version)))
        if rng.random() < 0.25:
            made.append(Sent(("delete", number, 0), deleted(number)))
    doubles = rng.sample(made, len(made) // 4)
    shuffled = made + doubles
    rng.shuffle(shuffled)
    return shuffled


def _said(number: int, version: int) -> dict[str, Any]:
    labels = ["Kind", "Harsh"]
    given = annotation(
        number, 1 + number % 20, [choice(labels[version % 2])], updated_at=f"2026-11-22T22:10:{version:02d}.000000Z"
    )
    return created(given, f"Text {1 + number % 20}", "ANNOTATION_CREATED" if version == 1 else "ANNOTATION_UPDATED")


@dataclass
class Sender:
    """Sends what waits from several threads, as several coders would. What had no answer waits again."""

    waiting: deque[Sent] = field(default_factory=deque)
    answered: list[Key] = field(default_factory=list)  # each 2xx, in the order they came
    sent: set[Key] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)  # any other status
    first: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, given: Iterable[Sent]) -> None:
        self.waiting.extend(given)

    def stream(self, port: int, threads: int = 3) -> list[threading.Thread]:
        """Start sending; a thread ends when the server is gone or nothing waits."""
        self.first.clear()
        started = [threading.Thread(target=self._send, args=(port,)) for _ in range(threads)]
        for thread in started:
            thread.start()
        return started

    def _send(self, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (event := self._next()) is not None:
            try:
                connection.request("POST", "/webhook", json.dumps(event.body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.waiting.append(event)
                break
            with self._lock:
                if answer.status < 300:
                    self.answered.append(event.key)
                else:
                    self.refused.append(answer.status)
            self.first.set()
        connection.close()

    def _next(self) -> Sent | None:
        try:
            event = self.waiting.popleft()
        except IndexError:
            return None
        self.sent.add(event.key)
        return event
