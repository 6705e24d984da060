"""What a model says of texts that it did not learn from, where a release was scored before it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.calibration import calibrated, temperatures
from backend.engines.protocol import FAMILY
from backend.findings.facts import Facts
from db import predictions
from db.models import Adapter, Calibration, Release, Scorer, Snapshot, SnapshotItem
from labelstudio_config.codebook import Question


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Probabilities [m, K] of the texts `ids` [m] that have scores; `unseen` [m]: no adapter had learned from the text
    when they were made.
    """

    ids: NDArray[np.int64]
    p: NDArray[np.float64]
    unseen: NDArray[np.bool_]


def held_out(s: Session, facts: Facts, question: Question, ids: Sequence[int]) -> HeldOut:
    """The probabilities that the newest release gives a text that did not learn from it: a run tunes an adapter on the
    accepted labels, and finds them right. Where every release did, those of the current one.
    """
    found: dict[int, tuple[list[float], bool]] = {}
    if facts.release is not None and question.kind in FAMILY:
        for release, scorer in _releases(s, facts):
            seen = _learned_from(s, scorer)
            if seen is not None:
                left = [text for text in ids if text not in found and text not in seen]
                found.update((text, (p, True)) for text, p in _read(s, facts, release, question, left))
        left = [text for text in ids if text not in found]
        found.update((text, (p, False)) for text, p in _read(s, facts, facts.release, question, left))
    there = sorted(found)
    return HeldOut(
        np.array(there, dtype=np.int64),
        np.array([found[text][0] for text in there], dtype=np.float64).reshape(-1, len(question.labels)),
        np.array([found[text][1] for text in there], dtype=np.bool_),
    )


def _releases(s: Session, facts: Facts) -> Iterator[tuple[Release, Scorer]]:
    """The project's releases that see what the current one does, that one first, then the newest; a scorer once."""
    assert facts.scorer is not None and facts.release is not None
    current = facts.release
    query = select(Release, Scorer).join(Scorer, Scorer.id == Release.scorer_id)
    same = (Release.project_id == facts.project.id, Scorer.scoring_hash == facts.scorer.scoring_hash)
    rows = [(row[0], row[1]) for row in s.execute(query.where(*same).order_by(Release.id.desc()))]
    met: set[int] = set()
    for release, scorer in sorted(rows, key=lambda row: row[0].id != current.id):
        if scorer.id not in met:
            met.add(scorer.id)
            yield release, scorer


def _learned_from(s: Session, scorer: Scorer) -> set[int] | None:
    """The texts that the scorer's adapter was tuned on or chosen by; None when that is not known."""
    if not scorer.adapter_digest:
        return set()
    adapter = s.scalar(select(Adapter).where(Adapter.digest == scorer.adapter_digest))
    parts = adapter.manifest.get("parts", {}) if adapter is not None else {}
    hashes = {str(part.get("snapshot", "")) for part in parts.values()}
    frozen = s.execute(select(Snapshot.hash, Snapshot.id).where(Snapshot.hash.in_(hashes)))
    known = {row[0]: row[1] for row in frozen}
    if not hashes or hashes - known.keys():
        return None
    return set(s.scalars(select(SnapshotItem.text_id).where(SnapshotItem.snapshot_id.in_(known.values()))))


def _read(
    s: Session, facts: Facts, release: Release, question: Question, ids: Sequence[int]
) -> Iterator[tuple[int, list[float]]]:
    """The texts of these that the release has scores of on the question, with the probabilities [K]."""
    number, family = facts.question_ids[question.id], FAMILY[question.kind]
    calibration = s.get(Calibration, release.calibration_id) if release.calibration_id else None
    heat = temperatures(calibration.parameters if calibration else None).get(question.id, 1.0)
    for (text, _), raw in predictions.lookup(s, release.scorer_id, [number], ids).items():
        if len(raw) == len(question.labels):
            yield text, np.exp(calibrated(raw.tolist(), family, heat)).tolist()
