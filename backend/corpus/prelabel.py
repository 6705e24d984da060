"""Scores of a whole corpus in the store, before anybody is shown any: Label Studio is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.alone import alone
from backend.assist.asked import asked
from backend.assist.bulk import LOOK, Counts, score_missing
from backend.assist.catalogue import Catalogue, ProjectState
from db import releases, texts
from db.base import now
from db.models import Lease, Project, Scorer
from db.store import Store

if TYPE_CHECKING:
    from backend.engines.protocol import Engine, Identity

Report = Callable[[int, int], None]
Check = Callable[[], None]


class PushBusyError(Exception):
    """Somebody else scores or pushes suggestions of this project just now (`socialite serve` does so by itself). Wait,
    and look at `socialite status`.
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
class Wanted:
    """Which texts: at most `limit` are scored now (None: all); `only_missing`: those alone that no release has scored,
    and tasks that never had a suggestion. `scored`: how many were, so far.
    """

    limit: int | None = None
    only_missing: bool = False
    scored: int = 0

    def room(self, most: int) -> int:
        """How many of so many may still be scored."""
        return most if self.limit is None else max(0, min(most, self.limit - self.scored))


@dataclass(slots=True)
class Prelabelled:
    """The release whose scores are in the store now; texts that were scored, that have no words, and that failed."""

    release: str
    scored: int = 0
    empty: int = 0
    failed: int = 0
    problem: str = ""

    def add(self, counts: Counts) -> None:
        self.scored += counts.scored
        self.empty += counts.empty
        self.failed += counts.failed
        self.problem = counts.problem or self.problem

    def __str__(self) -> str:
        said = [f"{self.scored:,} texts were scored by {self.release}."]
        if self.empty:
            said.append(f"{self.empty:,} have no words.")
        if self.failed:
            said.append(f"{self.failed:,} could not be scored: {self.problem}")
        return " ".join(said)


def check_engine(store: Store, project: Project, engine: Engine) -> None:
    """OtherEngineError while a server answers with another engine: both would replace the other's release for ever."""
    with store.reading() as s:
        release = releases.current(s, project.id)
        scorer = s.get_one(Scorer, release.scorer_id) if release is not None else None
    if scorer is None or not served(store):
        return
    mine = engine.identity
    theirs = (scorer.engine, scorer.base_digest, scorer.prompt_hash, scorer.dtype, scorer.method)
    if theirs != (mine.engine, mine.digest, mine.prompt, mine.dtype, mine.method):
        raise OtherEngineError(scorer, mine)


def served(store: Store) -> bool:
    """Whether a server works on this store."""
    with store.reading() as s:
        worker = s.get(Lease, "worker")
    return worker is not None and worker.expires_at > now()


def prelabel(store: Store, engine: Engine, project: Project, report: Report, wanted: Wanted) -> Prelabelled:
    """Store the scores that the project's texts lack under the current release, which is made if there is none yet.

    Stopped at any point, it goes on where it stopped. PushBusyError when another process is at it, NoCodebookError.
    """
    with alone(store, f"push-{project.id}", PushBusyError()) as check:
        state = Catalogue(store, engine.identity).state(project.key)
        return score_texts(store, engine, state, report, check, wanted)


def score_texts(
    store: Store, engine: Engine, state: ProjectState, report: Report, check: Check, wanted: Wanted
) -> Prelabelled:
    """Score the texts of the corpus that have no score yet: the controls, the texts for work, and the audit's last."""
    questions = [one.question_id for one in asked(engine, state.codebook, state.question_ids)]
    with store.reading() as s:
        streams = texts.unscored(s, state.project_id, None if wanted.only_missing else state.scorer_id, questions)
    done, total = 0, wanted.room(sum(map(len, streams)))
    result = Prelabelled(state.release)
    for ids in streams:
        start = 0
        while part := ids[start : start + wanted.room(LOOK)]:
            start += len(part)

            def told(n: int, _: int, before: int = done) -> None:
                report(before + n, max(total, before + n))

            *_, counts = _checked(check, score_missing(store, engine, state, part, progress=told))
            result.add(counts)
            wanted.scored += counts.scored
            done += len(part)
    return result


def _checked(check: Check, steps: Iterator[Counts]) -> Iterator[Counts]:
    """The steps, each only while the right to score is still ours."""
    for counts in steps:
        check()
        yield counts
