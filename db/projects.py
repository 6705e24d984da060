"""Projects and the Label Studio projects that serve them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from db.base import now
from db.dialect import insert_new
from db.errors import ProjectArchivedError, ProjectNotFoundError
from db.models import Job, LsProject, LsServer, Project

PORTS = {"http": 80, "https": 443}
ASSISTED, AUDIT, ADJUDICATION = "assisted", "audit", "adjudication"  # roles of a Label Studio project
HIDDEN = "~"  # begins the key of a project that is being deleted or restored: no person's key does
IMPORTED = "imported"  # role of the row that stands where a Label Studio project would, for answers of tables
TABLES = "table:"  # address of the server that such a row names; no other server can have it


def normalised_url(url: str) -> str:
    """One spelling per server: lower-case host, 'localhost' for this machine, no default port, slash or password."""
    parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
    host = parts.hostname or ""
    host = "localhost" if host in ("127.0.0.1", "::1") else host
    host = f"[{host}]" if ":" in host else host
    scheme = parts.scheme.lower()
    port = f":{parts.port}" if parts.port and parts.port != PORTS.get(scheme) else ""
    return urlunsplit((scheme, host + port, parts.path.rstrip("/"), "", ""))


def server(s: Session, url: str) -> LsServer:
    """The Label Studio server at this address, remembered if new."""
    name = normalised_url(url)
    found = s.scalar(select(LsServer).where(LsServer.url == name))
    if found is None:
        insert_new(s, LsServer, [{"url": name}])
        found = s.scalars(select(LsServer).where(LsServer.url == name)).one()
    return found


def moved(s: Session, server_id: int, url: str) -> None:
    """A server known to be the same answers at this address now; one known there before stays as it is."""
    name = normalised_url(url)
    if s.scalar(select(LsServer.id).where(LsServer.url == name)) is None:
        s.get_one(LsServer, server_id).url = name


def create(
    s: Session, key: str, title: str, seed: int, sampling_design: dict[str, Any], gold_rule: str = "majority"
) -> Project:
    """A new project. IntegrityError when the key is taken."""
    project = Project(key=key, title=title, seed=seed, sampling_design=sampling_design, gold_rule=gold_rule)
    s.add(project)
    s.flush()
    return project


PHASES = ("training", "pilot", "production")


def enter(s: Session, project_id: int, phase: str) -> None:
    """From now on answers belong to this phase, one of `PHASES`; those that are there keep theirs."""
    if phase not in PHASES:
        raise ValueError(f"'{phase}' is no phase. Phases: {', '.join(PHASES)}.")
    locked(s, project_id).phase = phase


def find(s: Session, key: str) -> Project | None:
    return s.scalar(select(Project).where(Project.key == key))


def by_key(s: Session, key: str) -> Project:
    """The project with this key; ProjectNotFoundError lists those there are."""
    project = find(s, key)
    if project is None:
        raise ProjectNotFoundError(key, list(s.scalars(select(Project.key).where(seen()).order_by(Project.key))))
    return project


def seen() -> ColumnElement[bool]:
    """Whether people and Label Studio may see a project: it is not being deleted or restored."""
    return ~Project.key.startswith(HIDDEN)


def hidden() -> Select[int]:
    """The ids of the projects that nobody is to see."""
    return select(Project.id).where(~seen())


def archive(s: Session, project_id: int) -> None:
    """Put the project away: no jobs for it from now on, those that wait are dropped, and no suggestions."""
    project = locked(s, project_id)
    project.archived_at = project.archived_at or now()
    s.execute(delete(Job).where(Job.project_id == project_id, Job.state == "queued"))


def unarchive(s: Session, project_id: int) -> None:
    """Take the project up again."""
    locked(s, project_id).archived_at = None


def check_in_use(project: Project) -> None:
    """ProjectArchivedError when the project is archived."""
    if project.archived_at is not None:
        raise ProjectArchivedError(project.key)


def ls_project(s: Session, *, ls_id: int, ls_created: int, server_id: int | None = None) -> LsProject | None:
    """What Label Studio calls project `<ls_id>.<ls_created>`; where no server is given, the newest of that name."""
    query = select(LsProject).where(
        LsProject.ls_id == ls_id, LsProject.ls_created == ls_created, LsProject.role != IMPORTED
    )
    if server_id is not None:
        query = query.where(LsProject.server_id == server_id)
    return s.scalar(query.order_by(LsProject.id.desc()).limit(1))


def add_ls_project(s: Session, project_id: int, server_id: int, ls_id: int, ls_created: int, role: str) -> LsProject:
    """A Label Studio project in one of the roles of a project; the known one when it is known."""
    key = {"server_id": server_id, "ls_id": ls_id, "ls_created": ls_created}
    insert_new(s, LsProject, [{"project_id": project_id, "role": role, **key}])
    return s.scalars(select(LsProject).filter_by(**key)).one()


def ls_projects(s: Session, project_id: int) -> list[LsProject]:
    """The projects in Label Studio that serve a project, the newest last; none stands for answers of tables."""
    mine = (LsProject.project_id == project_id, LsProject.role != IMPORTED)
    return list(s.scalars(select(LsProject).where(*mine).order_by(LsProject.id)))


def of_tables(s: Session, project_id: int) -> LsProject | None:
    """What stands where a Label Studio project would for answers that came from tables; None before the first."""
    return s.scalar(select(LsProject).where(LsProject.project_id == project_id, LsProject.role == IMPORTED))


def add_of_tables(s: Session, project_id: int) -> LsProject:
    """The same, made if new."""
    insert_new(s, LsServer, [{"url": TABLES}])
    server_id = s.scalars(select(LsServer.id).where(LsServer.url == TABLES)).one()
    return add_ls_project(s, project_id, server_id, project_id, 0, IMPORTED)


def locked(s: Session, project_id: int) -> Project:
    """The project, held until the transaction ends: on PostgreSQL too, things are then numbered one by one."""
    return s.scalars(select(Project).where(Project.id == project_id).with_for_update()).one()
