"""How a Label Studio project reaches us: its ML backend, its webhook with the secret, and its settings."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from backend.assist.manner import Manner
from backend.corpus.label_studio import SAMPLING, Json, LabelStudio
from backend.corpus.label_studio_errors import BlockedAddressError, LabelStudioError
from backend.corpus.repairs import Repairs
from db.models import LsProject
from db.projects import normalised_url
from db.store import Store
from labelstudio_config.beside import with_areas, without_areas
from labelstudio_config.codebook import Codebook

WEBHOOK = "/webhook"
SECRET = "X-Socialite-Secret"  # noqa: S105 - the header's name
ASSISTED = {"sampling": SAMPLING["uncertainty"], "show_collab_predictions": True}
AUDIT = {"sampling": SAMPLING["sequential"], "show_collab_predictions": False}
ADJUDICATION = AUDIT | {"maximum_annotations": 1}
CONNECTED = "CO"  # what Label Studio says of a backend that it reaches
TAKEN_OUT = (
    "No `socialite serve` runs, so Label Studio shows what it holds now, and its ML backend was taken out, under whose "
    "title it would show nothing. When the server runs again, run `socialite connect --project {key}` with its address."
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One end of the line: the Label Studio project, and the address of ours that it calls."""

    ls_project: LsProject
    url: str
    auth: tuple[str, str] | None
    server: str = ""  # the address without the project's part, as a person gives it who connects by hand

    def is_ours(self, url: str) -> bool:
        """Whether this is the address of a connection to us, made by `connect` or by hand."""
        return same_url(url, self.url) or (bool(self.server) and same_url(url, self.server))


def same_url(a: str, b: str) -> bool:
    return normalised_url(a) == normalised_url(b)


def connect_backend(store: Store, client: LabelStudio, line: Line, release: str) -> None:
    """The assisted project asks this backend and no other, and shows the release: backend, its webhook, title in step.

    LabelStudioError when another backend is in the way: Label Studio asks only the first one of a project.
    """
    ls_id = line.ls_project.ls_id
    backends = client.backends(ls_id)
    others = [b for b in backends if not line.is_ours(b["url"])]
    if others:
        raise LabelStudioError(
            f"The Label Studio project {ls_id} already has an ML backend ({others[0]['title']}), and Label Studio asks "
            "only the first one. Remove it in its Settings > Model, and connect again."
        )
    mine, *doubles = backends or [_create(client, line, release)]
    for double in doubles:
        client.delete_backend(double["id"])
    if not (same_url(mine["url"], line.url) and in_step(mine, release, line.auth)):
        client.patch_backend(mine["id"], ls_id, line.url, release, line.auth)
    connect_webhook(store, client, line)
    with store.writing() as s:
        s.get_one(LsProject, line.ls_project.id).backend_id = mine["id"]


def connect_blind(store: Store, client: LabelStudio, line: Line, wanted: Json) -> None:
    """A project whose coders are shown no suggestion: these settings and our webhook, and no ML backend.

    LabelStudioError when it has one.
    """
    row = line.ls_project
    if client.backends(row.ls_id):
        raise LabelStudioError(
            f"The {row.role} project {row.ls_id} has an ML backend, so its coders may be shown suggestions. Remove it "
            "in its Settings > Model, and connect again."
        )
    settle(client, row.ls_id, wanted)
    connect_webhook(store, client, line)


def _create(client: LabelStudio, line: Line, release: str) -> Json:
    """A new backend. Where Label Studio may not call it, it makes the row all the same, and we take it away again."""
    try:
        return client.create_backend(line.ls_project.ls_id, line.url, release, line.auth)
    except BlockedAddressError:
        for half in client.backends(line.ls_project.ls_id):
            if line.is_ours(half["url"]):
                client.delete_backend(half["id"])
        raise


def in_step(backend: Json, release: str, auth: tuple[str, str] | None) -> bool:
    """Whether a backend in Label Studio shows this release and has these credentials."""
    wanted = ("BASIC_AUTH", auth[0]) if auth else ("NONE", "")
    has = (backend["auth_method"], (backend["basic_auth_user"] or "") if auth else "")
    return backend["title"] == release and has == wanted and backend["auto_update"] is True


def connect_webhook(store: Store, client: LabelStudio, line: Line) -> Repairs:
    """The project's events reach us, each with the secret whose digest is in the store. A secret that fits is kept.

    What had to be done for it.
    """
    url = line.url + WEBHOOK
    hooks = webhooks_to(client, line)
    hook = next((h for h in hooks if same_url(h["url"], url)), None)
    secret_hash = line.ls_project.secret_hash
    done = Repairs(doubled=len(hooks) - 1 if hook else len(hooks))
    if hook is None or not fits(hook, secret_hash):
        done.made, done.mended = int(hook is None), int(hook is not None)
        secret = secrets.token_urlsafe(32)
        secret_hash = _digest(secret)
        hook = _with_secret(client, line.ls_project.ls_id, url, hook, secret)
    for double in hooks:
        if double["id"] != hook["id"]:
            client.delete_webhook(double["id"])
    with store.writing() as s:
        row = s.get_one(LsProject, line.ls_project.id)
        row.secret_hash, row.webhook_id = secret_hash, hook["id"]
    line.ls_project.secret_hash = secret_hash
    return done


