"""Checks of a project in Label Studio: is it there, does Label Studio reach us, what do coders see."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from backend.assist.manner import manner
from backend.corpus import wiring
from backend.corpus.check_blind import check_blindness
from backend.corpus.check_events import check_webhooks
from backend.corpus.finding import Finding, Findings, Level, either
from backend.corpus.label_studio import GoneError, Json, created_at
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.patient import AGAIN, Patient
from backend.corpus.reach import BackendError, check_health, is_loopback
from db import releases, revisions
from db.models import LsTask, Placement, Push, Unit
from db.projects import ADJUDICATION, ASSISTED, normalised_url
from labelstudio_config.beside import without_areas


def check_project(patient: Patient) -> Findings:
    """Everything about one Label Studio project; a question that Label Studio refuses to answer is a finding too."""
    try:
        yield from _check(patient)
    except LabelStudioError as error:
        yield patient.bad("label-studio", "Label Studio did not answer a question.", str(error))


def _check(patient: Patient) -> Findings:
    try:
        there = patient.client.project(patient.row.ls_id)
    except GoneError:
        there = {}
    if not there or created_at(there) != patient.row.ls_created:
        if patient.row.role == ADJUDICATION:
            said = "The adjudication project is not in Label Studio any more. What was decided there holds."
            yield Finding("project", Level.NOTE, said, "", patient.about)
            return
        cure = "If it was deleted, connect anew with another --project; else use the token of an account that sees it."
        yield patient.bad("project", "The project is not in Label Studio any more.", cure)
        return
    yield patient.ok("project", f"The project '{there['title']}' is there.")
    backends = patient.client.backends(patient.row.ls_id)
    if patient.row.role != ASSISTED:
        yield from check_blindness(patient, there, backends)
        url = wiring.told(patient.client, patient.row.ls_id, patient.project.key)
    else:
        yield from _backends(patient, there, backends)
        yield from _shown(patient, there, backends)
        url = next((b["url"] for b in backends if wiring.is_ours(b, patient.project.key)), None)
    yield from check_webhooks(patient, url)
    yield from _screen(patient, there)


def _backends(patient: Patient, there: Json, backends: list[Json]) -> Findings:
    """The direction from Label Studio to us: listing the backends makes Label Studio contact each of them."""
    mine = [b for b in backends if wiring.is_ours(b, patient.project.key)]
    if not mine:
        yield patient.bad("backend", "The project has no ML backend of ours, so there are no suggestions.", AGAIN)
        return
    if backends[0] not in mine:
        said = f"The ML backend '{backends[0]['title']}' comes before ours, and Label Studio asks only the first."
        yield patient.bad("backend", said, "Remove it under Settings > Model in Label Studio.")
    if len(backends) > 1:
        said = f"The project has {len(backends)} ML backends; each makes every page slower."
        yield patient.bad("backend", said, "Remove the left-over ones under Settings > Model.", Level.WARN)
    one = mine[0]
    if one["state"] == "CO":
        yield patient.ok("from-label-studio", f"Label Studio reaches us at {one['url']}.")
    else:
        said = (
            f"Label Studio does not reach us at {one['url']} ({one['readable_state']}: {_short(one['error_message'])})."
        )
        cure = (
            "Start `socialite serve`. If Label Studio runs in Docker, 127.0.0.1 is its own container: connect again "
            "with "
            "--backend http://host.docker.internal:9090, or the service's name."
        )
        yield patient.bad("from-label-studio", said, cure)
    yield from _reached_from_here(patient, one["url"])
    yield from _credentials(patient, one)


def _reached_from_here(patient: Patient, url: str) -> Findings:
    try:
        check_health(url, patient.auth)
    except BackendError as error:
        said = "The address that Label Studio calls does not answer from here; only Label Studio may know the name."
        yield patient.bad("from-here", said, str(error), Level.WARN)
    else:
        yield patient.ok("from-here", "That address answers from here, too.")


def _credentials(patient: Patient, backend: Json) -> Findings:
    sends = backend["auth_method"] == "BASIC_AUTH"
    if patient.auth and not sends:
        yield patient.bad(
            "credentials", "Label Studio sends no user and password, but the server asks for them.", AGAIN
        )
    elif not patient.auth and not sends and not is_loopback(_host(backend["url"])):
        cure = "Set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD on the server, and run `socialite connect` again."
        yield patient.bad("credentials", "Anybody who reaches the server's address may ask it for suggestions.", cure)
    else:
        yield patient.ok("credentials", "Credentials are as they should be.")


def _shown(patient: Patient, there: Json, backends: list[Json]) -> Findings:
    """Whether coders see the suggestions of the current release, least certain first."""
    about = patient.about
    with patient.store.reading() as s:
        current = releases.current(s, patient.project.id)
        pushed, tasks = _pushed(s, patient, current.id if current else 0)
    title = next((b["title"] for b in backends if wiring.is_ours(b, patient.project.key)), None)
    name, version = (current.name if current else ""), there.get("model_version") or "none"
    said = f"Label Studio shows '{version}', the ML backend is called '{title}', and the current release is '{name}'."
    push = f"Run `socialite push --project {patient.project.key}`."
    in_step = bool(name) and title == version == name
    yield either("release", in_step, f"Release {name} is the one that is shown.", said, push, about)
    told = "Coders are shown the suggestions."
    hidden = "Coders are not shown the suggestions ('Use predictions to prelabel tasks' is off)."
    yield either("shown", bool(there.get("show_collab_predictions")), told, hidden, AGAIN, about)
    right = there.get("sampling") == wiring.ASSISTED["sampling"]
    order = f"The tasks come in another order than the least certain first ({there.get('sampling')})."
    yield either(
        "order", right, "The tasks come control texts first, then the least certain.", order, AGAIN, about, Level.WARN
    )
    lacking = f"{tasks - pushed:,} of {tasks:,} tasks have no suggestion of this release yet; they come last."
    yield either("pushed", pushed >= tasks, f"All {tasks:,} tasks have a suggestion.", lacking, push, about, Level.WARN)


def _pushed(s: Session, patient: Patient, release_id: int) -> tuple[int, int]:
    """Tasks that hold the release's suggestion, and tasks that should."""
    audit = exists().where(Placement.text_id == Unit.text_id, Placement.stream == "audit")
    tasks = select(func.count(LsTask.id)).join(Unit, Unit.id == LsTask.unit_id)
    live = tasks.where(LsTask.ls_project_id == patient.row.id, LsTask.deleted_at.is_(None), ~audit)
    held = live.join(Push, Push.ls_task_id == LsTask.id)
    held = held.where(Push.release_id == release_id, Push.pushed_at.is_not(None))
    return s.scalars(held).one(), s.scalars(live).one()


