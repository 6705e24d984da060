"""What each project is coded with, and by: its codebook's current revision and its current release, kept in memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.assist.calibration import temperatures
from backend.assist.leaks import cleared
from backend.assist.manner import Manner, manner, manner_of
from backend.engines.protocol import Identity
from db import projects, releases, revisions, runs
from db.dialect import fetch
from db.models import Adapter, Calibration, CodebookRevision, Draw, Project, Release, Scorer
from db.store import Store, StoreError
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError
from labelstudio_config.ids import slug
from labelstudio_config.xml import from_xml

FRESH = 0.1  # seconds that `at_hand` trusts the last look at the store
MOST = 256  # states kept
BY = "server"

_STAMP = (
    "SELECT (SELECT max(id) FROM pointer), (SELECT max(id) FROM codebook_use), (SELECT max(id) FROM project), "
    "(SELECT count(*) FROM project), (SELECT sum(id) FROM release), "
    "(SELECT max(id) FROM draw), (SELECT sum(audit) FROM draw)"
)


@dataclass(frozen=True)
class ProjectState:
    """A project as a request needs to know it."""

    project_id: int
    project_key: str
    revision_id: int
    codebook: Codebook  # as an engine may see it: without examples that the audit holds
    question_ids: Mapping[str, int]  # question key -> id
    scorer_id: int
    release_id: int
    release: str  # the one `model_version` that Label Studio is told
    adapter: Path | None = None  # a bundle
    temperatures: Mapping[str, float] = field(default_factory=dict)  # by question key; 1 where there is none
    manner: Manner = field(default_factory=Manner)


class NoCodebookError(CodebookError):
    """The project has no codebook yet, and the request brought no labelling screen to make one of."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The project '{key}' has no codebook yet. Give its Label Studio project a labelling screen, "
            "or run `socialite connect` with a codebook."
        )


@dataclass(frozen=True)
class _Found:
    """What the store says of a project now."""

    project: Project
    revision: CodebookRevision | None
    codebook: Codebook | None
    release: Release | None


class Catalogue:
    """The states of all projects. Any thread may ask."""

    def __init__(self, store: Store, identity: Identity) -> None:
        """`identity` is the engine's that answers here; a release of another engine is replaced by one of this."""
        self._store, self._identity = store, identity
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[str, str | None], ProjectState] = OrderedDict()
        self._stamp: tuple[object, ...] = ()
        self._cleared: OrderedDict[tuple[int, tuple[object, ...], str], Codebook] = OrderedDict()
        self._looked_at = -FRESH

    def state(self, project_key: str, label_config: str | None = None, *, assisted: bool = True) -> ProjectState:
        """The project's state, as the store has it now.

        A labelling screen (`label_config`, XML) that says something new becomes the codebook's next revision, with a
        release of its own that is made the current one; unless it is not the assisted project's. Raises
        ProjectNotFoundError, and CodebookError where the screen cannot be read.
        """
        config = label_config if assisted else None
        with self._lock:
            self._look()
            state = self._states.get((project_key, config))
            if state is None:
                state = self._loaded(project_key, config)
                self._states[project_key, config] = state
                while len(self._states) > MOST:
                    self._states.popitem(last=False)
            return state

    def beside(self, project_key: str, adapter_digest: str) -> ProjectState:
        """The state that the project would have with this bundle, '' for none: with a release that is remembered, and
        not made the current one.
        """
        with self._store.reading() as s:
            found = _find(s, project_key)
            shown = self._shown(s, found, _wanted(s, found, None))
        with self._store.writing() as s:
            found = _find(s, project_key)
            assert found.revision is not None
            scorer = self._scorer(s, shown, adapter_digest)
            new = releases.release(
                s, found.project.id, scorer, found.revision, order_policy=manner(found.project).policy
            )
            return _state(self._store, s, replace(found, release=new), shown)

    def at_hand(self, project_key: str, label_config: str | None = None) -> ProjectState | None:
        """The state without a look at the store, if the last one was no more than `FRESH` seconds ago; else None: ask
        `state`.
        """
        if time.monotonic() - self._looked_at > FRESH:
            return None
        return self._states.get((project_key, label_config))

    def _look(self) -> None:
        """Forget everything when a pointer, a codebook, a project or a draw has come since the last look."""
        looked_at = time.monotonic()
        with self._store.reading() as s:
            stamp = tuple(fetch(s, _STAMP)[0])
        if stamp != self._stamp:
            self._states = OrderedDict()
            self._stamp = stamp
        self._looked_at = looked_at

    def _loaded(self, key: str, config: str | None) -> ProjectState:
        with self._store.reading() as s:
            found = _find(s, key)
            codebook = _wanted(s, found, config)
            shown = self._shown(s, found, codebook)
            if self._fits(s, found, codebook, shown):
                return _state(self._store, s, found, shown)
        with self._store.writing() as s:
            found = _find(s, key)
            codebook = _wanted(s, found, config)
            shown = self._shown(s, found, codebook)
            self._release(s, found, codebook, shown, config)
            state = _state(self._store, s, _find(s, key), shown)
        self._look()
        return state

    def _shown(self, s: Session, found: _Found, codebook: Codebook) -> Codebook:
        """The codebook as an engine may see it; looked for in the audit's texts once after each draw, and each time
        that one is carried on.
        """
        drawn = select(func.max(Draw.id), func.sum(Draw.audit)).where(Draw.project_id == found.project.id)
        known = (found.project.id, tuple(s.execute(drawn).one()), codebook.content_hash)
        if known not in self._cleared:
            self._cleared[known] = cleared(s, found.project.id, codebook).codebook
            while len(self._cleared) > MOST:
                self._cleared.popitem(last=False)
        return self._cleared[known]

    def _fits(self, s: Session, found: _Found, codebook: Codebook, shown: Codebook) -> bool:
        """Whether the current release is one of this codebook, this engine and this manner."""
        release = found.release
        if found.revision is None or release is None or release.revision_id != found.revision.id:
            return False
        same = (
            codebook.content_hash == found.revision.content_hash
            and release.order_policy == manner(found.project).policy
        )
        return same and self._scores(s.get_one(Scorer, release.scorer_id), shown)

    def _scores(self, scorer: Scorer, shown: Codebook) -> bool:
        """Whether the scorer is this engine's and scored what this codebook shows a model."""
        mine = self._identity
        theirs = Identity(scorer.engine, mine.base, scorer.base_digest, scorer.prompt_hash, scorer.dtype, scorer.method)
        return theirs == mine and scorer.scoring_hash == shown.scoring_hash

    def _release(self, s: Session, found: _Found, codebook: Codebook, shown: Codebook, config: str | None) -> None:
        """Make the codebook and a release of it current. An adapter and a calibration stay as long as what the model
        sees does.
        """
        project, revision = found.project, found.revision
        if revision is None or revision.content_hash != codebook.content_hash:
            assert config is not None
            revision = revisions.register(s, project.id, codebook, config)
        mine = self._last_of_mine(s, project.id, shown)
        if mine is not None:
            scorer, calibration = mine
        else:
            scorer, calibration = self._scorer(s, shown), None
        reason = f"The engine is {self._identity.engine}, the codebook at revision {revision.number}."
        policy = manner(project).policy
        new = releases.release(s, project.id, scorer, revision, calibration=calibration, order_policy=policy)
        releases.point(s, project.id, new, by=BY, reason=reason)

    def _last_of_mine(self, s: Session, project_id: int, shown: Codebook) -> tuple[Scorer, Calibration | None] | None:
        """What served last of this engine, with what the codebook shows a model now: an adapter outlives a change of
        engine and back, unless its files were deleted.
        """
        for _, release, scorer in runs.pointed(s, project_id):
            if self._scores(scorer, shown) and not _retired(s, scorer.adapter_digest):
                return scorer, s.get(Calibration, release.calibration_id) if release.calibration_id else None
        return None

    def _scorer(self, s: Session, shown: Codebook, adapter_digest: str = "") -> Scorer:
        return releases.scorer(
            s,
            engine=self._identity.engine,
            base=self._identity.base,
            base_digest=self._identity.digest,
            adapter_digest=adapter_digest,
            prompt_hash=self._identity.prompt,
            scoring_hash=shown.scoring_hash,
            dtype=self._identity.dtype,
            method=self._identity.method,
        )


