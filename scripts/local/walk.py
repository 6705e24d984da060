"""A coder's way through the demo, by Label Studio's API: from an open task to a counted correction."""

from __future__ import annotations

import copy
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from scripts.local.label_studio import Api

PATIENCE = 60.0  # seconds until a correction must have arrived


class StepError(Exception):
    """A step of the walk failed."""


@dataclass(frozen=True)
class Corrected:
    """A suggestion with one answer changed by a coder."""

    question: str
    result: list[dict[str, Any]]


def corrected(prediction: dict[str, Any], label_config: str) -> Corrected:
    """What Label Studio's screen sends when a coder changes the first choice and keeps the rest."""
    result = [copy.deepcopy(region) | {"origin": "prediction"} for region in prediction["result"]]
    for region in result:
        if region["type"] == "choices":
            region["value"] = {"choices": [_other(region, label_config)]}
            region["origin"] = "prediction-changed"
            return Corrected(region["from_name"], result)
    raise StepError("The suggestion answers no question with choices.")


def _other(region: dict[str, Any], label_config: str) -> str:
    control = ElementTree.fromstring(label_config).find(f".//Choices[@name='{region['from_name']}']")  # noqa: S314 - our own
    choices = [choice.get("alias") or choice.get("value") or "" for choice in (control or ())]
    for code in choices:
        if code not in region["value"]["choices"]:
            return code
    raise StepError(f"The question '{region['from_name']}' has no other choice.")


class Walk:
    """Each step is printed with ok or FAILED; `run` says whether all went well."""

    def __init__(self, api: Api, title: str, store: Path, status: Callable[[], dict[str, Any]]) -> None:
        """`store` is the SQLite file, `status` gives what `socialite status --json` says of the project."""
        self._api, self._title, self._store, self._status = api, title, store, status

    def run(self) -> bool:
        steps: list[tuple[str, Callable[[], str]]] = [
            ("a coder opens the next task", self._open),
            ("the task shows a suggestion", self._suggestion),
            ("the audit's next task shows none", self._blind),
            ("a corrected answer is accepted", self._submit),
            ("the store holds it as changed", self._stored),
            ("socialite status counts it", self._counted),
        ]
        for name, step in steps:
            try:
                print(f"  ok      {name}: {step()}", flush=True)
            except Exception as error:
                reason = f"the answer holds no {error}" if isinstance(error, KeyError) else str(error)
                print(f"  FAILED  {name}: {reason}", flush=True)
                print(f"The check failed at: {name}.", flush=True)
                return False
        print("The check passed.", flush=True)
        return True

    def _open(self) -> str:
        self._before = self._changed()
        self._project = self._api.project(self._title)
        self._task = self._api.call("GET", f"/api/projects/{self._project['id']}/next")
        return f"task {self._task['id']}"

    def _suggestion(self) -> str:
        shown = [p for p in self._task["predictions"] if p["result"]]
        if not shown:
            raise StepError("Label Studio shows no suggestion for it.")
        self._prediction = shown[0]
        return f"release {self._prediction['model_version']}, {len(self._prediction['result'])} answers"

    def _blind(self) -> str:
        audit = self._api.project(f"{self._title} (audit)")
        task = self._api.call("GET", f"/api/projects/{audit['id']}/next")
        if task["predictions"]:
            raise StepError(f"Task {task['id']} of the audit project shows a suggestion.")
        return f"task {task['id']}"

    def _submit(self) -> str:
        answer = corrected(self._prediction, self._project["label_config"])
        body = {
            "result": answer.result,
            "lead_time": 4.2,
            "parent_prediction": self._prediction["id"],
            "project": self._project["id"],
        }
        path = f"/api/tasks/{self._task['id']}/annotations/?project={self._project['id']}"
        self._annotation = self._api.call("POST", path, body)["id"]
        return f"annotation {self._annotation}, '{answer.question}' changed"

    def _stored(self) -> str:
        origin = _until(self._origin)
        if origin != "changed":
            raise StepError("It did not arrive." if origin is None else f"It arrived as '{origin}'.")
        return f"annotation {self._annotation}"

    def _counted(self) -> str:
        count = _until(lambda: n if (n := self._changed()) > self._before else None)
        if count is None:
            raise StepError(f"It still counts {self._before} changed answers.")
        return f"{count} changed"

    def _changed(self) -> int:
        return int(self._status()["answers"].get("changed", 0))

    def _origin(self) -> str | None:
        """Origin of the newest version of our annotation in the store, None while it is not there."""
        connection = sqlite3.connect(f"{self._store.as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            row = connection.execute(
                "SELECT v.origin FROM answer_version v JOIN answer a ON a.id = v.answer_id JOIN ls_project p "
                "ON p.id = a.ls_project_id WHERE a.annotation_id = ? AND p.ls_id = ? ORDER BY v.updated_at DESC",
                (self._annotation, self._project["id"]),
            ).fetchone()
        finally:
            connection.close()
        return str(row[0]) if row else None


def _until(ask: Callable[[], Any]) -> Any:
    """The first answer that is not None; None when there was none in time."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if answer is not None or time.monotonic() > end:
            return answer
        time.sleep(0.5)
