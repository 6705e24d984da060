"""Suggestions for all tasks, scored and sent to Label Studio in bulk: the next chunk is scored while the last one is
sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.alone import alone
from backend.assist.asked import Asked, Values, asked, read
from backend.assist.bulk import score_missing
from backend.assist.catalogue import Catalogue, ProjectState
from backend.assist.order import order_score
from backend.corpus import pushes, spread, wiring
from backend.corpus.label_studio import LabelStudio
from backend.corpus.prelabel import PushBusyError, Wanted, score_texts, served
from backend.corpus.pushes import Todo
from backend.corpus.servers import client_for
from db import jobs, predictions, projects
from db.dialect import chunks
from db.models import LsProject, Project
from db.store import Store

if TYPE_CHECKING:
    from backend.engines.protocol import Engine
    from backend.settings import Settings
    from db.models import Job

FIRST, LARGEST = 500, 2500  # tasks scored, and sent, at once: Label Studio counts the whole project anew with each
QUICK = 5.0  # seconds: a part that was ready so fast may be followed by one twice as large, and coders do not wait
CHUNK = 500  # tasks noted in a transaction
ROUNDS = 3  # how often a push begins anew because the release changed meanwhile
Report = Callable[[int, int], None]


@dataclass(slots=True)
class Pushed:
    """Tasks sent, tasks that get no suggestion, tasks that were left for another time, texts that were scored for the
    report alone, the release that is shown now, and what a person should know.
    """

    release: str = ""
    sent: int = 0
    without: int = 0
    later: int = 0
    older: int = 0  # tasks left with an earlier release's suggestion
    unseen: int = 0
    remark: str = ""

    def __str__(self) -> str:
        without = (
            f" {self.without:,} tasks get none: their text is empty, or could not be scored." if self.without else ""
        )
        unseen = f" {self.unseen:,} more texts were scored, which nobody is shown." if self.unseen else ""
        later = f" {self.later:,} tasks wait for the next time." if self.later else ""
        older = (
            f" {self.older:,} tasks have an earlier release's suggestion, which is not shown under this one: they get "
            "this release's without --only-missing."
            if self.older
            else ""
        )
        remark = f" {self.remark}" if self.remark else ""
        return f"{self.sent:,} suggestions of {self.release} were pushed.{without}{later}{older}{unseen}{remark}"


def run(store: Store, settings: Settings, job: Job) -> str:
    """The job 'push' of a project."""
    from backend.engines.choice import choose

    assert job.project_id is not None
    with store.reading() as s:
        project = s.get_one(Project, job.project_id)

    def report(done: int, total: int) -> None:
        with store.writing() as s:
            jobs.progress(s, job.id, done, total)

    with client_for(store, settings, project.id) as client:
        return str(push(store, choose(settings), client, project, report))


def push(
    store: Store, engine: Engine, client: LabelStudio, project: Project, report: Report, wanted: Wanted | None = None
) -> Pushed:
    """Send what is missing of the current release's suggestions, and have Label Studio show them in the project's
    manner.

    Texts of the audit get none; they, and all others that are not sent, are scored all the same, since a corrected
    share needs the model's label of every text. Stopped at any point, it goes on where it stopped. PushBusyError when
    another process pushes.
    """
    projects.check_in_use(project)
    wanted = wanted or Wanted()
    catalogue = Catalogue(store, engine.identity)
    pushed = Pushed()
    with alone(store, f"push-{project.id}", PushBusyError()) as check:
        for _ in range(ROUNDS):
            state = catalogue.state(project.key)
            if state.release == pushed.release:
                break
            pushed.release = state.release
            for row in _assisted(store, project):
                _to_label_studio(_Push(store, engine, client, state, row, pushed, check, wanted), project, report)
            pushed.unseen += score_texts(store, engine, state, report, check, wanted).scored
    return pushed


def _to_label_studio(work: _Push, project: Project, report: Report) -> None:
    """What one Label Studio project lacks, and the screen that fits it: with words beside the questions from before the
    first suggestion is in words, and without them from when none is shown any more.
    """
    state = work.state
    if not state.manner.ticked:
        wiring.show_manner(work.client, work.row, state.codebook, state.manner)
    if state.manner.diverse:
        score_texts(work.store, work.engine, state, report, work.check, work.wanted)
        work.places = spread.places(work.store, work.row, state, project.seed)
    work.all(report)
    on = served(work.store)
    work.pushed.remark = wiring.show_release(work.client, work.row, project.key, state.release, served=on)
    if state.manner.ticked:
        wiring.show_manner(work.client, work.row, state.codebook, state.manner)


def _assisted(store: Store, project: Project) -> list[LsProject]:
    """The newest assisted project; earlier ones were deleted in Label Studio, or left behind."""
    with store.reading() as s:
        return [row for row in projects.ls_projects(s, project.id) if row.role == "assisted"][-1:]


class _Push:
    """One push of one release to one Label Studio project."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        client: LabelStudio,
        state: ProjectState,
        row: LsProject,
        pushed: Pushed,
        check: Callable[[], None],
        wanted: Wanted,
    ) -> None:
        self.store, self.engine, self.client = store, engine, client
        self.state, self.row, self.pushed, self.check, self.wanted = state, row, pushed, check, wanted
        self.asked: tuple[Asked, ...] = asked(engine, state.codebook, state.question_ids)
        self.places: Mapping[int, float] = {}  # text id -> place in the order, where it is not the text's own matter

    def all(self, report: Report) -> None:
        """Score and send chunk after chunk; at most one chunk is being sent."""
        pushes.settle_doubts(self.store, self.client, self.row, self.state.release_id, self.state.release)
        todo = pushes.missing(self.store, self.row, self.state.release_id)
        if self.wanted.only_missing:
            never = pushes.missing(self.store, self.row, self.state.release_id, never=True)
            self.pushed.older, todo = len(todo) - len(never), never
        report(0, len(todo))
        with ThreadPoolExecutor(1) as sender:
            sending: Future[None] | None = None
            done = 0
            for part, ready in self._ready(todo):
                if sending is not None:
                    sending.result()
                    report(done, len(todo))
                sending = sender.submit(self._send, ready)
                done += len(part)
                self.check()
            if sending is not None:
                sending.result()
                report(done, len(todo))

    def _ready(self, todo: Sequence[Todo]) -> Iterator[tuple[Sequence[Todo], list[tuple[Todo, dict[str, Any]]]]]:
        """Part after part, with what is sent for it: few at a time while they take long to score, else many."""
        done, size = 0, FIRST
        while done < len(todo):
            part, began = todo[done : done + size], time.monotonic()
            ready = self._suggestions(part)
            if time.monotonic() - began < QUICK:
                size = min(2 * size, LARGEST)
            done += len(part)
            yield part, ready

    def _suggestions(self, part: Sequence[Todo]) -> list[tuple[Todo, dict[str, Any]]]:
        """What is sent for each task; one without any score is left out, for the next time where there is a limit."""
        ids = list(dict.fromkeys(one.text_id for one in part))
        scores = self._scores(ids)
        lacking = [i for i in ids if not all((i, one.question_id) in scores for one in self.asked)]
        now = lacking[: self.wanted.room(len(lacking))]
        if now:
            *_, counts = score_missing(self.store, self.engine, self.state, now)
            self.wanted.scored += counts.scored
            scores |= self._scores(now)
        later = set(lacking[len(now) :])
        ready = []
        for todo in part:
            known = [(a, v) for a in self.asked if (v := scores.get((todo.text_id, a.question_id))) is not None]
            if not known:
                self.pushed.later += todo.text_id in later
                self.pushed.without += todo.text_id not in later
                continue
            regions, margins = read(
                self.state.codebook, known, self.state.temperatures, ticked=self.state.manner.ticked
            )
            place = self.places.get(todo.text_id, order_score(todo.stream, todo.rank, margins))
            body = {"task": todo.task_id, "result": regions, "score": place, "model_version": self.state.release}
            ready.append((todo, body))
        return ready

    def _scores(self, ids: Sequence[int]) -> dict[tuple[int, int], Values]:
        with self.store.reading() as s:
            return predictions.lookup(s, self.state.scorer_id, [one.question_id for one in self.asked], ids)

    def _send(self, ready: Sequence[tuple[Todo, dict[str, Any]]]) -> None:
        """Note what is about to be shown, send it, and note that it was sent."""
        if not ready:
            return
        for part in chunks(ready, CHUNK):
            with self.store.writing() as s:
                pushes.begin(s, self.state.release_id, [(todo, float(body["score"])) for todo, body in part])
        sent = pushes.send(self.store, self.client, self.row, [body for _, body in ready])
        there = [todo.ls_task_id for todo, body in ready if body["task"] in sent]
        for ids in chunks(there, CHUNK):
            with self.store.writing() as s:
                pushes.finish(s, self.state.release_id, ids)
        self.pushed.sent += len(there)


__all__ = ["PushBusyError", "Pushed", "push", "run"]
