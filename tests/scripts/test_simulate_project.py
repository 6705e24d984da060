"""The simulated team: its coders, what it sends as Label Studio would, its projects in the store, and its report."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.corpus import annotation
from backend.corpus.event import identity
from backend.corpus.task_data import texts
from db.store import Store, open_store, sqlite_url
from scripts import simulate_project
from scripts.bench.coding_tasks import Task, tasks
from scripts.bench.material import LS_CREATED
from scripts.bench.servers import BenchError, Server
from scripts.team import messages, place
from scripts.team.coder import Coder, team
from scripts.team.figures import Course, Look, Yardsticks, summary, table
from scripts.team.line import Line
from scripts.team.plan import Plan
from scripts.team.ruler import macro_f1
from tests.moods import written

LABELS = ("kind", "harsh", "neither")


@pytest.fixture
def moods(tmp_path: Path) -> Task:
    (task,) = tasks(written(tmp_path / "data", train=60, test=20))
    return task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(sqlite_url(tmp_path))) as opened:
        yield opened


def answers(coder: Coder, suggestion: str | None, n: int = 4000) -> Counter[str]:
    return Counter(coder.answer("kind", LABELS, suggestion) for _ in range(n))


def coder(noise: float, anchor: float) -> Coder:
    return Coder(1, noise, anchor, np.random.default_rng(1))


def test_a_coder_errs_as_often_as_told_and_towards_any_other_label() -> None:
    count = answers(coder(0.2, 0.5), None)
    assert count["kind"] / 4000 == pytest.approx(0.8, abs=0.02)
    assert count["harsh"] / 4000 == pytest.approx(0.1, abs=0.02)


def test_a_coder_keeps_a_wrong_suggestion_as_often_as_told() -> None:
    assert answers(coder(0.0, 0.5), "harsh")["harsh"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert answers(coder(0.0, 0.5), "kind") == {"kind": 4000}
    assert answers(coder(0.0, 0.0), "harsh") == {"kind": 4000}


def test_a_team_has_a_judge_more_and_its_people_err_independently() -> None:
    people = team(3, 0.5, 0.0, seed=1)
    assert [one.user for one in people] == [1, 2, 3, 4]
    said = [[one.answer("kind", LABELS) for _ in range(40)] for one in people]
    assert len({tuple(each) for each in said}) == 4
    again = team(3, 0.5, 0.0, seed=1)
    assert [[one.answer("kind", LABELS) for _ in range(40)] for one in again] == said


def test_a_thousand_texts_are_300_audited_50_controls_and_three_looks() -> None:
    plan = Plan()
    assert (plan.audit(1000), plan.control(1000), plan.blind) == (300, 50, 2)
    assert plan.looks(650) == [217, 217, 216]
    assert plan.looks(30) == [30]
    assert Plan(coders=1).blind == 1


def test_a_project_is_drawn_as_connect_draws_it(store: Store, moods: Task) -> None:
    made = place.made(store, moods, moods.train, Plan(), seed=5, number=2)
    other = place.made(store, moods, moods.train, Plan(), seed=6, number=3)
    assert (len(made.audit.tasks), len(made.gate), len(made.controls), len(made.assisted.tasks)) == (18, 9, 3, 42)
    assert made.gate < made.audit.tasks.keys() and made.controls < made.assisted.tasks.keys()
    assert {**made.audit.tasks, **made.assisted.tasks} == dict(enumerate(moods.train, 1))
    assert list(made.audit.tasks) != list(other.audit.tasks)
    ids = {project.ls_id for one in (made, other) for project in (one.audit, one.assisted)}
    assert len(ids) == 4


def test_what_is_sent_is_read_as_what_label_studio_sends(store: Store, moods: Task) -> None:
    made = place.made(store, moods, moods.train, Plan(), seed=5, number=0)
    task = next(iter(made.assisted.tasks))
    said = messages.predict(made.assisted, [task])
    assert identity(said["project"]) == (made.assisted.ls_id, LS_CREATED)
    assert texts(said["tasks"][0]["data"], made.codebook.fields) == moods.train[task - 1][0]
    event = messages.created(made.assisted, annotation=9, task=task, user=2, result=[])
    assert identity(event["project"]) == identity(messages.setup(made.assisted)["project"])
    assert identity(messages.training(made.audit)["project"]) == (made.audit.ls_id, LS_CREATED)
    kept = annotation.kept(event["annotation"])
    assert kept is not None
    assert (kept["id"], kept["task"], kept["completed_by"], kept["by_a_person"]) == (9, task, 2, True)


@pytest.mark.parametrize(
    ("label", "origin"), [("plus", annotation.KEPT), ("minus", annotation.CHANGED), (None, annotation.HUMAN)]
)
def test_the_origin_of_an_answer_is_read_right(store: Store, moods: Task, label: str | None, origin: str) -> None:
    made = place.made(store, moods, moods.train, Plan(), seed=5, number=0)
    book, question = made.codebook, moods.question
    suggested = [{**region, "score": 0.7} for region in messages.blind(book, question, "plus")]
    if label is None:
        result, prediction = messages.blind(book, question, "minus"), None
    else:
        result, prediction = messages.over(book, question, label, suggested), 17
    task = next(iter(made.assisted.tasks))
    event = messages.created(made.assisted, annotation=1, task=task, user=1, result=result, prediction=prediction)
    kept = annotation.kept(event["annotation"])
    assert kept is not None
    reading = annotation.read(kept, book, suggested={question.id})
    assert (reading.origin, reading.problems) == (origin, ())
    assert reading.values == ((question.id, label or "minus", None, origin),)


def course(task: str, seed: int, end: float, outcome: str) -> Course:
    look = Look(labels=200, outcome=outcome, n=150, delta=0.05, lower=0.01, upper=0.09, truth=end)
    return Course(task, seed, 0.5, (look,), Yardsticks(0.6, 0.62, 0.8, 0.55), Counter())


def test_the_report_counts_tasks_not_runs() -> None:
    courses = [course("a", 0, 0.7, "promote"), course("a", 1, 0.5, "keep"), course("b", 0, 0.45, "undecided")]
    report = summary(courses, anchor=0.5, seeds=2)
    assert report["curve"]["a"] == [[[0, 0.5], [200, 0.7]], [[0, 0.5], [200, 0.5]]]
    assert report["gain"] == {"a": 0.1, "b": -0.05}
    assert (report["gain_mean"], report["share_improved"]) == (0.025, 0.5)
    assert report["outcomes"] == {"promote": 1, "keep": 1, "undecided": 1}
    assert report["anchored"] == {
        "anchor": 0.5,
        "gate_f1": 0.6,
        "true_f1": 0.62,
        "assisted_f1": 0.8,
        "assisted_true_f1": 0.55,
    }
    assert "| a | 50.0 | 60.0 | +10.0 | 1 / 1 / 0 | 60.0 / 62.0 | 80.0 / 55.0 |" in table(courses, report)


def test_macro_f1_is_over_all_labels_of_the_question(moods: Task) -> None:
    assert macro_f1(moods, ["plus", "minus"], ["plus", "minus"]) == 1.0
    assert macro_f1(moods, ["plus", "plus"], ["plus", "plus"]) == 0.5


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b'"busy"')

    def log_message(self, *_: Any) -> None:
        return


def test_an_event_that_is_not_taken_ends_the_simulation() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        line = Line(Server(server.server_port, Path()), "moods-0")
        with pytest.raises(BenchError, match="/ls/moods-0/webhook answered 503: busy"):
            line.post("/webhook", {})
        server.shutdown()
        thread.join()


def test_a_task_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = written(tmp_path / "data", train=4, test=2)
    assert simulate_project.main(["--data", str(data), "--task", "tempers"]) == 2
    assert "tempers" in capsys.readouterr().err


def test_a_team_codes_a_project_over_http_and_its_labels_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole script on made-up texts whose labels nothing but labelled texts can tell."""
    data = written(tmp_path / "data", train=400, test=60)
    arguments = ["--data", str(data), "--texts", "400", "--seeds", "1", "--json", "--cache", str(tmp_path / "cache")]
    assert simulate_project.main(arguments) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report.keys() == {"curve", "gain", "gain_mean", "share_improved", "outcomes", "anchored", "seeds"}
    assert [labels for labels, _ in report["curve"]["moods"][0]] == [0, 260]
    assert sum(report["outcomes"].values()) == 1
    assert report["gain"]["moods"] > 0.1


def test_a_gate_with_too_few_labels_is_undecided_and_no_gain_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the button of Label Studio; the audit of 240 texts has 36 for the gate."""
    data = written(tmp_path / "data", train=240, test=40)
    arguments = ["--data", str(data), "--texts", "240", "--seeds", "1", "--json", "--cache", str(tmp_path / "cache")]
    assert simulate_project.main([*arguments, "--encoder", "auto"]) == 1
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["outcomes"] == {"promote": 0, "keep": 0, "undecided": 1}
    assert report["gain"] == {"moods": 0.0}