def webhooks_to(client: LabelStudio, line: Line) -> list[Json]:
    """The project's webhooks that call us."""
    hooks = [h for h in client.webhooks(line.ls_project.ls_id) if h.get("project") is not None]
    return [h for h in hooks if h["url"].endswith(WEBHOOK) and line.is_ours(h["url"].removesuffix(WEBHOOK))]


def told(client: LabelStudio, ls_id: int, key: str) -> str | None:
    """The address of ours that a project's webhook calls for our project of this key; None when it has none."""
    ending = f"/ls/{key}{WEBHOOK}"
    hooks = client.webhooks(ls_id)
    return next((h["url"].removesuffix(WEBHOOK) for h in hooks if h["url"].rstrip("/").endswith(ending)), None)


def fits(hook: Json, secret_hash: str | None) -> bool:
    """Whether the webhook is on, tells everything, and sends the secret that we expect."""
    on = hook["is_active"] and hook["send_payload"] and hook["send_for_all_actions"]
    return bool(on) and knows(hook, secret_hash)


def knows(hook: Json, secret_hash: str | None) -> bool:
    """Whether the webhook sends the secret with this digest."""
    secret = (hook.get("headers") or {}).get(SECRET)
    return bool(secret and secret_hash and secrets.compare_digest(_digest(secret), secret_hash))


def _with_secret(client: LabelStudio, ls_id: int, url: str, hook: Json | None, secret: str) -> Json:
    if hook is None:
        return client.create_webhook(ls_id, url, {SECRET: secret})
    headers = {**(hook.get("headers") or {}), SECRET: secret}
    wanted: dict[str, Any] = {"is_active": True, "send_payload": True, "send_for_all_actions": True, "headers": headers}
    return client.patch_webhook(hook["id"], **wanted)


@contextmanager
def silenced(client: LabelStudio, line: Line) -> Iterator[None]:
    """No events while we import: Label Studio would tell us of every task that we just made."""
    hooks = [hook for hook in webhooks_to(client, line) if hook["is_active"]]
    for hook in hooks:
        client.patch_webhook(hook["id"], is_active=False)
    try:
        yield
    finally:
        for hook in hooks:
            client.patch_webhook(hook["id"], is_active=True)


def show_release(client: LabelStudio, row: LsProject, key: str, release: str, *, served: bool = True) -> str:
    """Label Studio shows this release's suggestions, least certain first: title of the backend = version of the
    suggestions. The credentials that the backend has are kept.

    `served`: whether our server is meant to run. Where it does not, and Label Studio does not reach it either, its
    backend is taken out, since under its title Label Studio would show nothing that it holds; the sentence that says so
    ('' else).
    """
    remark = ""
    for backend in client.backends(row.ls_id):
        if not is_ours(backend, key):
            continue
        if not served and backend["state"] != CONNECTED:
            client.delete_backend(backend["id"])
            remark = TAKEN_OUT.format(key=key)
        elif backend["title"] != release:
            auth = (backend["basic_auth_user"] or "", "") if backend["auth_method"] == "BASIC_AUTH" else None
            client.patch_backend(backend["id"], row.ls_id, backend["url"], release, auth)
    there = client.project(row.ls_id)
    if there.get("model_version") != release and (not remark or there.get("total_predictions_number")):
        client.patch_project(row.ls_id, model_version=release)
    return remark


def show_manner(client: LabelStudio, row: LsProject, codebook: Codebook, manner: Manner) -> None:
    """The labelling screen of an assisted project has areas for suggestions in words, or has none."""
    there = str(client.project(row.ls_id)["label_config"])
    wanted = without_areas(there) if manner.ticked else with_areas(there, codebook)
    if wanted != there:
        client.patch_project(row.ls_id, label_config=wanted)


def is_ours(backend: Json, key: str) -> bool:
    """Whether an ML backend is the one of this project, under whatever name Label Studio reaches this machine."""
    return str(backend["url"]).rstrip("/").endswith(f"/ls/{key}")


def settle(client: LabelStudio, ls_id: int, wanted: Json) -> list[str]:
    """Give the project these settings; the names of those that were different."""
    there = client.project(ls_id)
    differing = {name: value for name, value in wanted.items() if there.get(name) != value}
    if differing:
        client.patch_project(ls_id, **differing)
    return list(differing)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
