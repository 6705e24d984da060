"""Scorers, releases, and which release is current."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.dialect import insert_new
from db.models import Calibration, CodebookRevision, Pointer, Release, Scorer
from db.projects import locked


def scorer(
    s: Session,
    *,
    engine: str,
    base: str,
    base_digest: str,
    adapter_digest: str,
    prompt_hash: str,
    scoring_hash: str,
    dtype: str,
    method: str,
) -> Scorer:
    """The scorer with this identity, remembered if new. `base` is for people and no part of it."""
    identity = {
        "engine": engine,
        "base_digest": base_digest,
        "adapter_digest": adapter_digest,
        "prompt_hash": prompt_hash,
        "scoring_hash": scoring_hash,
        "dtype": dtype,
        "method": method,
    }
    query = select(Scorer).filter_by(**identity)
    found = s.scalar(query)
    if found is None:
        insert_new(s, Scorer, [{"base": base, **identity}])
        found = s.scalars(query).one()
    return found


def release_name(
    *,
    engine: str,
    base_digest: str,
    adapter_digest: str,
    prompt_hash: str,
    scoring_hash: str,
    dtype: str,
    method: str,
    content_hash: str,
    order_policy: str,
    calibration: dict[str, Any] | None = None,
) -> str:
    """The `model_version` string: engine, and ten digits that change with anything that can change a suggestion."""
    scored = [engine, base_digest, adapter_digest, prompt_hash, scoring_hash, dtype, method]
    parts = [*scored, content_hash, order_policy, calibration]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return f"{engine}-{digest[:10]}"


def release(
    s: Session,
    project_id: int,
    scorer: Scorer,
    revision: CodebookRevision,
    *,
    calibration: Calibration | None = None,
    order_policy: str,
) -> Release:
    """The release of these parts, remembered if new; its name is `release_name` of them."""
    name = release_name(
        engine=scorer.engine,
        base_digest=scorer.base_digest,
        adapter_digest=scorer.adapter_digest,
        prompt_hash=scorer.prompt_hash,
        scoring_hash=scorer.scoring_hash,
        dtype=scorer.dtype,
        method=scorer.method,
        content_hash=revision.content_hash,
        order_policy=order_policy,
        calibration=calibration.parameters if calibration else None,
    )
    parts = {
        "project_id": project_id,
        "name": name,
        "scorer_id": scorer.id,
        "calibration_id": calibration.id if calibration else None,
        "revision_id": revision.id,
        "order_policy": order_policy,
    }
    query = select(Release).where(Release.project_id == project_id, Release.name == name)
    found = s.scalar(query)
    if found is None:
        insert_new(s, Release, [parts])
        found = s.scalars(query).one()
    return found


def point(s: Session, project_id: int, release: Release, *, by: str, reason: str) -> None:
    """Make this release the project's current one, by whom and why; no new row when it is already."""
    locked(s, project_id)
    latest = current(s, project_id)
    if latest is None or latest.id != release.id:
        s.add(Pointer(project_id=project_id, release_id=release.id, by=by, reason=reason))
        s.flush()


def current(s: Session, project_id: int) -> Release | None:
    """The release the pointer log ends at; None before the first."""
    query = select(Release).join(Pointer, Pointer.release_id == Release.id).where(Pointer.project_id == project_id)
    return s.scalar(query.order_by(Pointer.id.desc()).limit(1))


def names(s: Session, project_id: int) -> list[str]:
    """The names of the project's releases, newest first."""
    return list(s.scalars(select(Release.name).where(Release.project_id == project_id).order_by(Release.id.desc())))
