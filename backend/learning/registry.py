"""The adapters of a project: which there are, which answers, going to another and back, and what stays on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.catalogue import Catalogue, ProjectState
from backend.engines import bundle
from backend.engines.adapter import MANIFEST, digest, read, unfit
from backend.engines.protocol import Engine
from db import jobs, releases, runs
from db.models import Adapter, GateDecision, LsProject, Project, Release, Run, Scorer, Snapshot
from db.store import Store


class RegistryError(Exception):
    """What was asked of the adapters cannot be done; the message says why, and what can."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An adapter, or the zero-shot scorer (number 0), for people.

    `texts` are the labelled texts by question; `outcome`, `delta`, `lower`, `upper`, `n`: the gate's last decision on
    it, None where there was none. `state`: active | kept | retired.
    """

    number: int
    digest: str
    created_at: datetime | None
    state: str
    base: str
    texts: Mapping[str, int]
    outcome: str | None = None
    delta: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None


def listed(s: Session, project: Project) -> list[Entry]:
    """The project's adapters, newest first, and last what answers without one."""
    active = active_digest(s, project.id)
    decisions = _decisions(s, project.id)
    entries = []
    for one in runs.adapters(s, project.id):
        parts: Mapping[str, Any] = one.manifest.get("parts", {})
        gate = decisions.get(one.digest)
        entries.append(
            Entry(
                number=one.id,
                digest=one.digest,
                created_at=one.created_at,
                state="active" if one.digest == active else "retired" if one.retired_at else "kept",
                base=next((part["base"] for part in parts.values()), ""),
                texts={question: sum(part["examples"].values()) for question, part in parts.items()},
                outcome=gate.outcome if gate else None,
                delta=gate.delta if gate else None,
                lower=gate.lower if gate else None,
                upper=gate.upper if gate else None,
                n=gate.n if gate else None,
            )
        )
    current = releases.current(s, project.id)
    base = s.get_one(Scorer, current.scorer_id).base if current else ""
    return [*entries, Entry(0, "", None, "active" if active == "" else "kept", base, {})]


def active_digest(s: Session, project_id: int) -> str | None:
    """The digest of the bundle that answers: '' for none, None before the first release."""
    current = releases.current(s, project_id)
    return s.get_one(Scorer, current.scorer_id).adapter_digest if current else None


def _decisions(s: Session, project_id: int) -> dict[str, GateDecision]:
    """The last decision on each challenger, by its bundle's digest."""
    query = (
        select(Scorer.adapter_digest, GateDecision)
        .join(Release, Release.scorer_id == Scorer.id)
        .join(GateDecision, GateDecision.challenger_id == Release.id)
        .where(GateDecision.project_id == project_id)
        .order_by(GateDecision.id)
    )
    return {row[0]: row[1] for row in s.execute(query)}


def remember(s: Session, store: Store, project_id: int, folder: Path, parent: str) -> Adapter:
    """The bundle in the folder as an adapter of the project; `parent` is the digest of the one that it challenges."""
    parts = {question: json.loads(read(place).text()) for question, place in bundle.parts(folder).items()}
    whole = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return runs.adapter(s, project_id, digest(folder), store.kept_as(folder), {**whole, "parts": parts}, parent)


def check(engine: Engine, state: ProjectState, folder: Path) -> None:
    """RegistryError when a part of the bundle does not belong to the engine in use, or to the codebook."""
    vocabulary = getattr(getattr(engine, "weights", None), "tokenizer", "")
    for key, place in bundle.parts(folder).items():
        if key not in {question.id for question in state.codebook.questions}:
            raise RegistryError(f"The codebook has no question '{key}', which {folder.name} answers.")
        question = state.codebook.standalone(state.codebook.question(key))
        if reason := unfit(read(place), engine.identity, question, vocabulary):
            raise RegistryError(reason)


def snapshot_of(store: Store, project: Project, folder: Path) -> int:
    """The id of the newest snapshot that the bundle's adapters were tuned on; RegistryError when the project has none
    of one: the gate could then not know what was learned from.
    """
    wanted = {read(place).snapshot for place in bundle.parts(folder).values()}
    query = select(Snapshot.hash, Snapshot.id).where(Snapshot.project_id == project.id, Snapshot.hash.in_(wanted))
    with store.reading() as s:
        known = {row[0]: row[1] for row in s.execute(query)}
    if not wanted or wanted - known.keys():
        raise RegistryError(
            f"The adapters in {folder.name} were tuned on labels that the project '{project.key}' did not export: "
            "texts of the audit may be among them. Tune on what `socialite snapshot export` wrote for this project."
        )
    return max(known.values())