def _screen(patient: Patient, there: Json) -> Findings:
    """Whether coders see the codebook that we know."""
    with patient.store.reading() as s:
        revision = revisions.current(s, patient.project.id)
    screen = str(there["label_config"])
    same = revision is not None and revision.xml.strip() == without_areas(screen).strip()
    wrong = "The labelling interface differs from the codebook that is current here."
    cure = "All projects must ask the same: copy the labelling interface of the assisted project to this one."
    yield either("codebook", same, "The labelling interface is the codebook's.", wrong, cure, patient.about, Level.WARN)
    if patient.row.role == ASSISTED:
        yield _ticks(patient, beside=screen != without_areas(screen))


def _ticks(patient: Patient, *, beside: bool) -> Finding:
    """Whether the screen has areas for suggestions in words just when suggestions are in words."""
    ticked = manner(patient.project).ticked
    said = "Suggestions are ticked." if ticked else "Suggestions stand beside the questions, and nothing is ticked."
    wrong = f"{said} But the labelling interface has {'areas' if ticked else 'no areas'} for suggestions in words."
    push = f"Run `socialite push --project {patient.project.key}`."
    return either("ticked", beside != ticked, said, wrong, push, patient.about, Level.WARN if ticked else Level.FAIL)


def _host(url: str) -> str:
    return normalised_url(url).split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0]


def _short(words: object) -> str:
    return " ".join(str(words or "no reason given").split())[:160]
