"""A project's codebook changed here: a new revision in the store, and the same screen in all its Label Studio projects.

Label Studio is asked first whether its answers allow the new screen, in every project, before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from backend.corpus.label_studio import GoneError, Json, LabelStudio, created_at
from backend.corpus.label_studio_errors import LabelStudioError
from db import jobs, projects, revisions
from db.models import CodebookRevision, LsProject, Project, Push, Release
from db.projects import ADJUDICATION, ASSISTED, AUDIT
from db.store import Store
from labelstudio_config.beside import without_areas
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import from_xml, to_xml

ROLES = (ASSISTED, AUDIT, ADJUDICATION)


class ReviseError(Exception):
    """The codebook of a project cannot be changed."""


@dataclass(frozen=True, slots=True)
class Revised:
    """The revision that is current now, and whether it was not before; Label Studio's ids of the projects that were
    given its screen; whether suggestions that were pushed are of another revision, so that a push is queued.
    """

    number: int
    changed: bool
    updated: tuple[int, ...]
    queued: bool


def connected(store: Store, project: Project) -> list[LsProject]:
    """The newest row of each role that stands for a project in Label Studio."""
    with store.reading() as s:
        rows = {row.role: row for row in projects.ls_projects(s, project.id)}
    return [rows[role] for role in ROLES if role in rows]


def screen(book: Codebook, current: CodebookRevision | None) -> str:
    """The labelling configuration of the codebook: the one that is there, where it says the same, so that what a person
    laid out by hand stays.
    """
    made = to_xml(book)
    if current is not None and _said(current.xml) == _said(made):
        return current.xml
    return made.strip()


def revise(store: Store, client: LabelStudio | None, project: Project, book: Codebook) -> Revised:
    """Make this codebook the project's current one, here and in Label Studio; done again, nothing changes.

    `client` is needed where the project is connected. ReviseError where Label Studio holds a screen that is not known
    here, or answers that the new one does not allow; nothing is changed then.
    """
    with store.reading() as s:
        current = revisions.current(s, project.id)
    xml = screen(book, current)
    rows = connected(store, project)
    if rows and client is None:
        raise ReviseError(f"'{project.key}' is connected to Label Studio, whose token is needed to change it there.")
    open_ = list(_to_change(store, client, project, rows, xml)) if client is not None else []
    for row, _ in open_:
        assert client is not None
        _ask(client, row, xml)
    number = _registered(store, project, book, xml)
    for row, _ in open_:
        assert client is not None
        client.patch_project(row.ls_id, label_config=xml)
    _registered(store, project, book, xml)  # a suggestion may have been asked for meanwhile, with the old screen
    changed = current is None or current.content_hash != book.content_hash
    queued = _queue_push(store, project, rows)
    return Revised(number, changed, tuple(row.ls_id for row, _ in open_), queued)


def _to_change(
    store: Store, client: LabelStudio, project: Project, rows: Sequence[LsProject], xml: str
) -> Iterator[tuple[LsProject, Json]]:
    """The projects in Label Studio that have another screen; those that were deleted there are passed over."""
    for row in rows:
        try:
            there = client.project(row.ls_id)
        except GoneError:
            continue
        shown = without_areas(there["label_config"])
        if created_at(there) != row.ls_created or shown.strip() == xml.strip():
            continue
        if row.role == ASSISTED and not _known(store, project, shown):
            raise ReviseError(
                f"The labelling interface of Label Studio's project {row.ls_id} was changed there, and the change has "
                "not arrived here. Open a task of it while `socialite serve` runs, so that it does; then look at "
                f"`socialite codebook diff --project {project.key}`, and import again."
            )
        yield row, there


def _known(store: Store, project: Project, xml: str) -> bool:
    with store.reading() as s:
        held = s.scalars(select(CodebookRevision.xml).where(CodebookRevision.project_id == project.id))
        return xml.strip() in {one.strip() for one in held}


def _ask(client: LabelStudio, row: LsProject, xml: str) -> None:
    """ReviseError where the project's answers do not allow the screen."""
    try:
        client.validate_config(row.ls_id, xml)
    except LabelStudioError as error:
        if error.status != 400:
            raise
        raise ReviseError(
            f"Label Studio's {row.role} project {row.ls_id} holds answers that the new codebook has no place for, so "
            f"nothing was changed. {error} Keep these questions and labels (a definition can say that a label is no "
            "longer used), or change or delete these answers in Label Studio first."
        ) from None


def _registered(store: Store, project: Project, book: Codebook, xml: str) -> int:
    """The number of the revision."""
    with store.writing() as s:
        return revisions.register(s, project.id, book, xml).number


def _queue_push(store: Store, project: Project, rows: Sequence[LsProject]) -> bool:
    """Queue a push where suggestions of another revision were pushed last."""
    if not any(row.role == ASSISTED for row in rows):
        return False
    latest = select(Release.revision_id).join(Push, Push.release_id == Release.id)
    with store.writing() as s:
        pushed = s.scalar(latest.where(Release.project_id == project.id).order_by(Push.id.desc()).limit(1))
        current = revisions.current(s, project.id)
        if pushed is None or current is None or pushed == current.id:
            return False
        jobs.enqueue(s, "push", project.id, {})
    return True


def _said(xml: str) -> Codebook:
    return from_xml(xml, key="said")
