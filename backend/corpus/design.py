"""A plan put into force in a project that is connected: more audit and control texts, and how many people code each."""

from __future__ import annotations

from dataclasses import dataclass

from backend.alone import alone
from backend.assist.growing import Grown
from backend.corpus import drawing, wiring
from backend.corpus.connect import audit_project, say_leaks, wire
from backend.corpus.label_studio import LabelStudio
from backend.corpus.prelabel import PushBusyError
from backend.corpus.site import ConnectError, Site, codebook_of, ls_project
from backend.corpus.transfer import copy_audit_tasks, remove_originals
from db import answers, projects
from db.models import LsProject, Project
from db.store import Store


class DesignError(Exception):
    """The plan cannot be put into force."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What there is now: clusters of the audit and the control, coders of each audit text, Label Studio's id of the
    audit project (None without an audit), and how many tasks were made there.
    """

    audit: int
    control: int
    coders: int
    audit_project: int | None
    tasks: int


def served_at(client: LabelStudio, row: LsProject, key: str) -> str:
    """The address under which Label Studio reaches us, as the assisted project was connected; ConnectError."""
    for backend in client.backends(row.ls_id):
        if wiring.is_ours(backend, key):
            return str(backend["url"]).rstrip("/").removesuffix(f"/ls/{key}")
    raise ConnectError(
        f"Label Studio's project {row.ls_id} has no connection to us any more. Run `socialite connect --project {key}`."
    )


def assisted(store: Store, project: Project) -> LsProject:
    """The newest assisted Label Studio project. ConnectError when there is none."""
    with store.reading() as s:
        rows = [row for row in projects.ls_projects(s, project.id) if row.role == "assisted"]
    if not rows:
        raise ConnectError(f"'{project.key}' is not connected to Label Studio yet. Run `socialite connect`.")
    return rows[-1]


def apply(site: Site) -> Applied:
    """Let audit and control grow to the plan's sizes, as far as texts were never shown, and set up Label Studio for
    them: overlap, order and tasks of the audit project, and the same texts out of the assisted one.

    Nothing ever shrinks; a second run changes nothing. `site.plan` names the project and the coders of an audit text.
    """
    with site.store.reading() as s:
        project = projects.by_key(s, site.plan.key)
    known, row = codebook_of(site.store, project), ls_project(site, project, "assisted")
    if known is None or row is None:
        raise ConnectError(f"'{project.key}' is not connected to Label Studio yet. Run `socialite connect`.")
    coders = _coders(site, project)
    had = drawing.drawn(site.store, project)
    with alone(site.store, f"push-{project.id}", PushBusyError()):
        grown = drawing.carry_on(site.store, project, audit=site.plan.audit, control=site.plan.control, coders=coders)
    _say_grown(site, had, grown)
    with site.store.reading() as s:
        project = projects.by_key(s, site.plan.key)
    if say_leaks(site, project, known[0]):
        wire(site, row[0], known[1])
    audit = audit_project(site, project, known[1], [])
    made = _set_up(site, project, row[0], audit, coders) if audit is not None else 0
    audit_size, control_size = drawing.drawn(site.store, project)
    return Applied(audit_size, control_size, coders, audit.ls_id if audit else None, made)


def _coders(site: Site, project: Project) -> int:
    """How many are to code each audit text. DesignError where that would change for texts that were coded already."""
    now = int(project.sampling_design["coders"])
    wanted = site.plan.coders or now
    if wanted != now and _begun(site, project):
        raise DesignError(
            f"The audit of '{project.key}' has answers, under the rule that {now} people code each text. With {wanted} "
            "the accepted labels would mean something else, and scores of both must not be mixed: give "
            f"--per-text {now}, or leave it out."
        )
    return wanted


def _begun(site: Site, project: Project) -> bool:
    """Whether anybody has coded an audit text, by what we know or by what Label Studio knows."""
    with site.store.reading() as s:
        if any(answer.ls_role == "audit" for answer in answers.live(s, project.id)):
            return True
    found = ls_project(site, project, "audit")
    return found is not None and bool(found[1].get("total_annotations_number"))


def _say_grown(site: Site, had: tuple[int, int], grown: Grown) -> None:
    plan = site.plan
    if grown.texts:
        site.say(
            f"The draw was carried on: {grown.audit:,} more for the audit, {grown.control:,} more as controls "
            f"({grown.texts:,} texts)."
        )
    for name, wanted, there in (("audit", plan.audit, had[0]), ("control", plan.control, had[1])):
        if wanted < there:
            site.say(f"The {name} has {there:,} texts already, more than the {wanted:,} of this plan, and stays so.")
    if grown.audit_lacking:
        site.say(
            f"{grown.audit_lacking:,} texts of the plan cannot join the audit: the next in the random order were shown "
            "with a suggestion, or a model was trained on them, and passing them over would leave a sample of what "
            "nobody happened to see. Add texts that are new with `socialite connect --texts ... --audit N`."
        )
    if grown.control_lacking:
        site.say(
            f"{grown.control_lacking:,} texts of the plan cannot become controls: a model was trained on the next in "
            "the random order, or there are no more."
        )


def _set_up(site: Site, project: Project, row: LsProject, audit: LsProject, coders: int) -> int:
    """Overlap and tasks of the audit project; the number of tasks made."""
    if wiring.settle(site.client, audit.ls_id, {"maximum_annotations": coders}):
        site.say(f"Label Studio's project {audit.ls_id} now asks {coders} coders for each text.")
    with wiring.silenced(site.client, site.line(audit)):
        made = copy_audit_tasks(site, project, row, audit)
    remove_originals(site, project, row, audit)
    if made:
        site.say(f"{made:,} tasks were made in the audit project {audit.ls_id}, in the order of the draw.")
    return made
