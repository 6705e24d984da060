"""Everything that commonly goes wrong between here and Label Studio, looked at in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.assist.leaks import cleared
from backend.corpus.check_here import check_access, check_engine, check_store, check_worker
from backend.corpus.check_project import check_project
from backend.corpus.check_server import check_server
from backend.corpus.finding import Finding, Findings, Level
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.patient import Patient
from backend.corpus.reach import credentials
from backend.corpus.servers import client_for
from db import projects, revisions
from db.models import Project
from db.store import Store

if TYPE_CHECKING:
    from backend.settings import Settings


def examine(settings: Settings, key: str | None, token: str | None) -> Findings:
    """Findings one by one, as they are made. `token` goes before the settings' own; ProjectNotFoundError lists the
    keys.
    """
    store, found = check_store(settings)
    yield from found
    yield check_access(settings)
    yield check_engine(settings)[1]
    if store is None:
        return
    try:
        yield from _projects(store, settings, key, token)
    finally:
        store.close()


def _projects(store: Store, settings: Settings, key: str | None, token: str | None) -> Findings:
    with store.reading() as s:
        if key is not None:
            wanted = [projects.by_key(s, key)]
        else:
            wanted = list(s.scalars(select(Project).where(Project.archived_at.is_(None)).order_by(Project.key)))
    if not wanted:
        said = "There is no project yet."
        yield Finding("projects", Level.NOTE, said, "`socialite connect --help` says how to make one.")
        return
    yield from check_worker(store, key)
    for project in wanted:
        yield from _project(store, settings, project, token)


def _project(store: Store, settings: Settings, project: Project, token: str | None) -> Findings:
    with store.reading() as s:
        rows = projects.ls_projects(s, project.id)
        leak = _leak(s, project)
    if leak:
        yield Finding("examples", Level.NOTE, leak, "Put other examples in their place, if you can.", project.key)
    newest = {row.role: row for row in rows}
    if not rows:
        said = "The project is not connected to Label Studio: nobody can code its texts yet."
        yield Finding("connected", Level.NOTE, said, "Run `socialite connect` with its key.", project.key)
        return
    try:
        client = client_for(store, settings, project.id, token)
    except LabelStudioError as error:
        yield Finding("token", Level.FAIL, "Label Studio cannot be asked.", str(error), project.key)
        return
    with client:
        server = list(check_server(client))
        yield from server
        if any(f.level is Level.FAIL and f.check in ("label-studio", "token") for f in server):
            return
        for row in newest.values():
            yield from check_project(Patient(store, client, project, row, credentials(settings)))
        if "audit" not in newest:
            said = "The project has no audit: nothing can be said of how good the suggestions, or the labels, are."
            yield Finding(
                "audit",
                Level.NOTE,
                said,
                "Texts that nobody was shown a suggestion for can be drawn: connect again with --audit.",
                project.key,
            )


def _leak(s: Session, project: Project) -> str:
    """Which examples of the codebook are texts of the audit; empty where none is."""
    revision = revisions.current(s, project.id)
    return cleared(s, project.id, revisions.codebook(revision)).sentence if revision else ""
