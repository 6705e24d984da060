"""A project's sides: our store's rows and Label Studio's projects, found again or made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.corpus import wiring
from backend.corpus.label_studio import GoneError, Json, LabelStudio, created_at
from backend.corpus.reach import project_url
from backend.corpus.wiring import Line
from db import projects, revisions
from db.models import Draw, LsProject, LsTask, Project
from db.projects import ADJUDICATION, ASSISTED, AUDIT
from db.store import Store
from labelstudio_config.codebook import Codebook
from labelstudio_config.ids import LEGAL_ID
from labelstudio_config.xml import from_xml, to_xml

TITLE = 50  # characters of a title in Label Studio
SHORTEST = 3
SETTINGS = {ASSISTED: wiring.ASSISTED, AUDIT: wiring.AUDIT, ADJUDICATION: wiring.ADJUDICATION}
CODERS = 2  # of each audit text, unless told otherwise
Say = Callable[[str], None]
Report = Callable[[int, int], None]


class ConnectError(Exception):
    """The projects cannot be connected."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person wants: the project's key and title, the address of our server, and how to draw from its corpus."""

    key: str
    title: str
    backend: str
    auth: tuple[str, str] | None
    audit: int
    control: int
    coders: int | None = None  # of each audit text; None: as before, or two
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the steps of connecting need. `bar(what, unit)` gives a progress callback."""

    store: Store
    client: LabelStudio
    plan: Plan
    say: Say
    bar: Callable[[str, str], Report]

    def line(self, ls_project: LsProject) -> Line:
        return Line(ls_project, project_url(self.plan.backend, self.plan.key), self.plan.auth, self.plan.backend)


def check_key(key: str) -> None:
    """ConnectError unless it can be a project's key."""
    if not LEGAL_ID.fullmatch(key):
        raise ConnectError(
            f"'{key}' cannot be a project's key: take lower-case letters a-z, digits, '-' and '_', at most 80 of them."
        )


def founded(s: Session, key: str, title: str, seed: int | None = None, design: Json | None = None) -> Project:
    """A new project, of which nothing is drawn yet; a random seed where none is given."""
    design = design or {"audit": 0, "control": 0, "coders": CODERS}
    return projects.create(s, key, title, secrets.randbits(31) if seed is None else seed, design)


def our_project(site: Site) -> Project:
    """The project of the plan's key, made if new. ConnectError when the plan contradicts what was drawn already."""
    plan = site.plan
    check_key(plan.key)
    design = {"audit": plan.audit, "control": plan.control, "coders": plan.coders or CODERS}
    with site.store.writing() as s:
        project = projects.find(s, plan.key)
        if project is None:
            return founded(s, plan.key, plan.title, plan.seed, design)
        if not s.scalar(select(func.count(Draw.id)).where(Draw.project_id == project.id)):
            project.sampling_design = project.sampling_design | design
            project.seed = plan.seed if plan.seed is not None else project.seed
    if plan.coders not in (None, project.sampling_design["coders"]):
        raise ConnectError(
            f"The audit of '{plan.key}' is coded by {project.sampling_design['coders']} coders a text, and scores of "
            "different numbers of coders must not be mixed. Leave out --coders-per-audit-text."
        )
    if plan.seed not in (None, project.seed):
        raise ConnectError(
            f"The texts of '{plan.key}' were drawn with the seed {project.seed}, and a draw is for ever. Leave out "
            "--seed."
        )
    return project


def register(site: Site, project: Project, book: Codebook, xml: str) -> None:
    """Make this codebook the project's. Later, only what Label Studio cannot say may differ: ConnectError."""
    with site.store.writing() as s:
        give_codebook(s, project, book, xml)


def give_codebook(s: Session, project: Project, book: Codebook, xml: str) -> None:
    """As `register`, within a transaction."""
    current = revisions.current(s, project.id)
    if current is not None:
        check_codebook(project.key, current.xml, book, xml)
    revisions.register(s, project.id, book, current.xml if current is not None else xml.strip())


def check_codebook(key: str, there: str, book: Codebook, xml: str) -> None:
    """ConnectError where the configuration that is `there` is another one than that of the codebook."""
    if there.strip() not in (xml.strip(), to_xml(book).strip()):
        raise ConnectError(
            f"'{key}' has another codebook already: leave out --codebook and --config. To change it, "
            f"`socialite codebook import FILE --project {key}`, or edit the labelling interface of its project in "
            "Label Studio (the change arrives here by itself); for a new one, take another --project."
        )


