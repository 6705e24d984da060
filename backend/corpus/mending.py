"""The ways between Label Studio and us, put in order: webhooks lost, doubled or left behind, suggestions not shown."""

from __future__ import annotations

from collections.abc import Sequence

from backend.corpus import wiring
from backend.corpus.label_studio import Json, LabelStudio, LabelStudioError
from backend.corpus.repairs import Repairs
from backend.corpus.wiring import WEBHOOK, Line
from db.models import LsProject
from db.projects import ASSISTED
from db.store import Store

UNPLUGGED = (
    "The ML backend of the assisted project {} was removed in Label Studio: no suggestion is made there, and answers "
    "arrive with each comparison only. Run `socialite connect --project {}` to have both again."
)
NO_ADDRESS = (
    "The {} project {} has no webhook of ours, and Label Studio does not know our address any more: its answers arrive "
    "with each comparison only. Run `socialite connect --project {}`."
)


def mend(store: Store, client: LabelStudio, key: str, rows: Sequence[LsProject]) -> Repairs:
    """Put the webhooks of a project's Label Studio projects in order, and have suggestions shown where they no longer
    are.

    `rows` are those that are in Label Studio. Only webhooks of ours are touched: those that call the address of this
    project. One that was connected by hand has none of `connect`'s making, and is left as it is.
    """
    repairs = Repairs()
    wired = [row for row in rows if row.secret_hash is not None]
    backends = {row.id: client.backends(row.ls_id) for row in wired if row.role == ASSISTED}
    address = _address(client, key, wired, backends)
    for row in wired:
        mine = [one for one in backends.get(row.id, ()) if wiring.is_ours(one, key)]
        try:
            if mine:
                repairs.add(wiring.connect_webhook(store, client, _line(row, key, str(mine[0]["url"]))))
                repairs.shown += _shown(client, row, mine[0])
            elif row.role != ASSISTED or _shows_what_it_holds(client, row):
                repairs.add(_told(store, client, key, row, address))
            else:
                repairs.add(_unplugged(client, key, row))
        except LabelStudioError as error:
            repairs.remarks.append(f"The {row.role} project {row.ls_id} could not be put in order: {error}")
    if address is not None and wired:
        repairs.left += _strays(client, _line(wired[0], key, address), {row.ls_id for row in rows})
    return repairs


def _address(client: LabelStudio, key: str, rows: Sequence[LsProject], backends: dict[int, list[Json]]) -> str | None:
    """Where Label Studio reaches us for this project: as its ML backends say, else its webhooks."""
    for row in rows:
        for one in backends.get(row.id, ()):
            if wiring.is_ours(one, key):
                return str(one["url"]).rstrip("/")
    told = (wiring.told(client, row.ls_id, key) for row in rows)
    return next((url.rstrip("/") for url in told if url), None)


def _line(row: LsProject, key: str, url: str) -> Line:
    url = url.rstrip("/")
    return Line(row, url, None, url.removesuffix(f"/ls/{key}"))


def _shows_what_it_holds(client: LabelStudio, row: LsProject) -> bool:
    """Whether a project without a backend shows suggestions that were pushed, as where no server is meant to run; had
    somebody deleted the backend, it would show none.
    """
    return bool(client.project(row.ls_id).get("model_version"))


def _told(store: Store, client: LabelStudio, key: str, row: LsProject, address: str | None) -> Repairs:
    """A project without a backend, whose answers reach us all the same."""
    if address is None:
        return Repairs(remarks=[NO_ADDRESS.format(row.role, row.ls_id, key)])
    return wiring.connect_webhook(store, client, _line(row, key, wiring.told(client, row.ls_id, key) or address))


def _shown(client: LabelStudio, row: LsProject, backend: Json) -> int:
    """Deleting a backend, or clearing the setting, has Label Studio show nothing: 1 when that was so."""
    if client.project(row.ls_id).get("model_version"):
        return 0
    client.patch_project(row.ls_id, model_version=backend["title"])
    return 1


def _unplugged(client: LabelStudio, key: str, row: LsProject) -> Repairs:
    """Label Studio forgets a backend that is deleted, but not its webhook."""
    ending = f"/ls/{key}{WEBHOOK}"
    hooks = [h for h in client.webhooks(row.ls_id) if h.get("project") is not None]
    ours = [h for h in hooks if h["url"].rstrip("/").endswith(ending) and _made_here(h, row)]
    for hook in ours:
        client.delete_webhook(hook["id"])
    return Repairs(left=len(ours), remarks=[UNPLUGGED.format(row.ls_id, key)])


def _made_here(hook: Json, row: LsProject) -> bool:
    """Whether a webhook is the one that we made or took over, and not another installation's of the same name."""
    return hook["id"] == row.webhook_id or wiring.knows(hook, row.secret_hash)


def _strays(client: LabelStudio, line: Line, known: set[int]) -> int:
    """Remove webhooks that call us from projects that are none of ours and have no ML backend here; how many."""
    calling: dict[int, list[Json]] = {}
    for hook in client.webhooks():
        address = hook["url"].rstrip("/").removesuffix(WEBHOOK)
        if hook.get("project") not in (None, *known) and address != hook["url"] and wiring.same_url(address, line.url):
            calling.setdefault(int(hook["project"]), []).append(hook)
    removed = 0
    for ls_id, hooks in calling.items():
        if any(line.is_ours(str(one["url"])) for one in client.backends(ls_id)):
            continue  # it was connected by hand
        for hook in hooks:
            client.delete_webhook(hook["id"])
        removed += len(hooks)
    return removed
