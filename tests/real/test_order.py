"""The order in which Label Studio hands out texts: its own functions in a process of theirs, and a server's /next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest

from backend.assist.order import order_score
from scripts.environment import LABEL_STUDIO
from scripts.order.corpus import Corpus
from scripts.order.served import Queue, chosen, queue, screen
from scripts.order.serving import CODERS, EVERY, Desk, Serving
from tests.real.coding import predictions
from tests.real.label_studio import Server, executable

pytestmark = pytest.mark.real

LABELS = ("yes", "no")
TEXTS, AUDIT, CONTROL, FIRST, SECOND = 60, 6, 5, 20, 40


@dataclass
class Live:
    """What `Queue` is, over HTTP: a project on the server, and a client for each coder."""

    server: Server
    coders: Sequence[httpx.Client]
    project: int = 0
    tasks: list[int] = field(default_factory=list)

    def open(self, title: str, tasks: int, labels: tuple[str, ...]) -> None:
        with self.server.client() as client:
            made = client.create_project(
                title=title, label_config=screen(labels), sampling="Uncertainty sampling", maximum_annotations=1
            )
            self.project = made["id"]
            self.tasks = client.import_tasks(self.project, [{"data": {"text": f"text {n}"}} for n in range(tasks)])

    def order(self, version: str, scores: Mapping[int, float]) -> None:
        rows = [
            {"task": self.tasks[n], "result": [chosen(LABELS[0])], "score": score, "model_version": version}
            for n, score in scores.items()
        ]
        with self.server.client() as client:
            assert client.import_predictions(self.project, rows) == len(rows)
            client.patch_project(self.project, model_version=version)

    def next(self, coder: int) -> int | None:
        task = self.coders[coder - 1].get(f"/api/projects/{self.project}/next").raise_for_status().json()
        return self.tasks.index(task["id"])

    def answer(self, coder: int, task: int, label: str) -> None:
        body = {"result": [chosen(label)], "lead_time": 2.5, "project": self.project}
        path = f"/api/tasks/{self.tasks[task]}/annotations/?project={self.project}"
        self.coders[coder - 1].post(path, json=body).raise_for_status()

    def coded(self, coder: int, labels: Mapping[int, str]) -> None:
        for task, label in labels.items():
            self.answer(coder, task, label)


@pytest.fixture(scope="module")
def live(label_studio: Server) -> Iterator[Live]:
    clients = [label_studio.http(label_studio.coder(f"order-{n}@example.org")) for n in range(CODERS)]
    yield Live(label_studio, clients)
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    folder = tmp_path_factory.mktemp("queue")
    with _named(), queue(folder, folder / "kept") as running:
        yield running


@contextmanager
def _named() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LABEL_STUDIO, str(executable().parent.parent))
        yield


def corpus() -> Corpus:
    """Its first texts are the audit, the next the control, in the reverse of the order that ids would give."""
    control = range(AUDIT, AUDIT + CONTROL)
    return Corpus(
        items=tuple((f"text {n}",) for n in range(TEXTS)),
        truth=np.arange(TEXTS) % 2,
        cluster=np.arange(TEXTS),
        audit=np.arange(AUDIT),
        control=tuple((text, AUDIT + CONTROL - text) for text in control),
        work=np.arange(AUDIT + CONTROL, TEXTS),
    )


def scores(drawn: Corpus, seed: int) -> dict[int, float]:
    sure = np.random.default_rng(seed).permutation(len(drawn.work)) / len(drawn.work)
    found = {int(text): order_score("work", None, [float(x)]) for text, x in zip(drawn.work, sure, strict=True)}
    return found | {text: order_score("control", rank, []) for text, rank in drawn.control}


def coded(desk: Desk, most: int = EVERY) -> tuple[Serving, list[list[int]], list[dict[int, float]]]:
    """Two rounds by three coders in turn, with other scores in the second."""
    drawn = corpus()
    serving = Serving(desk, drawn, LABELS, "Order", most)
    given = [scores(drawn, seed) for seed in (1, 2)]
    rounds = [
        serving.upto(n, version, each).tolist()
        for n, version, each in zip((FIRST, SECOND), ("first", "second"), given, strict=True)
    ]
    return serving, rounds, given


def test_the_server_hands_out_what_its_functions_do(live: Live, apart: Queue) -> None:
    """Control texts, then the lowest score first, with three tasks in hand; after the second push by the new scores."""
    over_http, rounds, given = coded(live)
    in_process, same, _ = coded(apart)
    assert same == rounds
    for serving in (over_http, in_process):
        assert (serving.unsorted, serving.served, len(serving.work)) == (0, CONTROL + SECOND, SECOND)
    drawn = corpus()
    first = sorted(drawn.work.tolist(), key=lambda text: given[0][text])[:FIRST]
    left = [text for text in drawn.work.tolist() if text not in first]
    assert rounds[0] == first
    assert rounds[1] == first + sorted(left, key=lambda text: given[1][text])[: SECOND - FIRST]


def test_some_of_each_round_are_served_as_all_would_be(apart: Queue) -> None:
    some, rounds, _ = coded(apart, most=7)
    assert (some.unsorted, some.served) == (0, CONTROL + 14)
    assert rounds == coded(apart)[1]


def test_what_is_in_hand_is_served_again_and_to_nobody_else(apart: Queue) -> None:
    apart.open("In hand", 5, LABELS)
    apart.order("only", {n: n / 10 for n in range(5)})
    assert [apart.next(coder) for coder in (1, 2, 1, 3, 2)] == [0, 1, 0, 2, 1]
    apart.answer(2, 1, "yes")
    assert [apart.next(coder) for coder in (2, 1)] == [3, 0]


def test_tasks_without_a_prediction_of_the_current_version_come_last(apart: Queue) -> None:
    apart.open("Lacking", 4, LABELS)
    apart.order("old", {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4})
    apart.order("new", {3: 0.6, 2: 0.7})
    served = []
    for _ in range(2):
        task = apart.next(1)
        assert task is not None
        served.append(task)
        apart.answer(1, task, "no")
    assert served == [3, 2]
    assert apart.next(1) in (0, 1)


def test_the_live_project_holds_both_versions(live: Live) -> None:
    """The old predictions stay beside the new ones, as after a project's re-tuning."""
    with live.server.http() as owner:
        held = predictions(owner, live.project)
    assert {tuple(sorted(p["model_version"] for p in each)) for each in held.values()} == {("first", "second")}