def follow(site: Site, project: Project, xml: str, previous: Codebook | None) -> None:
    """Make the screen of a project in Label Studio the codebook; `previous`, else the last one, says the rest of it."""
    with site.store.writing() as s:
        current = revisions.current(s, project.id)
        known = previous or (revisions.codebook(current) if current is not None else None)
        book = from_xml(xml, key=project.key, title=project.title, previous=known)
        revisions.register(s, project.id, book, xml)


def codebook_of(store: Store, project: Project) -> tuple[Codebook, str] | None:
    """The project's current codebook and its configuration; None when it has none yet."""
    with store.reading() as s:
        current = revisions.current(s, project.id)
        return (revisions.codebook(current), current.xml) if current is not None else None


def stored_codebook(site: Site) -> Codebook | None:
    """The codebook of the plan's project, if there is such a project with one."""
    with site.store.reading() as s:
        project = projects.find(s, site.plan.key)
    known = codebook_of(site.store, project) if project is not None else None
    return known[0] if known else None


def ls_project(site: Site, project: Project, role: str) -> tuple[LsProject, Json] | None:
    """The Label Studio project of this role, and what Label Studio says of it; None when there is none.

    One that was deleted in Label Studio counts only while it held tasks: then ConnectError says so. An adjudication
    project that is done may go.
    """
    with site.store.reading() as s:
        rows = [row for row in projects.ls_projects(s, project.id) if row.role == role]
    for row in reversed(rows):
        there = _still_there(site.client, row)
        if there is not None:
            with site.store.writing() as s:
                projects.moved(s, row.server_id, site.client.url)
            return row, there
        if role != ADJUDICATION and _held_tasks(site.store, row):
            raise ConnectError(
                f"The {role} project {row.ls_id} of '{project.key}' is no longer in Label Studio at "
                f"{site.client.url}, or "
                "this account does not see it. Give the address and the token it was connected with, or connect anew "
                "with "
                "another --project."
            )
    return None


def make_ls_project(site: Site, project: Project, role: str, xml: str) -> tuple[LsProject, Json]:
    """A new Label Studio project; or the one that was made just before an interruption, told by its description."""
    marked = _mark(project, role)
    made = next((p for p in site.client.projects() if p.get("description") == marked), None)
    there = site.client.project(made["id"]) if made else _create(site, project, role, xml, marked)
    return take_in(site, project, role, there), there


def take_in(site: Site, project: Project, role: str, there: Json) -> LsProject:
    """Store a project of Label Studio's. ConnectError when another project of ours has it."""
    with site.store.writing() as s:
        server = projects.server(s, site.client.url)
        row = projects.add_ls_project(s, project.id, server.id, there["id"], created_at(there), role)
        other = s.get_one(Project, row.project_id).key
    if row.project_id != project.id:
        raise ConnectError(f"Label Studio's project {there['id']} belongs to '{other}' already. Use --project {other}.")
    return row


def _create(site: Site, project: Project, role: str, xml: str, marked: str) -> Json:
    coders = project.sampling_design["coders"]
    title = (site.plan.title if site.plan.title != project.key else project.title).strip()
    title = title if len(title) >= SHORTEST else f"Project {title}".strip()
    ending = "" if role == ASSISTED else f" ({role})"
    name = title[: TITLE - len(ending)].rstrip() + ending
    settings = SETTINGS[role] | ({"maximum_annotations": coders} if role == AUDIT else {})
    return site.client.create_project(title=name, description=marked, label_config=xml.strip(), **settings)


def _mark(project: Project, role: str) -> str:
    """What makes a project of ours recognisable in Label Studio, whoever else uses the same key there."""
    nonce = hashlib.sha256(f"{project.key}/{project.seed}/{project.created_at.isoformat()}".encode()).hexdigest()[:12]
    return f"Made by socialite for its project '{project.key}' ({nonce}, {role})."


def _still_there(client: LabelStudio, row: LsProject) -> Json | None:
    try:
        there = client.project(row.ls_id)
    except GoneError:
        return None
    return there if created_at(there) == row.ls_created else None


def _held_tasks(store: Store, row: LsProject) -> bool:
    with store.reading() as s:
        return bool(s.scalar(select(func.count(LsTask.id)).where(LsTask.ls_project_id == row.id)))
