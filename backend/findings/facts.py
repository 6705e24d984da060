"""All that a report is computed from, read from the store once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.findings.corpus import Texts, texts
from backend.findings.scores import Scored, scored
from backend.learning.accepted import Resolved, audit_labels
from db import answers, looks, releases, revisions
from db.answers import LiveAnswer
from db.models import CodebookRevision, Coder, Look, Project, Release, Scorer
from labelstudio_config.codebook import Codebook

PRODUCTION = "production"


class FindingsError(Exception):
    """There is nothing to report on yet."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A project as it is now, seen in one phase.

    `answers` are live ones of all phases, skips included. `gate` and `test` are what the blind answers of the phase
    come to. Until `opened` (the look under this codebook revision and release), nothing that a model says of test texts
    may be compared with what people say of them, or shown. `scores`: question key -> what the current release says.
    `pseudonyms`: coder id -> pseudonym.
    """

    project: Project
    phase: str
    book: Codebook
    revision: CodebookRevision
    question_ids: Mapping[str, int]
    label_keys: Mapping[int, str]
    release: Release | None
    scorer: Scorer | None
    scores: Mapping[str, Scored]
    texts: Texts
    answers: tuple[LiveAnswer, ...]
    pseudonyms: Mapping[int, str]
    gate: Resolved
    test: Resolved
    looks: tuple[Look, ...]
    opened: Look | None

    @property
    def clusters(self) -> dict[int, int]:
        """Text id -> its cluster."""
        return dict(zip(self.texts.ids.tolist(), self.texts.cluster.tolist(), strict=True))


def facts(s: Session, project: Project, phase: str = PRODUCTION, *, live: Sequence[LiveAnswer] | None = None) -> Facts:
    """The facts of one phase (training | pilot | production). FindingsError, RuleError.

    `live`: the answers to go by, where not all of them are needed; those to audit texts must be among them.
    """
    revision = revisions.current(s, project.id)
    if revision is None:
        raise FindingsError(
            f"'{project.key}' has no codebook yet. `socialite connect --project {project.key}` gives it one."
        )
    book, question_ids = revisions.codebook(revision), revisions.question_ids(s, project.id)
    release = releases.current(s, project.id)
    live = answers.live(s, project.id) if live is None else live
    seen = looks.of(s, project.id)
    opened = [one for one in seen if release and (one.revision_id, one.release_id) == (revision.id, release.id)]
    gate, test = (audit_labels(s, project, book, role, phase=phase, live=live) for role in ("gate", "test"))
    return Facts(
        project=project,
        phase=phase,
        book=book,
        revision=revision,
        question_ids=question_ids,
        label_keys={number: label for (_, label), number in revisions.label_ids(s, project.id).items()},
        release=release,
        scorer=s.get(Scorer, release.scorer_id) if release else None,
        scores=scored(s, release, book, question_ids) if release else {},
        texts=texts(s, project.id),
        answers=tuple(live),
        pseudonyms={coder.id: coder.pseudonym for coder in s.scalars(select(Coder).filter_by(project_id=project.id))},
        gate=gate,
        test=test,
        looks=tuple(seen),
        opened=opened[-1] if opened else None,
    )
