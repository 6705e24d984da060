"""Whether answers reach us: the webhook, its secret, and an event that is sent to see."""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import func, select

from backend.corpus import wiring
from backend.corpus.finding import Findings, Level
from backend.corpus.label_studio import Json
from backend.corpus.label_studio_errors import SSRF, BlockedAddressError
from backend.corpus.patient import AGAIN, Patient
from backend.corpus.wiring import Line
from db.base import now
from db.models import Inbox

DELIVERY = 5.0  # seconds that an event may take to us


def check_webhooks(patient: Patient, url: str | None) -> Findings:
    """Whether answers reach us: the webhook, its secret, and an event sent to see."""
    hooks = patient.client.webhooks(patient.row.ls_id)
    mine = wiring.webhooks_to(patient.client, Line(patient.row, url, None)) if url else []
    if not mine:
        cure = f"{AGAIN} If it says that addresses are refused: {SSRF}"
        yield patient.bad("webhook", "The project has no webhook of ours, so no answer reaches us.", cure)
        return
    if len(mine) > 1:
        said = f"{len(mine)} webhooks send the same events to us."
        yield patient.bad("webhook", said, AGAIN, Level.WARN)
    elsewhere = [h for h in hooks if h not in mine and "/ls/" in h["url"]]
    if elsewhere:
        said = f"{len(elsewhere)} left-over webhooks send this project's events elsewhere."
        yield patient.bad("left-over", said, "Remove them under Settings > Webhooks in Label Studio.", Level.WARN)
    if not wiring.fits(mine[0], patient.row.secret_hash):
        yield patient.bad(
            "secret", "The webhook is off, or does not send our secret, so its events are refused.", AGAIN
        )
        return
    yield patient.ok("secret", "The webhook is on and sends the secret.")
    yield from _delivery(patient, mine[0])


def _delivery(patient: Patient, hook: Json) -> Findings:
    """Have Label Studio check the address once more, then have it send an event: a change of the project that changes
    nothing.
    """
    try:
        patient.client.patch_webhook(hook["id"], url=hook["url"])
    except BlockedAddressError:
        yield patient.bad("ssrf", "Label Studio does not deliver events to this address.", SSRF)
        return
    began = now()
    there = patient.client.project(patient.row.ls_id)
    patient.client.patch_project(patient.row.ls_id, description=there.get("description") or "")
    if _arrived(patient, began):
        yield patient.ok("delivery", "An event that Label Studio just sent has arrived.")
    else:
        said = f"An event that Label Studio just sent did not arrive within {DELIVERY:.0f} seconds."
        cure = f"See whether `socialite serve` runs on this store. {SSRF}"
        yield patient.bad("delivery", said, cure)


def _arrived(patient: Patient, began: datetime) -> bool:
    query = select(func.count(Inbox.id)).where(Inbox.project_id == patient.project.id, Inbox.created_at >= began)
    until = time.monotonic() + DELIVERY
    while time.monotonic() < until:
        with patient.store.reading() as s:
            if s.scalars(query).one():
                return True
        time.sleep(0.1)
    return False
