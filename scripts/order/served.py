"""The queue of a Label Studio project, served by Label Studio's own code in a process of its environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.environment import label_studio, python_of
from scripts.local.processes import clean_environ

PROGRAM = Path(__file__).with_name("hand_out.py")
DATABASE = "label_studio.sqlite3"
CHOICES = "label"  # the one control of the labelling screen
SCREEN = '<View><Text name="text" value="$text"/><Choices name="label" toName="text">{}</Choices></View>'


class QueueError(Exception):
    """Label Studio's process ended, or said what nobody expected."""


def screen(labels: Sequence[str]) -> str:
    """The labelling configuration of a project with these labels."""
    return SCREEN.format("".join(f'<Choice value="{label}"/>' for label in labels))


def chosen(label: str) -> dict[str, Any]:
    """The region of an annotation."""
    return {"id": CHOICES, "from_name": CHOICES, "to_name": "text", "type": "choices", "value": {"choices": [label]}}


class Queue:
    """One project: its tasks are numbered 0 to n - 1 here, and have ids of their own there."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        self._ids: list[int] = []
        self._places: dict[int, int] = {}
        self._wait()

    def open(self, title: str, tasks: int, labels: tuple[str, ...]) -> None:
        """A new project with so many tasks; what it held before is behind it."""
        data = [{"text": f"text {n}"} for n in range(tasks)]  # the order knows no texts
        self._ids = self._ask({"do": "project", "title": title, "config": screen(labels), "tasks": data})["tasks"]
        self._places = {number: place for place, number in enumerate(self._ids)}

    def order(self, version: str, scores: Mapping[int, float]) -> None:
        """Push predictions with these scores, and make theirs the project's version."""
        self._ask({"do": "predictions", "version": version, "scores": [[self._ids[n], s] for n, s in scores.items()]})

    def next(self, coder: int) -> int | None:
        """The task that this coder is shown next, and holds; None when nothing is left."""
        number = self._ask({"do": "next", "coder": coder})["task"]
        return None if number is None else self._places[number]

    def answer(self, coder: int, task: int, label: str) -> None:
        """The coder's annotation of a task. QueueError where Label Studio would serve the task again."""
        done = self._ask({"do": "answer", "coder": coder, "task": self._ids[task], "result": [chosen(label)]})
        if not done["is_labeled"]:
            raise QueueError(f"Task {task} was answered, and Label Studio does not count it as labelled.")

    def coded(self, coder: int, labels: Mapping[int, str]) -> None:
        """The coder's annotations of tasks that nobody was served."""
        answers = [[self._ids[task], [chosen(label)]] for task, label in labels.items()]
        self._ask({"do": "coded", "coder": coder, "answers": answers})

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise QueueError(self._ended()) from error
        return self._wait()

    def _wait(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise QueueError(self._ended())
        said: dict[str, Any] = json.loads(line)
        return said

    def _ended(self) -> str:
        tail = self._log.read_text(encoding="utf-8", errors="replace")[-1500:]
        return f"Label Studio's process ended. The end of its log:\n{tail}"


@contextmanager
def queue(folder: Path, kept: Path) -> Iterator[Queue]:
    """A queue with its database in `folder`. A migrated, empty one is copied from `kept`, and made there at first."""
    if not (kept / DATABASE).is_file():
        fresh = folder / "fresh"
        with _running(fresh):
            pass
        kept.mkdir(parents=True, exist_ok=True)
        part = kept / f"{DATABASE}.{os.getpid()}.part"
        shutil.copyfile(fresh / DATABASE, part)
        part.replace(kept / DATABASE)
    mine = folder / "queue"
    mine.mkdir()
    shutil.copyfile(kept / DATABASE, mine / DATABASE)
    with _running(mine) as running:
        yield running


@contextmanager
def _running(folder: Path) -> Iterator[Queue]:
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_DATABASE_NAME": str(folder / DATABASE),
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    ours = {k: v for k, v in clean_environ().items() if not k.startswith(("LABEL_STUDIO_", "DJANGO_", "SOCIALITE_"))}
    log = folder / "log.txt"
    with (
        log.open("w", encoding="utf-8") as said,
        subprocess.Popen(
            [str(python_of(label_studio())), "-P", str(PROGRAM)],
            env=ours | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            encoding="utf-8",
        ) as process,
    ):
        yield Queue(process, log)
