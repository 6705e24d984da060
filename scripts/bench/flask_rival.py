"""The Flask app that `vs_flask` compares with: an ML backend written the way label_studio_ml has its users write one.

Per request, as read in that library: a model object is made, the labelling configuration is parsed with the Label
Studio SDK and compared with the one in a key/value table in SQLite, the model's version is looked up there, its `setup`
writes the version, which makes the process forget what it had read of the table, and the answer, an object of the SDK
for each task, looks the version up again. Basic auth is checked; headers and bodies are logged at DEBUG, so not at the
level it runs at. The scoring is our own keyword engine, loaded once for the process, and the answer has the same
regions as ours. It keeps no text, no score and no exposure, and checks no host and no body size: what it leaves undone
is in its favour.
"""

from __future__ import annotations

import hmac
import logging
import math
import os
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, Response, jsonify, request
from label_studio_sdk.label_interface import LabelInterface
from label_studio_sdk.label_interface.control_tags import ControlTag
from label_studio_sdk.label_interface.objects import PredictionValue

from backend.engines.keyword import KeywordEngine
from labelstudio_config.codebook import Question
from labelstudio_config.xml import from_xml

log = logging.getLogger("flask_rival")
ENGINE = KeywordEngine()
USER, PASSWORD = os.environ["RIVAL_USER"], os.environ["RIVAL_PASSWORD"]
VERSION = "0.0.1"


class Cache:
    """A key/value table in a SQLite file, one connection a statement; what was read is remembered until a write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str | None] = {}
        self._lock = Lock()  # eight threads that wait for SQLite's own lock would sleep most of the time
        self._execute("CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, value TEXT)")

    def get(self, key: str) -> str | None:
        try:
            return self._known[key]
        except KeyError:
            rows = self._execute("SELECT value FROM cache WHERE key = ?", (key,))
            found = rows[0][0] if rows else None
            self._known[key] = found
            return found

    def set(self, key: str, value: str) -> None:
        self._execute("INSERT OR REPLACE INTO cache (key, value) VALUES (?, ?)", (key, value))
        self._known.clear()

    def _execute(self, sql: str, values: tuple[str, ...] = ()) -> list[tuple[str]]:
        with self._lock:
            connection = sqlite3.connect(self._path)
            with connection:
                rows = connection.execute(sql, values).fetchall()
            connection.close()
            return rows


CACHE = Cache(Path(os.environ["RIVAL_FOLDER"]) / "cache.sqlite")


class Model:
    """The model of one project; made anew for every request."""

    def __init__(self, project_id: str, label_config: str) -> None:
        self._project, self._label_config = project_id, label_config
        self.interface = LabelInterface(config=label_config)
        if CACHE.get(f"{project_id}_label_config") != label_config:
            CACHE.set(f"{project_id}_label_config", label_config)
        if not self.version:
            self.setup()
        self.setup()

    @property
    def version(self) -> str | None:
        return CACHE.get(f"{self._project}_model_version")

    def setup(self) -> None:
        CACHE.set(f"{self._project}_model_version", VERSION)

    def predict(self, tasks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        questions = _questions(self._label_config)
        controls = [(control, questions[control.name]) for control in self.interface.controls]
        column = next(iter(self.interface.objects)).value_name
        items = [(str(task["data"][column]),) for task in tasks]
        chosen = [self._regions(control, question, items) for control, question in controls]
        version = self.version
        values = [
            PredictionValue(result=list(regions), score=min(region["score"] for region in regions))
            for regions in zip(*chosen, strict=True)
        ]
        return [value.model_dump() | {"model_version": version} for value in values]

    def _regions(self, control: ControlTag, question: Question, items: Sequence[tuple[str]]) -> list[dict[str, Any]]:
        rows = ENGINE.score(question, items).log_probabilities
        best = rows.argmax(axis=1)
        return [
            {
                "id": f"{control.name}-{number}",
                "from_name": control.name,
                "to_name": control.to_name[0],
                "type": "choices",
                "value": {"choices": [question.labels[index].code]},
                "score": math.exp(rows[number, index]),
            }
            for number, index in enumerate(best)
        ]


@lru_cache
def _questions(label_config: str) -> dict[str, Question]:
    """The configuration's questions by control name: what the engine knows, kept as weights would be."""
    return {question.name: question for question in from_xml(label_config, key="rival").questions}


app = Flask(__name__)


@app.before_request
def authenticate() -> Response | None:
    log.debug("headers: %s", request.headers)
    log.debug("body: %s", request.get_data())
    given = request.authorization
    known = given is not None and hmac.compare_digest(given.username or "", USER)
    if known and hmac.compare_digest(given.password or "", PASSWORD):
        return None
    return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="Login required"'})


@app.after_request
def log_answer(answer: Response) -> Response:
    log.debug("answer: %s", answer.status)
    return answer


@app.get("/health")
def health() -> Response:
    return jsonify({"status": "UP", "model_class": Model.__name__})


@app.post("/predict")
def predict() -> Response:
    body = request.json
    model = Model(str(body["project"]).split(".", 1)[0], body["label_config"])
    return jsonify({"results": model.predict(body["tasks"])})
