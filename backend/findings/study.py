"""What an article has to say of how its labels came about: the draws, the coding, the model and all its versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.findings.corpus import STREAMS
from backend.findings.facts import Facts
from backend.learning.accepted import CODERS
from backend.learning.recode import Said, said
from backend.learning.vote import ADJUDICATED
from db import runs
from db.answers import LiveAnswer
from db.models import Adapter, CodebookRevision, Draw, GateDecision, Pointer, Project, Release, Run, Snapshot, TextBody
from db.models import Text as TextRow

_BULK = "bulk"  # origin of answers that no person gave


@dataclass(frozen=True, slots=True)
class Coded:
    """The live answers of a phase that are no skips, counted. `blind`: to audit texts without a suggestion; `assisted`:
    to other texts, of which `kept` left the suggestion as it was; `bulk`: made from predictions by no person; `skipped`
    are apart. `coders`: who gave them. `texts`: those with an answer by a person. `first`, `last`: when.
    """

    blind: int
    assisted: int
    kept: int
    adjudicated: int
    imported: int
    bulk: int
    skipped: int
    not_blind: int
    coders: int
    texts: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Study:
    """All of it. `runs`, `decisions` and `draws` are in the order of time; `served` is the log of which release was
    current, the newest first, and `releases` and `revisions` are numbers of those there were. `said`: which
    changes of the codebook people say left a question's meaning as it was.

    `adapter`: what the current release was tuned to; `snapshots`: the labels that it was tuned on. `rows` of the corpus
    show `streams` texts by stream, '' being those that were not drawn. `erased`: texts whose words are gone.
    """

    facts: Facts
    draws: tuple[Draw, ...]
    coded: Coded
    runs: tuple[Run, ...]
    decisions: tuple[GateDecision, ...]
    served: tuple[tuple[Pointer, Release], ...]
    releases: int
    revisions: int
    said: tuple[Said, ...]
    adapter: Adapter | None
    snapshots: tuple[Snapshot, ...]
    rows: int
    streams: Mapping[str, int]
    erased: int

    @property
    def coders(self) -> int:
        """How many are to code an audit text."""
        return int(self.facts.project.sampling_design.get("coders", CODERS))

    @property
    def taught(self) -> dict[str, int]:
        """Question -> labelled texts that the adapter in use was tuned on."""
        parts: Mapping[str, Any] = self.adapter.manifest.get("parts", {}) if self.adapter else {}
        return {key: sum(part["examples"].values()) for key, part in parts.items()}

    @property
    def calibrated(self) -> bool:
        return self.facts.release is not None and self.facts.release.calibration_id is not None


def study(s: Session, facts: Facts) -> Study:
    """What the store knows of a project, beside the facts of a phase."""
    project = facts.project
    digest = facts.scorer.adapter_digest if facts.scorer else ""
    adapter = s.scalar(select(Adapter).where(Adapter.digest == digest)) if digest else None
    parts = adapter.manifest.get("parts", {}) if adapter else {}
    hashes = {part["snapshot"] for part in parts.values()}
    frozen = select(Snapshot).where(Snapshot.project_id == project.id, Snapshot.hash.in_(hashes)).order_by(Snapshot.id)
    streams = Counter(STREAMS[n] for n in facts.texts.stream.tolist())
    gone = select(func.count()).select_from(TextBody).join(TextRow, TextRow.id == TextBody.text_id)
    return Study(
        facts=facts,
        draws=tuple(s.scalars(select(Draw).where(Draw.project_id == project.id).order_by(Draw.number))),
        coded=_coded([answer for answer in facts.answers if answer.phase == facts.phase], facts),
        runs=tuple(s.scalars(select(Run).where(Run.project_id == project.id).order_by(Run.id))),
        decisions=tuple(_decisions(s, project)),
        served=tuple((pointer, release) for pointer, release, _ in runs.pointed(s, project.id)),
        releases=_count(s, Release, project),
        revisions=_count(s, CodebookRevision, project),
        said=said(s, project.id),
        adapter=adapter,
        snapshots=tuple(s.scalars(frozen)),
        rows=int(facts.texts.rows.sum()),
        streams=dict(streams),
        erased=s.scalars(gone.where(TextRow.project_id == project.id, TextBody.erased_at.is_not(None))).one(),
    )


def _decisions(s: Session, project: Project) -> Sequence[GateDecision]:
    query = select(GateDecision).where(GateDecision.project_id == project.id)
    return s.scalars(query.order_by(GateDecision.look_number)).all()


def _count(s: Session, table: type[Release] | type[CodebookRevision], project: Project) -> int:
    return s.scalars(select(func.count(table.id)).where(table.project_id == project.id)).one()


def _coded(live: Sequence[LiveAnswer], facts: Facts) -> Coded:
    given = [answer for answer in live if not answer.cancelled]
    people = [answer for answer in given if answer.origin != _BULK and not answer.imported]
    votes = [answer for answer in people if answer.origin != ADJUDICATED]
    audit = [answer for answer in votes if answer.stream == "audit"]
    blind = [answer for answer in audit if answer.ls_role == "audit" and answer.release_id is None]
    rest = [answer for answer in votes if answer.stream != "audit"]
    times = [answer.answered_at for answer in people]
    return Coded(
        blind=len(blind),
        assisted=len(rest),
        kept=sum(answer.origin == "kept" for answer in rest),
        adjudicated=sum(answer.origin == ADJUDICATED for answer in people),
        imported=sum(answer.imported and answer.origin != _BULK for answer in given),
        bulk=sum(answer.origin == _BULK for answer in given),
        skipped=len(live) - len(given),
        not_blind=len(audit) - len(blind),
        coders=len({answer.coder_id for answer in votes if answer.coder_id is not None}),
        texts=int(np.isin(facts.texts.ids, [answer.text_id for answer in people]).sum()),
        first=min(times, default=None),
        last=max(times, default=None),
    )