def tidy(store: Store, home: Path, project: Project, run_id: int) -> None:
    """Delete what runs left behind that broke off and do not go on: checkpoints, and bundles that nobody knows of."""
    with store.reading() as s:
        known = {store.folder(one.path) for one in runs.adapters(s, project.id)}
    for folder in (home / "runs" / project.key).glob("*"):
        if folder.name != str(run_id):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in [*(home / "adapters" / project.key).glob("*"), *(home / "adapters" / project.key).glob(".*.part")]:
        if folder not in known and folder.name != f"run-{run_id}":
            shutil.rmtree(folder, ignore_errors=True)


def activate(store: Store, engine: Engine, project: Project, number: int, *, by: str, reason: str) -> str:
    """Make an adapter (0: none) the one that answers, whatever the gate said; the name of its release. It is logged."""
    catalogue = Catalogue(store, engine.identity)
    state = catalogue.state(project.key)
    wanted = _usable(store, project, number)
    if wanted is not None:
        check(engine, state, store.folder(wanted.path))
    return _point(store, catalogue, project, wanted.digest if wanted else "", by=by, reason=reason)


def rollback(store: Store, engine: Engine, project: Project, *, by: str) -> str:
    """Go back to the release before the current one; the name of the release that answers now. It is logged."""
    catalogue = Catalogue(store, engine.identity)
    now = catalogue.state(project.key)
    with store.reading() as s:
        mine = s.get_one(Scorer, now.scorer_id).adapter_digest
        log = [scorer for _, _, scorer in runs.pointed(s, project.id) if scorer.engine == engine.identity.engine]
        earlier = next((scorer.adapter_digest for scorer in log if scorer.adapter_digest != mine), None)
        number = s.scalar(select(Adapter.id).where(Adapter.digest == earlier)) if earlier else 0
    if earlier is None:
        raise RegistryError(
            f"The project '{project.key}' was never served by another adapter, so there is nothing to go back to."
        )
    return activate(store, engine, project, number or 0, by=by, reason=f"Back from {now.release}.")


def _usable(store: Store, project: Project, number: int) -> Adapter | None:
    """The project's adapter of this number, whose files are there; None for 0."""
    if number == 0:
        return None
    with store.reading() as s:
        found = s.get(Adapter, number)
    if found is None or found.project_id != project.id:
        raise RegistryError(
            f"The project '{project.key}' has no adapter {number}. `socialite adapters list` shows those there are."
        )
    if found.retired_at is not None or not store.folder(found.path).is_dir():
        raise RegistryError(f"The files of adapter {number} are gone: it was retired. Choose another, or train again.")
    return found


def _point(store: Store, catalogue: Catalogue, project: Project, digest: str, *, by: str, reason: str) -> str:
    state = catalogue.beside(project.key, digest)
    with store.writing() as s:
        releases.point(s, project.id, s.get_one(Release, state.release_id), by=by, reason=reason)
        push_again(s, project.id)
    return state.release


def push_again(s: Session, project_id: int) -> None:
    """Have the current release's suggestions pushed, where there is a Label Studio project to push them to."""
    assisted = select(LsProject.id).where(LsProject.project_id == project_id, LsProject.role == "assisted")
    if s.scalar(assisted.limit(1)) is not None:
        jobs.enqueue(s, "push", project_id, {})


def retire(store: Store, project: Project, number: int) -> int:
    """Delete the files of an adapter for ever; the bytes that are free again. RegistryError when it must stay."""
    found = _usable(store, project, number)
    with store.reading() as s:
        needed = _needed(s, project.id)
    if found is None or found.digest in needed:
        raise RegistryError("What answers now, and the adapter it was tuned against, stay. Activate another one first.")
    return _delete(store, [found])


def keep(store: Store, project_id: int, most: int) -> int:
    """Retire all but the newest `most`, the one that answers, and its parent; the bytes that are free again."""
    with store.reading() as s:
        there = [one for one in runs.adapters(s, project_id) if one.retired_at is None]
        needed = _needed(s, project_id)
    return _delete(store, [one for one in there[most:] if one.digest not in needed])


def _needed(s: Session, project_id: int) -> set[str]:
    """Digests that no policy may delete: the active adapter's and its parent's; those of a run in progress."""
    active = s.scalar(select(Adapter).where(Adapter.digest == (active_digest(s, project_id) or "")))
    parent = s.get(Adapter, active.parent_id) if active and active.parent_id else None
    running = select(Run.adapter_id).where(Run.project_id == project_id, Run.state == runs.RUNNING)
    busy = s.scalars(select(Adapter.digest).where(Adapter.id.in_(running)))
    return {one.digest for one in (active, parent) if one is not None} | set(busy)


def _delete(store: Store, adapters: Sequence[Adapter]) -> int:
    """Say that they are retired, then delete their files, so that nobody is promised files that are gone."""
    if not adapters:
        return 0
    ids = [one.id for one in adapters]
    with store.writing() as s:
        runs.retire(list(s.scalars(select(Adapter).where(Adapter.id.in_(ids)))))
    folders = [store.folder(one.path) for one in adapters]
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return size