def _find(s: Session, key: str) -> _Found:
    project = projects.by_key(s, key)
    revision = revisions.current(s, project.id)
    codebook = revisions.codebook(revision) if revision else None
    return _Found(project, revision, codebook, releases.current(s, project.id))


def _wanted(s: Session, found: _Found, config: str | None) -> Codebook:
    """The codebook of the labelling screen, completed by what is known; the current one where there is no screen."""
    if config is None or (found.revision is not None and found.revision.xml == config):
        if found.codebook is None:
            raise NoCodebookError(found.project.key)
        return found.codebook
    same = select(CodebookRevision).where(
        CodebookRevision.project_id == found.project.id, CodebookRevision.xml == config
    )
    earlier = s.scalar(same.order_by(CodebookRevision.id.desc()).limit(1))
    if earlier is not None:
        return revisions.codebook(earlier)
    if found.codebook is None:
        return from_xml(config, key=slug(found.project.key), title=found.project.title)
    return from_xml(config, key=found.codebook.key, previous=found.codebook)


def _state(store: Store, s: Session, found: _Found, shown: Codebook) -> ProjectState:
    assert found.revision is not None and found.release is not None
    release = found.release
    calibration = s.get(Calibration, release.calibration_id) if release.calibration_id else None
    ids = revisions.question_ids(s, found.project.id)
    kept = _adapter(s, s.get_one(Scorer, release.scorer_id).adapter_digest)
    return ProjectState(
        project_id=found.project.id,
        project_key=found.project.key,
        revision_id=found.revision.id,
        codebook=shown,
        question_ids={q.id: ids[q.id] for q in shown.questions},
        scorer_id=release.scorer_id,
        release_id=release.id,
        release=release.name,
        adapter=store.folder(kept) if kept is not None else None,
        temperatures=temperatures(calibration.parameters if calibration else None),
        manner=manner_of(release.order_policy),
    )


def _retired(s: Session, digest: str) -> bool:
    query = select(Adapter.id).where(Adapter.digest == digest, Adapter.retired_at.is_not(None))
    return bool(digest) and s.scalar(query) is not None


def _adapter(s: Session, digest: str) -> str | None:
    """Where the store keeps the bundle with this digest; None for the zero-shot scorer."""
    if not digest:
        return None
    path = s.scalar(select(Adapter.path).where(Adapter.digest == digest))
    if path is None:
        raise StoreError(
            f"The adapter {digest[:12]} of the current release is not in the store. Go back to another release."
        )
    return path
