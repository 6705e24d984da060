"""Four coders at work, each in a thread: they answer over the suggestion or without one, skip, change and delete."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

Json = dict[str, Any]
OTHER = {
    "humorous": "non-humorous",
    "non-humorous": "humorous",
    "offensive": "not offensive",
    "not offensive": "offensive",
}
SKIP, CHANGE, DELETE, TRUTH = 0.1, 0.15, 0.06, 0.04  # of answers: skipped; afterwards changed, deleted, marked as true
AGAIN = 0.3  # seconds before a coder tries again when Label Studio does not answer


@dataclass
class Team:
    """What the coders have done together: `done` counts it by kind. `wanted`: answers until they stop."""

    wanted: int
    done: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: list[BaseException] = field(default_factory=list)

    def finished(self) -> bool:
        return self.done["answers"] >= self.wanted or bool(self.faults)

    def count(self, kind: str) -> None:
        with self.lock:
            self.done[kind] += 1

    def work(self, coders: Iterable[Coder]) -> list[threading.Thread]:
        """Start them; each thread ends when the team has done enough, or its coder has no task left."""
        threads = [threading.Thread(target=self._guarded, args=(coder,), daemon=True) for coder in coders]
        for thread in threads:
            thread.start()
        return threads

    def _guarded(self, coder: Coder) -> None:
        try:
            for task in coder.tasks:
                if self.finished():
                    return
                coder.answer(task, self)
        except BaseException as fault:
            self.faults.append(fault)


@dataclass
class Coder:
    """An account, and the tasks it will answer, each as Label Studio's list gives it."""

    http: httpx.Client
    tasks: Iterator[Json]
    random: random.Random
    given: list[tuple[int, Json]] = field(default_factory=list)  # annotation id, its result

    def answer(self, task: Json, team: Team) -> None:
        skips = self.random.random() < SKIP
        body = {"result": [], "was_cancelled": True} if skips else self._result(task)
        said = self._send("POST", f"/api/tasks/{task['id']}/annotations/", body | {"lead_time": 2.5})
        if said is None:
            return  # the task is gone
        team.count("answers")
        team.count("skipped" if skips else "given")
        if not skips:
            self.given.append((int(said["id"]), body["result"]))
        if self.given:
            self._think_again(team)

    def _result(self, task: Json) -> Json:
        """The suggestion as it is, or with another first label; a fresh answer where there is none."""
        if not task["predictions"]:
            return {"result": [_region("humor", self._either("humorous")), _region("offensive", "not offensive")]}
        prediction = task["predictions"][0]
        regions = [region | {"origin": "prediction"} for region in prediction["result"]]
        if self.random.random() < 0.5:
            regions[0] = _other(regions[0])
        return {"result": regions, "parent_prediction": prediction["id"]}

    def _either(self, label: str) -> str:
        return label if self.random.random() < 0.5 else OTHER[label]

    def _think_again(self, team: Team) -> None:
        """Now and then, an earlier answer is changed, deleted or marked as the truth."""
        luck = self.random.random()
        place = self.random.randrange(len(self.given))
        number, result = self.given[place]
        if luck < CHANGE:
            self.given[place] = (number, [_other(result[0]), *result[1:]])
            if self._send("PATCH", f"/api/annotations/{number}/", {"result": self.given[place][1]}):
                team.count("changed")
        elif luck < CHANGE + DELETE:
            del self.given[place]
            if self._send("DELETE", f"/api/annotations/{number}/") is not None:
                team.count("deleted")
        elif luck < CHANGE + DELETE + TRUTH and self._send(
            "PATCH", f"/api/annotations/{number}/", {"ground_truth": True}
        ):
            team.count("marked")

    def _send(self, method: str, path: str, body: Json | None = None) -> Any:
        """The answer; None when there is nothing at this address any more. Waits until Label Studio is there."""
        while True:
            try:
                answer = self.http.request(method, path, json=body)
            except httpx.HTTPError:
                time.sleep(AGAIN)
                continue
            if answer.status_code == 404:
                return None
            if answer.status_code < 500:
                return answer.raise_for_status().json() if answer.content else {}
            time.sleep(AGAIN)


def _other(region: Json) -> Json:
    label = OTHER[region["value"]["choices"][0]]
    origin = "manual" if region["origin"] == "manual" else "prediction-changed"
    return region | {"value": {"choices": [label]}, "origin": origin}


def _region(question: str, label: str) -> Json:
    return {
        "id": question,
        "from_name": question,
        "to_name": "text",
        "type": "choices",
        "origin": "manual",
        "value": {"choices": [label]},
    }
