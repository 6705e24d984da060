"""Suggestions for all tasks, scored and sent to Label Studio in bulk: the next chunk is scored while the last one is
sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.alone import alone
from backend.assist.asked import Asked, asked, read
from backend.assist.bulk import score_missing
from backend.assist.catalogue import Catalogue, ProjectState
from backend.assist.order import order_score
from backend.corpus import pushes, wiring
from backend.corpus.label_studio import LabelStudio
from backend.corpus.pushes import Todo
from backend.corpus.servers import client_for
from db import jobs, predictions, projects, releases, texts
from db.base import now
from db.dialect import chunks
from db.models import Lease, LsProject, Project, Scorer
from db.store import Store

if TYPE_CHECKING:
    from backend.engines.protocol import Engine, Identity
    from backend.settings import Settings
    from db.models import Job

CHUNK = 500  # tasks scored, and sent, at once: Label Studio counts the whole project anew with each
ROUNDS = 3  # how often a push begins anew because the release changed meanwhile
Report = Callable[[int, int], None]


class PushBusyError(Exception):
    """Somebody else pushes suggestions of this project just now (`socialite serve` does so by itself). Wait, and look
    at `socialite status`.
    """

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class OtherEngineError(Exception):
    """The server makes its suggestions with another engine than this command."""

    def __init__(self, served: Scorer, mine: Identity) -> None:
        super().__init__(
            f"`socialite serve` suggests with the engine '{served.engine}' ({served.base}), this command would "
            f"with '{mine.engine}' ({mine.base}), or in other words or numbers. Give both the same options, such as "
            "--engine, --model and --instructions."
        )


@dataclass(slots=True)
class Pushed:
    """Tasks sent, tasks that get no suggestion, texts that were scored for the report alone, and the release that is
    shown now.
    """

    release: str = ""
    sent: int = 0
    without: int = 0
    unseen: int = 0

    def __str__(self) -> str:
        without = (
            f" {self.without:,} tasks get none: their text is empty, or could not be scored." if self.without else ""
        )
        unseen = f" {self.unseen:,} more texts were scored, which nobody is shown." if self.unseen else ""
        return f"{self.sent:,} suggestions of {self.release} were pushed.{without}{unseen}"


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


def check_engine(store: Store, project: Project, engine: Engine) -> None:
    """OtherEngineError while a server answers with another engine: both would replace the other's release for ever."""
    scorer, mine = _scorer(store, project), engine.identity
    with store.reading() as s:
        worker = s.get(Lease, "worker")
    if scorer is None or worker is None or worker.expires_at <= now():
        return
    served = (scorer.engine, scorer.base_digest, scorer.prompt_hash, scorer.dtype, scorer.method)
    if served != (mine.engine, mine.digest, mine.prompt, mine.dtype, mine.method):
        raise OtherEngineError(scorer, mine)


def _scorer(store: Store, project: Project) -> Scorer | None:
    with store.reading() as s:
        release = releases.current(s, project.id)
        return s.get_one(Scorer, release.scorer_id) if release is not None else None


def push(store: Store, engine: Engine, client: LabelStudio, project: Project, report: Report) -> Pushed:
    """Send what is missing of the current release's suggestions, and have Label Studio show them.

    Texts of the audit get none; they, and all others that are not sent, are scored all the same, since a corrected
    share needs the model's label of every text. Stopped at any point, it goes on where it stopped. PushBusyError when
    another process pushes.
    """
    projects.check_in_use(project)
    catalogue = Catalogue(store, engine.identity)
    pushed = Pushed()
    with alone(store, f"push-{project.id}", PushBusyError()) as check:
        for _ in range(ROUNDS):
            state = catalogue.state(project.key)
            if state.release == pushed.release:
                break
            pushed.release = state.release
            for row in _assisted(store, project):
                _Push(store, engine, client, state, row, pushed, check).all(report)
                wiring.show_release(client, row, project.key, state.release)
            pushed.unseen += _score_rest(store, engine, state, report, check)
    return pushed


def _score_rest(store: Store, engine: Engine, state: ProjectState, report: Report, check: Callable[[], None]) -> int:
    """Score the texts of the corpus that have no score yet; how many there were."""
    with store.reading() as s:
        ids = texts.unscored(s, state.project_id, state.scorer_id)
    scored = 0
    for counts in score_missing(store, engine, state, ids, progress=report):
        scored = counts.scored
        check()
    return scored


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
    ) -> None:
        self.store, self.engine, self.client = store, engine, client
        self.state, self.row, self.pushed, self.check = state, row, pushed, check
        self.asked: tuple[Asked, ...] = asked(engine, state.codebook, state.question_ids)

    def all(self, report: Report) -> None:
        """Score and send chunk after chunk; at most one chunk is being sent."""
        pushes.settle_doubts(self.store, self.client, self.row, self.state.release_id, self.state.release)
        todo = pushes.missing(self.store, self.row, self.state.release_id)
        report(0, len(todo))
        with ThreadPoolExecutor(1) as sender:
            sending: Future[None] | None = None
            done = 0
            for part in chunks(todo, CHUNK):
                ready = self._suggestions(part)
                if sending is not None:
                    sending.result()
                    report(done, len(todo))
                sending = sender.submit(self._send, ready)
                done += len(part)
                self.check()
            if sending is not None:
                sending.result()
                report(done, len(todo))

    def _suggestions(self, part: Sequence[Todo]) -> list[tuple[Todo, dict[str, Any]]]:
        """What is sent for each task; tasks without any score are left out."""
        ids = list(dict.fromkeys(one.text_id for one in part))
        for _ in score_missing(self.store, self.engine, self.state, ids):
            pass
        with self.store.reading() as s:
            scores = predictions.lookup(s, self.state.scorer_id, [one.question_id for one in self.asked], ids)
        ready = []
        for todo in part:
            known = [(a, v) for a in self.asked if (v := scores.get((todo.text_id, a.question_id))) is not None]
            if not known:
                self.pushed.without += 1
                continue
            regions, margins = read(self.state.codebook, known, self.state.temperatures)
            place = order_score(todo.stream, todo.rank, margins)
            body = {"task": todo.task_id, "result": regions, "score": place, "model_version": self.state.release}
            ready.append((todo, body))
        return ready

    def _send(self, ready: Sequence[tuple[Todo, dict[str, Any]]]) -> None:
        """Note what is about to be shown, send it, and note that it was sent."""
        if not ready:
            return
        with self.store.writing() as s:
            pushes.begin(s, self.state.release_id, [(todo, float(body["score"])) for todo, body in ready])
        sent = pushes.send(self.store, self.client, self.row, [body for _, body in ready])
        there = [todo for todo, body in ready if body["task"] in sent]
        with self.store.writing() as s:
            pushes.finish(s, self.state.release_id, [todo.ls_task_id for todo in there])
        self.pushed.sent += len(there)
