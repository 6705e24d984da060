"""A project's codebook through its revisions."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.dialect import insert_new
from db.errors import RevisionNotFoundError
from db.models import CodebookRevision, CodebookUse, Label, Question
from db.projects import locked
from labelstudio_config.codebook import Codebook
from labelstudio_config.library import from_yaml, to_yaml


def register(s: Session, project_id: int, codebook: Codebook, xml: str) -> CodebookRevision:
    """Make this codebook the project's current one, as a new revision unless its content is known.

    Going back to an earlier codebook takes up its revision again, with a new row in the log of uses. Nothing is written
    when it is current already.
    """
    latest = current(s, project_id)
    if latest is not None and latest.content_hash == codebook.content_hash:
        return latest
    locked(s, project_id)
    known = select(CodebookRevision).where(
        CodebookRevision.project_id == project_id, CodebookRevision.content_hash == codebook.content_hash
    )
    revision = s.scalar(known) or _new(s, project_id, codebook, xml, latest)
    s.add(CodebookUse(project_id=project_id, revision_id=revision.id))
    s.flush()
    return revision


def _new(
    s: Session, project_id: int, codebook: Codebook, xml: str, parent: CodebookRevision | None
) -> CodebookRevision:
    highest = s.scalar(select(func.max(CodebookRevision.number)).where(CodebookRevision.project_id == project_id))
    revision = CodebookRevision(
        project_id=project_id,
        number=(highest or 0) + 1,
        content_hash=codebook.content_hash,
        scoring_hash=codebook.scoring_hash,
        xml=xml,
        yaml=to_yaml(codebook),
        parent_id=parent.id if parent else None,
    )
    s.add(revision)
    s.flush()
    insert_new(s, Question, [{"project_id": project_id, "key": q.id} for q in codebook.questions])
    ids = question_ids(s, project_id)
    labels = [{"question_id": ids[q.id], "key": label.id} for q in codebook.questions for label in q.labels]
    insert_new(s, Label, labels)
    return revision


def current(s: Session, project_id: int) -> CodebookRevision | None:
    """The revision registered last; None before the first."""
    uses = select(CodebookRevision).join(CodebookUse, CodebookUse.revision_id == CodebookRevision.id)
    return s.scalar(uses.where(CodebookUse.project_id == project_id).order_by(CodebookUse.id.desc()).limit(1))


def before(s: Session, project_id: int) -> CodebookRevision | None:
    """The revision that was current before the one that is; None where there was none."""
    latest = current(s, project_id)
    uses = select(CodebookRevision).join(CodebookUse, CodebookUse.revision_id == CodebookRevision.id)
    mine = uses.where(CodebookUse.project_id == project_id).order_by(CodebookUse.id.desc())
    return None if latest is None else s.scalar(mine.where(CodebookRevision.id != latest.id).limit(1))


def numbered(s: Session, project_id: int, number: int) -> CodebookRevision:
    """The revision of this number; RevisionNotFoundError says which there are."""
    mine = select(CodebookRevision).where(CodebookRevision.project_id == project_id)
    found = s.scalar(mine.where(CodebookRevision.number == number))
    if found is None:
        highest = s.scalar(select(func.max(CodebookRevision.number)).where(CodebookRevision.project_id == project_id))
        raise RevisionNotFoundError(number, highest or 0)
    return found


def codebook(revision: CodebookRevision) -> Codebook:
    """The codebook of a revision, equal to the one that was registered."""
    return from_yaml(revision.yaml)


def question_ids(s: Session, project_id: int) -> dict[str, int]:
    """Question key -> id, over all revisions."""
    rows = s.execute(select(Question.key, Question.id).where(Question.project_id == project_id))
    return {row.key: row.id for row in rows}


def label_ids(s: Session, project_id: int) -> dict[tuple[str, str], int]:
    """(question key, label key) -> id, over all revisions."""
    query = select(Question.key, Label.key, Label.id).join(Label, Label.question_id == Question.id)
    rows = s.execute(query.where(Question.project_id == project_id))
    return {(question, label): label_id for question, label, label_id in rows}
